"""What the running program tells its operator, and what it tells nobody: secrets, and what people say.

It runs at its most talkative. Every setting that is a secret is a canary, and every server it can be configured for
refuses it and repeats in its error all that it was told.
"""

import asyncio
import json
import sqlite3
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.settings import keys
from bot.settings.sources import variable
from tests.command import SECONDS, Command
from tests.fakes.echo import Echo, echoing
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script
from tests.waiting import until, until_found
from tests.web import Browser

CONFIG = """
[discord]
api_url = "{url}/discord"
gateway_url = "{socket}/gateway"
[slack]
api_url = "{url}/slack"
[openai]
base_url = "{url}/openai"
[mcp.files]
url = "{url}/mcp"
headers = {{X-Api-Key = "FILES_KEY"}}
[gadgets.weather]
openweather_url = "{url}/weather"
"""
PLAN = "the violet vault opens at half past midnight"
PLACE = "Obersalzbergtal"
ANSWER = "a most confidential answer of the model"

ANSWERED = 'secret_agents_turns_total{outcome="answered",platform="web"}'


@dataclass(slots=True)
class Running:
    """A started program. `told` is all that it printed, `served` all that its page's server said."""

    process: Process
    browser: Browser
    log: list[str] = field(default_factory=list)
    served: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        return "\n".join([*self.log, *self.served])

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.browser.http.get(self.browser.url + path, headers=headers) as response:
            self.served += [text := await response.text(), str(dict(response.headers))]
            return response.status, text


def canaries(command: Command) -> dict[str, str]:
    """Every secret of the settings, and the variable that one of them names, set to a canary."""
    names = [variable(key.path) for key in keys.every(("files",)) if key.secret]
    found = {name: f"canary-{name.lower()}-0123456789" for name in [*names, "FILES_KEY"]}
    command.variables |= found
    return found


@asynccontextmanager
async def running(command: Command, echo: Echo) -> AsyncIterator[Running]:
    socket = echo.url.replace("http", "ws")
    (command.folder / "config.toml").write_text(CONFIG.format(url=echo.url, socket=socket))
    command.variables["SECRET_AGENTS_LOG__LEVEL"] = "debug"
    async with command.running("run") as process, asyncio.TaskGroup() as tasks:
        log: list[str] = []
        tasks.create_task(_read(process, log))
        await until(lambda: process.returncode is not None or any("the chat page is at" in line for line in log))
        address = (
            next(line for line in log if "the chat page is at" in line).split("the chat page is at ")[1].split()[0]
        )
        async with Browser(address.rstrip('",')) as browser:
            yield Running(process, browser, log)
        process.terminate()
        async with asyncio.timeout(SECONDS):
            await process.wait()


async def _read(process: Process, log: list[str]) -> None:
    assert process.stderr
    while line := await process.stderr.readline():
        log.append(line.decode())


async def ask(bot: Running, token: str, text: str) -> dict[str, Any]:
    async with bot.browser.http.post(f"{bot.browser.url}login", data={"token": token}) as response:
        assert response.status == 200
    async with bot.browser.connect() as page:
        answer = await page.ask(text)
    bot.served.append(json.dumps(answer))
    return answer


@pytest.mark.parametrize("text", ["false", "true"], ids=["without message text", "with message text"])
async def test_no_secret_is_told_however_much_is_told(command: Command, text: str) -> None:
    secrets = canaries(command)
    command.variables |= {
        "SECRET_AGENTS_LOG__MESSAGE_TEXT": text,
        "SECRET_AGENTS_MODEL__PROVIDER": "openai",
        "SECRET_AGENTS_MODEL__NAME": "gpt-5",
    }
    token = secrets[variable(("web", "access_token"))]
    async with echoing() as echo, running(command, echo) as bot:
        await ask(bot, token, "hello")
        for path in ("", "healthz", "readyz", "metrics", "nothing"):
            await bot.get(path)
        used = [secrets[name] for name in secrets if any(secrets[name] in told for told in echo.heard)]
        bot.served += [str(await command(*asked)) for asked in (("check", "--json"), ("list", "--json"), ("audit",))]
        export = await command("export", "all", "-")
        bot.served.append(export.out)
    assert [line[:300] for line in bot.told.splitlines() for secret in secrets.values() if secret in line] == []
    assert {"canary-openai_api_key-0123456789", "canary-slack_bot_token-0123456789"} <= set(used)
    assert len(used) >= 4


@pytest.mark.parametrize("form", ["plain", "json"])
async def test_nothing_that_is_said_is_in_the_log_or_in_the_figures(
    command: Command, ollama: FakeOllama, form: str
) -> None:
    secrets = canaries(command)
    command.variables["SECRET_AGENTS_LOG__FORMAT"] = form
    call = {"name": "get_weather", "arguments": {"location": PLACE}}
    ollama.queue(Script(tool_calls=(call,)), Script(text=(ANSWER,)), Script(status=400, error=f"cannot read: {PLAN}"))
    ollama.queue(Script(raw=json.dumps({"message": f"{ANSWER} {PLAN}"}) + "\n"))
    async with echoing() as echo, running(command, echo) as bot:
        token = secrets[variable(("web", "access_token"))]
        answers = [await ask(bot, token, f"{PLAN} {number}") for number in range(3)]
        bot.served.clear()
        _, figures = await bot.get("metrics")
    assert answers[0]["text"] == ANSWER
    assert [said for said in (PLAN, PLACE, ANSWER) if said in bot.told] == []
    assert [secret for secret in secrets.values() if secret in bot.told] == []
    failed = [line for line in bot.log if "failed: Model" in line]
    assert len(failed) == 2
    if form == "json":
        assert {"turn", "attempt", "conversation", "platform"} <= set(json.loads(failed[0]))
        assert all(isinstance(json.loads(line), dict) for line in bot.log)
    assert f"{ANSWERED} 1.0" in figures


async def test_the_figures_and_the_state_are_those_of_what_happened(command: Command, ollama: FakeOllama) -> None:
    """The whole wiring: whatever is configured is in them."""
    token = canaries(command)[variable(("web", "access_token"))]
    command.variables["SECRET_AGENTS_SLACK__ENABLED"] = "false"
    ollama.queue(Script(text=(ANSWER,), prompt_tokens=120, completion_tokens=7))
    async with echoing() as echo, running(command, echo) as bot:
        await ask(bot, token, "hello")
        await until_found(lambda: bot.get("metrics"), lambda found: f"{ANSWERED} 1.0" in found[1])
        await until_found(lambda: bot.get("metrics"), lambda found: "secret_agents_open_turns 0.0" in found[1])
        _, text = await bot.get("metrics")
        status, state = await bot.get("readyz")
    told = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert told["secret_agents_model_tokens_total", "ollama", "prompt"] == 120
    assert told["secret_agents_stage_seconds_count", "turn"] == 1
    assert told["secret_agents_turns_total", "answered", "discord"] == 0
    assert told["secret_agents_platform_connected", "discord"] == 0
    assert told["secret_agents_database_batch_units_sum",] >= 3
    assert told["secret_agents_open_turns",] == 0
    assert told["process_resident_memory_bytes",] > 1_000_000
    assert (status, json.loads(state)["platforms"]) == (503, {"discord": "not connected", "web": "connected"})


async def test_what_the_operator_does_is_recorded(command: Command, ollama: FakeOllama, tmp_path: Path) -> None:
    ollama.queue(Script(text=("Hi.",)))
    await command("chat", said="hello\n")
    [mission] = json.loads((await command("list", "--json")).out)
    await command("export", "all", "log.json")
    await command("import", "log.json")
    await command("end", mission["id"])
    await command("end", mission["id"])
    found = json.loads((await command("audit", "--json", "--limit", "9")).out)
    assert [each["act"] for each in found] == ["end", "import", "export"]
    assert {each["actor"].partition(":")[0] for each in found} == {"operator"}
    assert found[0]["target"] == mission["id"]
    assert (await command("audit")).out.count("\n") == 4


async def test_an_import_that_is_refused_leaves_no_trace(command: Command, tmp_path: Path) -> None:
    (command.folder / "broken.json").write_text('{"conversations": [{}]}')
    assert (await command("import", "broken.json")).status == 1
    assert json.loads((await command("audit", "--json")).out) == []
    with sqlite3.connect(next(command.folder.rglob("*.db"))) as database:
        assert database.execute("SELECT count(*) FROM conversations").fetchone() == (0,)
    database.close()

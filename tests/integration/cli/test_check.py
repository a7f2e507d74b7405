"""`secret-agents check`: every part is really tried, and what does not work comes with what to do."""

import json
from pathlib import Path

from aiohttp import web

from tests.command import Command, Done
from tests.fakes.ollama import FakeOllama

MODELS = {"right": "qwen3:8b", "wrong": "mistral:7b"}


def found(done: Done) -> dict[str, dict[str, str]]:
    return {each["part"]: each for each in json.loads(done.out)}


async def test_all_is_well(command: Command) -> None:
    done = await command("check", "--json")
    assert (done.status, done.err) == (0, "")
    states = {part: each["state"] for part, each in found(done).items()}
    assert states == {"database": "ok", "model": "ok", "web": "ok", "discord": "off", "slack": "off"}


async def test_the_table_has_a_line_per_part(command: Command) -> None:
    header, *lines = (await command("check")).out.splitlines()
    assert header.split() == ["Part", "State", "Why", "What", "to", "do"]
    assert [line.split()[0] for line in lines] == ["database", "model", "web", "discord", "slack"]


async def test_a_damaged_database_is_found(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret-agents.db").write_bytes(b"no database" * 1000)
    done = await command("check", "--json")
    assert done.status == 1
    assert found(done)["database"]["state"] == "failed"
    assert "restore a backup" in found(done)["database"]["todo"]


async def test_an_ollama_that_does_not_answer_or_lacks_the_model_is_found(
    command: Command, ollama: FakeOllama, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text('[model]\nname = "mistral:7b"\n', "utf-8")
    lacking = await command("check", "--json")
    assert lacking.status == 1
    assert "ollama pull mistral:7b" in found(lacking)["model"]["why"]
    command.variables["OLLAMA_HOST"] = "127.0.0.1:9"
    silent = await command("check", "--json")
    assert silent.status == 1
    assert "ollama serve" in found(silent)["model"]["why"]


async def test_an_agents_own_model_is_looked_for(command: Command, tmp_path: Path) -> None:
    agents = [f'[agents.{name}]\nprompt = "x"\nmodel = "{model}"\n' for name, model in MODELS.items()]
    (tmp_path / "config.toml").write_text("".join(agents), "utf-8")
    done = await command("check", "--json")
    parts = found(done)
    assert (done.status, parts["model"]["state"], parts["agent right"]["state"]) == (1, "ok", "ok")
    assert parts["agent wrong"]["state"] == "failed"
    assert "ollama pull mistral:7b" in parts["agent wrong"]["why"]


async def test_a_port_in_use_is_found_unless_it_is_ours(command: Command) -> None:
    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    command.variables["SECRET_AGENTS_WEB__PORT"] = str(runner.addresses[0][1])
    taken = await command("check", "--json")
    await runner.cleanup()
    assert taken.status == 1
    assert found(taken)["web"]["todo"] == "set another [web] port"


async def test_a_page_that_is_switched_off_is_off(command: Command) -> None:
    command.variables["SECRET_AGENTS_WEB__ENABLED"] = "false"
    done = await command("check", "--json")
    assert (done.status, found(done)["web"]["state"]) == (0, "off")

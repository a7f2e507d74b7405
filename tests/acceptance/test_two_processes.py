"""One process answers from a database. A second one says what to do instead; looking on is always possible."""

import json
import signal
from asyncio.subprocess import Process
from pathlib import Path

import aiohttp
import pytest

from tests.command import Command
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script
from tests.page import page_of
from tests.waiting import until
from tests.web import Browser, Frame, Page

REFUSAL = "Another secret-agents process works on this database: stop it, use its page, or set another [storage] url.\n"


def stored(folder: Path) -> dict[str, bytes]:
    """What the database consists of; -shm holds locks and no data."""
    return {path.name: path.read_bytes() for path in (folder / "data").iterdir() if not path.name.endswith("-shm")}


@pytest.mark.parametrize("second", ["run", "chat"])
async def test_a_second_process_is_refused_in_a_sentence_and_changes_nothing(
    command: Command, ollama: FakeOllama, tmp_path: Path, second: str
) -> None:
    """Before it asks for a model; and not because of the port: each takes a free one."""
    async with command.running("run") as first:
        url = await page_of(first)
        await end_of_start(url)
        before, asked = stored(tmp_path), len(ollama.calls)
        done = await command(second, said="hi\n")
        assert (done.status, done.out, done.err) == (1, "", REFUSAL)
        assert (stored(tmp_path), len(ollama.calls)) == (before, asked)
        async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as response:
            assert response.status == 200


async def end_of_start(url: str) -> None:
    """Once a page got its answer about the missions there are, nothing more is written or asked by itself."""
    async with Browser(f"{url}/") as browser, browser.connect() as page:
        await page.get("status", state="model")
        await page.send("get_conversations")
        await page.get("conversations")


async def test_run_is_refused_beside_a_chat(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(hang=True))
    async with command.running("chat") as first:
        assert first.stdin is not None
        first.stdin.write(b"hi\n")
        await until(lambda: ollama.requests)
        done = await command("run")
    assert (done.status, done.err) == (1, REFUSAL)


async def test_a_link_to_the_database_is_no_second_door(command: Command, tmp_path: Path) -> None:
    async with command.running("run") as first:
        await page_of(first)
        (tmp_path / "link.db").symlink_to(tmp_path / "data" / "secret-agents.db")
        command.variables["SECRET_AGENTS_STORAGE__URL"] = f"sqlite:///{tmp_path}/link.db"
        done = await command("run")
    assert (done.status, done.err) == (1, REFUSAL)


async def test_a_database_of_its_own_lets_a_second_one_run(command: Command, tmp_path: Path) -> None:
    async with command.running("run") as first:
        await page_of(first)
        command.variables["SECRET_AGENTS_STORAGE__URL"] = f"sqlite:///{tmp_path}/other.db"
        async with command.running("run") as second:
            await page_of(second)
            await ended(second)
        await ended(first)


async def ended(process: Process) -> None:
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_the_next_process_may_start_as_soon_as_one_was_killed(command: Command) -> None:
    async with command.running("run") as first:
        await page_of(first)
        first.kill()
        await first.wait()
        async with command.running("run") as second:
            await page_of(second)


async def test_looking_on_works_while_answers_are_made(command: Command, ollama: FakeOllama, tmp_path: Path) -> None:
    ollama.queue(Script(text=("Noted.",)), Script(text=("Half an answer",), stall_after=1))
    async with command.running("run") as bot, Browser(f"{await page_of(bot)}/") as browser, browser.connect() as page:
        mission = (await told(page))["conversation_id"]
        await page.send("message", text="And now?", message_id="m2", conversation_id=mission)
        await page.get("response_chunk", message_id="m2", text="Half an answer")
        listed = await command("list", "--json")
        shown = await command("show", mission)
        exported = await command("export", "all", "missions.json")
        checked = await command("check", "--json")
        assert [done.status for done in (listed, shown, exported, checked)] == [0, 0, 0, 0]
        await page.send("stop", conversation_id=mission)
        assert (await page.get("response_complete", message_id="m2"))["outcome"] == "stopped"
    assert [each["id"] for each in json.loads(listed.out)] == [mission]
    assert "Remember me" in shown.out
    assert "Noted." in shown.out
    assert "(running)" in shown.out
    log = json.loads((tmp_path / "missions.json").read_text("utf-8"))
    assert [each["conversation_id"] for each in log["conversations"]] == [mission]
    assert all(each["state"] in {"ok", "off"} for each in json.loads(checked.out))


async def told(page: Page) -> Frame:
    """The answer to a first message."""
    await page.send("message", text="Remember me", message_id="m1")
    return await page.get("response_complete", message_id="m1")

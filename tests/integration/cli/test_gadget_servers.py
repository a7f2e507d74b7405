"""`[mcp.<name>]` as operators write it, in the program as they start it."""

import asyncio
import json
import re
import signal
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from tests.command import SECONDS, Command
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script
from tests.gadget_servers import POLITE, RUDE, alive, free_port, journal, listening
from tests.waiting import until

SECRET = "canary-0123456789"


def configure(folder: Path, *sections: str) -> None:
    (folder / "config.toml").write_text("\n".join(sections), "utf-8")


def polite(folder: Path, *more: str) -> str:
    """The polite server as `[mcp.files]`, with its calls in the file `calls`."""
    return "\n".join(["[mcp.files]", f"command = {json.dumps([*POLITE, '--journal', str(folder / 'calls')])}", *more])


def rude(habit: str) -> str:
    return f'[mcp.rude]\ncommand = {json.dumps([*RUDE, habit])}\nenv = ["PID_FILE"]'


async def logged(process: Process, pattern: str) -> str:
    """All that the program logs until a line with the pattern."""
    assert process.stderr
    text = ""
    async with asyncio.timeout(SECONDS):
        while not re.search(pattern, text):
            line = (await process.stderr.readline()).decode()
            assert line, text
            text += line
    return text


async def test_a_message_is_answered_with_a_servers_gadget(
    command: Command, ollama: FakeOllama, tmp_path: Path
) -> None:
    """A message that comes before the server is connected waits for it; warnings would be errors."""
    configure(tmp_path, polite(tmp_path))
    ollama.queue(Script(tool_calls=({"name": "files_add", "arguments": {"a": 1, "b": 2}},)), Script(text=("It is 3.",)))
    done = await command("chat", said="1 + 2?\n")
    assert (done.status, done.out) == (0, "It is 3.\n")
    assert journal(tmp_path / "calls") == [("add", {"a": 1, "b": 2})]


class TestTheEnd:
    async def test_asked_to_end_the_program_leaves_no_server_behind(self, command: Command, tmp_path: Path) -> None:
        command.variables["PID_FILE"] = str(tmp_path / "pids")
        configure(tmp_path, rude("stays"))
        async with command.running("run") as process:
            await logged(process, "rude: connected, 1 gadgets")
            pids = json.loads((tmp_path / "pids").read_text())
            assert [alive(pid) for pid in pids] == [True, True]
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await process.wait() == 0
        assert [alive(pid) for pid in pids] == [False, False]

    async def test_killed_the_program_leaves_no_server_that_listens_to_its_input(
        self, command: Command, tmp_path: Path
    ) -> None:
        command.variables["PID_FILE"] = str(tmp_path / "pids")
        configure(tmp_path, rude("greets"))
        async with command.running("run") as process:
            await logged(process, "rude: connected, 1 gadgets")
            (pid,) = json.loads((tmp_path / "pids").read_text())
            process.kill()
            await process.wait()
            await until(lambda: not alive(pid))

    async def test_a_silent_server_holds_up_neither_start_nor_end(self, command: Command, tmp_path: Path) -> None:
        command.variables["PID_FILE"] = str(tmp_path / "pids")
        configure(tmp_path, rude("silent"))
        async with command.running("run") as process:
            await logged(process, "the chat page is at")
            await until((tmp_path / "pids").exists)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await process.wait() == 0
        (pid,) = json.loads((tmp_path / "pids").read_text())
        await until(lambda: not alive(pid))


class TestCheck:
    async def test_every_server_has_a_row(self, command: Command, tmp_path: Path) -> None:
        command.variables["FILES_KEY"] = SECRET
        other = polite(tmp_path, 'tools = ["add", "gone"]').replace("files", "some")
        wrong = f'[mcp.wrong]\ncommand = {json.dumps([*RUDE, "complains"])}\nenv = ["FILES_KEY"]'
        configure(tmp_path, polite(tmp_path, 'allow = "member"'), other, wrong)
        done = await command("check", "--json")
        rows = {each["part"]: each for each in json.loads(done.out)}
        assert (done.status, done.err) == (1, "")
        assert (rows["mcp files"]["state"], rows["mcp some"]["state"]) == ("ok", "warning")
        assert rows["mcp files"]["why"].endswith("10 gadgets for member")
        assert rows["mcp some"]["why"].startswith("has no tool 'gone'; it has ")
        assert rows["mcp wrong"]["state"] == "failed"
        assert "no licence for •••" in rows["mcp wrong"]["why"]
        assert rows["mcp wrong"]["todo"] == "mend [mcp.wrong] command"
        assert SECRET not in done.out

    @pytest.mark.parametrize(("key", "state"), [("sesame-open", "ok"), (SECRET, "failed")])
    async def test_a_server_on_a_socket_is_asked_with_its_key(
        self, command: Command, tmp_path: Path, key: str, state: str
    ) -> None:
        port = free_port()
        (tmp_path / ".env").write_text(f"FILES_KEY={key}\n", "utf-8")
        configure(tmp_path, f'[mcp.files]\nurl = "http://127.0.0.1:{port}/mcp"\nheaders = {{ X-Key = "FILES_KEY" }}')
        async with listening(port):
            await until_open(port)
            done = await command("check", "--json")
        row = {each["part"]: each for each in json.loads(done.out)}["mcp files"]
        assert row["state"] == state
        assert ("HTTP 401" in row["why"]) is (state == "failed")
        assert key not in done.out + done.err

    async def test_a_variable_that_is_not_set_is_named(self, command: Command, tmp_path: Path) -> None:
        configure(tmp_path, polite(tmp_path, 'env = ["FILES_KEY"]'))
        done = await command("check", "--json")
        row = {each["part"]: each for each in json.loads(done.out)}["mcp files"]
        assert row["why"] == "[mcp.files] env: the variable FILES_KEY is not set; set it in .env"
        started = await command("run")
        assert started.status == 2
        assert "[mcp.files] env: the variable FILES_KEY is not set; set it in .env" in started.err


async def until_open(port: int) -> None:
    """Until somebody listens."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return

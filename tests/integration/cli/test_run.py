"""`secret-agents run`: it serves the page until it is told to end."""

import asyncio
import re
import signal
from asyncio.subprocess import Process

import aiohttp
import pytest

from storage.errors import StorageInUse
from tests.command import SECONDS, Command


async def address(process: Process) -> str:
    """Where the page is, from the log."""
    assert process.stderr is not None
    log = ""
    async with asyncio.timeout(SECONDS):
        while (found := re.search(r"the chat page is at (\S+)", log)) is None:
            line = (await process.stderr.readline()).decode()
            assert line, log
            log += line
    return found[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_the_page_until_it_is_told_to_end(command: Command, number: signal.Signals) -> None:
    process = await command.start("run")
    url = await address(process)
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.status == 200
    process.send_signal(number)
    _, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0
    assert b"Traceback" not in err


async def test_missions_can_be_looked_at_while_it_runs(command: Command) -> None:
    process = await command.start("run")
    await address(process)
    done = await command("list")
    second = await command("run")
    process.terminate()
    await asyncio.wait_for(process.communicate(), SECONDS)
    assert (done.status, done.out) == (0, "There are no missions yet.\n")
    assert second.status == 1
    assert str(StorageInUse()) in second.err


async def test_a_port_in_use_is_a_line_and_a_configuration_error(command: Command) -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    command.variables["SECRET_AGENTS_WEB__PORT"] = str(server.sockets[0].getsockname()[1])
    done = await command("run")
    server.close()
    assert done.status == 2
    assert "[web] port:" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


async def test_nothing_to_run_is_a_configuration_error(command: Command) -> None:
    command.variables["SECRET_AGENTS_WEB__ENABLED"] = "false"
    done = await command("run")
    assert done.status == 2
    assert done.err == "[web] enabled: is false, and no other platform is on: there is nothing to run\n"

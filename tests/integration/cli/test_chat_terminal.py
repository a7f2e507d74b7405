"""`secret-agents chat` on a pseudo-terminal: the answer grows, a status comes and goes, Ctrl-C stops the answer."""

import signal
import sqlite3
from collections.abc import AsyncIterator

import pytest

from tests.command import Command, Terminal
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script

CTRL_C, CTRL_D, ENTER = "\x03", "\x04", "\r"
PROMPT = r"\x1b\[0m>.*?\x1b\[\?25h"
"""As prompt_toolkit draws it; the cursor is shown when it is complete."""
ERASED = "\r\x1b\\[2K"


@pytest.fixture
async def terminal(command: Command) -> AsyncIterator[Terminal]:
    started = await command.terminal("chat")
    await started.shows("quartermaster at your service: qwen3:8b")
    await started.shows(PROMPT)
    yield started
    await started.close()


async def test_an_answer_grows_and_the_prompt_comes_back(terminal: Terminal, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("Good ", "evening", ", agent."), delay=0.05))
    terminal.type("hello" + ENTER)
    await terminal.shows("Good evening, agent.\r\n\r\n.*" + PROMPT)
    terminal.type(CTRL_D)
    assert await terminal.ends() == 0


async def test_text_is_shown_before_the_answer_is_complete_and_ctrl_c_stops_it(
    terminal: Terminal, ollama: FakeOllama
) -> None:
    ollama.queue(Script(text=("Once upon", " a time", " there was"), stall_after=2), Script(text=("At once.",)))
    terminal.type("tell me a story" + ENTER)
    await terminal.shows("Once upon a time")
    terminal.type(CTRL_C)
    shown = await terminal.shows(r"\*\(stopped\)\*\r\n\r\n.*" + PROMPT)
    assert "Once" not in shown
    terminal.type("then be brief" + ENTER)
    await terminal.shows("At once.")
    assert terminal.process.returncode is None


async def test_ctrl_c_at_the_prompt_leaves(terminal: Terminal) -> None:
    terminal.type(CTRL_C)
    assert await terminal.ends() == 0


async def test_an_interrupt_from_elsewhere_leaves_the_prompt_too(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGINT)
    assert await terminal.ends() == 0


async def test_a_status_is_shown_while_nothing_is_said_and_erased_then(terminal: Terminal, ollama: FakeOllama) -> None:
    call = {"name": "decrypt", "arguments": {"text": "IFMMP", "shift": 1}}
    ollama.queue(Script(tool_calls=(call,)), Script(hang=True))
    terminal.type("decrypt IFMMP with shift 1" + ENTER)
    await terminal.shows("thinking…")
    terminal.type(CTRL_C)
    await terminal.shows(ERASED + r"\*\(stopped\)\*\r\n")


async def test_lines_that_are_pasted_are_one_message(terminal: Terminal, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("Read.",)))
    terminal.type("\x1b[200~first line\nsecond line\x1b[201~" + ENTER)
    await terminal.shows("Read.")
    assert ollama.requests[-1]["messages"][-1]["content"] == "first line\nsecond line"


async def test_earlier_messages_can_be_called_back(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("One.",)), Script(text=("Two.",)))
    await command("chat", said="the earlier message\n")
    terminal = await command.terminal("chat")
    await terminal.shows(PROMPT)
    terminal.type("\x1b[A" + ENTER)
    await terminal.shows("Two.")
    await terminal.close()
    assert ollama.requests[-1]["messages"][-1]["content"] == "the earlier message"


async def test_an_answer_that_a_crash_interrupted_is_shown_whole_before_the_prompt(
    command: Command, ollama: FakeOllama
) -> None:
    ollama.queue(Script(text=("Half", " an answer"), stall_after=1), Script(text=("The whole answer.",)))
    terminal = await command.terminal("chat")
    await terminal.shows(PROMPT)
    terminal.type("Are you there?" + ENTER)
    await terminal.shows("Half")
    await terminal.close()

    terminal = await command.terminal("chat")
    shown = await terminal.shows("The answer that was interrupted, in mission .*The whole answer.\r\n\r\n.*" + PROMPT)
    assert shown.count("whole answer") == 1
    await terminal.close()


async def test_a_mission_that_was_ended_elsewhere_is_told(
    command: Command, terminal: Terminal, ollama: FakeOllama
) -> None:
    ollama.queue(Script(hang=True))
    terminal.type("hello" + ENTER)
    await terminal.shows("thinking…")
    assert (await command("end")).status == 0
    terminal.type(CTRL_C)
    await terminal.shows("stopped.*" + PROMPT)


async def test_a_second_ctrl_c_leaves_without_waiting_and_the_answer_comes_next_time(
    command: Command, terminal: Terminal, ollama: FakeOllama
) -> None:
    ollama.queue(Script(hang=True))
    terminal.type("hello" + ENTER)
    await terminal.shows("thinking…")
    database = sqlite3.connect(command.folder / "data" / "secret-agents.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")  # nothing can be recorded, so the stop does not get through
    terminal.type(CTRL_C)
    await terminal.shows("stopping…")
    terminal.type(CTRL_C)
    await terminal.shows("Left before the answer was complete; `secret-agents chat` will show it.")
    database.close()
    assert await terminal.ends() == 1
    ollama.queue(Script(text=("Here it is.",)))
    assert (await command("chat")).out == "Here it is.\n"

"""A gadget that waits for somebody's word, at `secret-agents chat` and in `secret-agents show`."""

import json
import signal
from collections.abc import AsyncIterator

import pytest

from tests.command import Command, Terminal
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script

CALL = {"name": "decrypt", "arguments": {"ciphertext": "IFMMP", "shift": 1}}
ASK = "decrypt IFMMP with shift 1\n"
QUESTION = "May I use `decrypt` with this?"
PROMPT = r"\x1b\[0m>.*?\x1b\[\?25h"
ENTER, CTRL_D = "\r", "\x04"


@pytest.fixture(autouse=True)
def waits_for_a_word(command: Command) -> None:
    (command.folder / "config.toml").write_text("[gadgets.decrypt]\napprove = true\n", "ascii")


@pytest.fixture
async def terminal(command: Command) -> AsyncIterator[Terminal]:
    started = await command.terminal("chat")
    await started.shows(PROMPT)
    yield started
    await started.close()


@pytest.mark.parametrize(("act", "told"), [("approve", "Approved: I use"), ("decline", "Declined: I go on without")])
async def test_the_next_line_of_a_pipe_decides(command: Command, ollama: FakeOllama, act: str, told: str) -> None:
    ollama.queue(Script(tool_calls=(CALL,)), Script(text=("There you are.",)))
    done = await command("chat", said=f"{ASK}/mission {act}\n")
    asked, decided, answered = done.out.split("\n\n")[0], *done.out.splitlines()[-2:]
    assert asked.startswith(QUESTION)
    assert (done.status, decided, answered) == (0, f"{told} `decrypt`.", "There you are.")
    result = ollama.requests[-1]["messages"][-1]["content"]
    assert ("HELLO" in result) is (act == "approve")


async def test_what_nobody_decided_is_asked_again_in_the_next_run(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(tool_calls=(CALL,)))
    done = await command("chat", said=f"{ASK}and then?\n")
    assert (done.status, done.out.count(QUESTION)) == (1, 1)
    assert "I come to that when you have decided." in done.err
    assert "I still wait for your decision" in done.err
    ollama.queue(Script(text=("HELLO.",)), Script(text=("Nothing.",)))
    done = await command("chat", said="/mission approve\n")
    assert (done.status, done.out.count(QUESTION)) == (0, 1)
    assert done.out.endswith("Approved: I use `decrypt`.\nHELLO.\nNothing.\n")


async def test_show_says_that_a_question_waits(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(tool_calls=(CALL,)))
    await command("chat", said=ASK)
    (mission,) = json.loads((await command("list", "--json")).out)
    assert QUESTION in (await command("show", mission["id"])).out
    asked = json.loads((await command("show", mission["id"], "--json")).out)["approval"]
    assert (asked["gadget"], json.loads(asked["arguments"])) == ("decrypt", CALL["arguments"])


async def test_at_the_prompt_a_command_decides(terminal: Terminal, ollama: FakeOllama) -> None:
    ollama.queue(Script(tool_calls=(CALL,)), Script(text=("It says ", "HELLO.")))
    terminal.type(ASK.strip() + ENTER)
    await terminal.shows("Answer with /mission approve or /mission decline.*" + PROMPT)
    terminal.type("/mission approve" + ENTER)
    await terminal.shows("Approved: I use `decrypt`.*It says HELLO.*" + PROMPT)
    terminal.type(CTRL_D)
    assert await terminal.ends() == 0


async def test_after_kill_the_question_is_asked_again_and_the_gadget_runs_once(
    command: Command, terminal: Terminal, ollama: FakeOllama
) -> None:
    ollama.queue(Script(tool_calls=(CALL,)))
    terminal.type(ASK.strip() + ENTER)
    await terminal.shows("Answer with /mission approve or /mission decline.*" + PROMPT)
    terminal.process.send_signal(signal.SIGKILL)
    await terminal.process.wait()
    ollama.queue(Script(text=("HELLO.",)))
    done = await command("chat", said="/mission approve\n/mission approve\n")
    assert (done.status, done.out.count(QUESTION)) == (0, 1)
    assert done.out.endswith("Approved: I use `decrypt`.\nHELLO.\nNothing waits for your approval.\n")
    assert len(ollama.requests) == 2


async def test_who_leaves_with_a_question_open_is_told(terminal: Terminal, ollama: FakeOllama) -> None:
    ollama.queue(Script(tool_calls=(CALL,)))
    terminal.type(ASK.strip() + ENTER)
    await terminal.shows("Answer with /mission approve or /mission decline.*" + PROMPT)
    terminal.type(CTRL_D)
    await terminal.shows("I still wait for your decision")
    assert await terminal.ends() == 1


async def test_what_nobody_decides_is_answered_above_the_prompt(command: Command, ollama: FakeOllama) -> None:
    """Ten seconds is the shortest time that can be set."""
    text = "[limits]\napproval_seconds = 10\n[gadgets.decrypt]\napprove = true\n"
    (command.folder / "config.toml").write_text(text, "ascii")
    ollama.queue(Script(tool_calls=(CALL,)), Script(text=("Without ", "it.")), Script(text=("Next.",)))
    terminal = await command.terminal("chat")
    await terminal.shows(PROMPT)
    terminal.type(ASK.strip() + ENTER)
    await terminal.shows("Answer with /mission approve or /mission decline.*" + PROMPT)
    terminal.type("half a mess")
    await terminal.shows("Without it.*half a mess")
    terminal.type("age" + ENTER)
    await terminal.shows("Next.")
    assert ollama.requests[-1]["messages"][-1]["content"] == "half a message"
    await terminal.close()

"""`secret-agents chat` without a terminal: a message per line, answers in order, standard output holds nothing else."""

import asyncio
import os
import signal

from storage.errors import StorageInUse
from tests.command import SECONDS, Command
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script


async def test_every_line_is_answered_in_order(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("First ", "answer.")), Script(text=("Second",)), Script(text=("Third\nin two lines",)))
    done = await command("chat", said="one\n\n  \ntwo\nthree")
    assert (done.status, done.out) == (0, "First answer.\nSecond\nThird\nin two lines\n")
    assert [request["messages"][-1]["content"] for request in ollama.requests] == ["one", "two", "three"]


async def test_a_conversation_goes_on_in_the_next_run(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("Noted.",)), Script(text=("Bond.",)))
    await command("chat", said="My name is Bond.")
    await command("chat", said="What is my name?")
    said = [message["content"] for message in ollama.requests[-1]["messages"] if message["role"] != "system"]
    assert said == ["My name is Bond.", "Noted.", "What is my name?"]


async def test_a_model_that_fails_is_a_sentence_and_a_failure_and_the_next_message_works(
    command: Command, ollama: FakeOllama
) -> None:
    ollama.queue(Script(status=500, error="out of memory"), Script(text=("Better.",)))
    done = await command("chat", said="one\ntwo\n")
    assert done.status == 1
    assert done.out == "My language model ran into an error. Please try again.\nBetter.\n"


async def test_commands_are_carried_out_and_not_answered_by_the_model(command: Command, ollama: FakeOllama) -> None:
    done = await command("chat", said="/help\n/mission dance\n/mission list\n")
    assert done.status == 0
    assert "`/mission new [agent]` start a fresh mission here" in done.out
    assert "I do not know /mission dance." in done.out
    assert "You have no missions yet." in done.out
    assert ollama.requests == []


async def test_escape_sequences_of_a_model_do_not_reach_standard_output(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("\x1b]0;owned\x07", "red: \x1b[31m", "done\x9b2J")))
    done = await command("chat", said="hi\n")
    assert done.out == "]0;ownedred: [31mdone2J\n"


async def test_after_kill_the_answer_is_shown_once_and_whole(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("Half", " an answer"), stall_after=1), Script(text=("The whole answer.",)))
    process = await command.start("chat")
    assert process.stdin is not None
    process.stdin.write(b"Are you there?\n")
    await asyncio.wait_for(ollama.arrived.wait(), SECONDS)
    process.send_signal(signal.SIGKILL)
    out, _ = await process.communicate()
    assert out == b""

    done = await command("chat")
    assert (done.status, done.out) == (0, "The whole answer.\n")
    assert "The answer that was interrupted" in done.err
    assert (await command("chat")).out == ""


async def test_an_interrupted_pipe_ends_and_the_answer_comes_next_time(command: Command, ollama: FakeOllama) -> None:
    process = await command.start("chat")
    assert process.stdin is not None
    process.stdin.write(b"Hello?\n")
    ollama.queue(Script(text=("Late.",)))
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), SECONDS) == b"Late.\n"
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 128 + signal.SIGTERM


async def test_nobody_who_reads_ends_the_program_without_a_traceback(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("Is anybody there?",)))
    reading, writing = os.pipe()
    process = await command.start("chat", stdout=writing)
    os.close(writing)
    os.close(reading)
    _, err = await asyncio.wait_for(process.communicate(b"hi\nhi\nhi\n"), SECONDS)
    assert process.returncode == 1
    assert b"Traceback" not in err


async def test_only_one_process_answers(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(hang=True))
    first = await command.start("chat")
    assert first.stdin is not None
    first.stdin.write(b"hi\n")
    await asyncio.wait_for(ollama.arrived.wait(), SECONDS)
    done = await command("chat", said="hi\n")
    first.kill()
    await first.communicate()
    assert (done.status, done.out) == (1, "")
    assert done.err == f"{StorageInUse()}\n"


async def test_a_mission_can_be_chosen(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=("One",)), Script(text=("Two",)), Script(text=("Again one",)))
    await command("chat", said="first mission\n")
    first = (await command("list", "--json")).out.split('"id": "')[1][:10]
    await command("new")
    await command("chat", said="second mission\n")
    done = await command("chat", first[:5].upper(), said="go on\n")
    assert done.out == "Again one\n"
    assert ollama.requests[-1]["messages"][1]["content"] == "first mission"


async def test_a_mission_that_is_none_or_has_ended_is_refused(command: Command, ollama: FakeOllama) -> None:
    await command("chat", said="first mission\n")
    first = (await command("list", "--json")).out.split('"id": "')[1][:10]
    await command("end", first)
    done = await command("chat", first, said="go on\n")
    assert (done.status, done.out) == (1, "")
    assert done.err == f"Mission {first} has ended. `secret-agents new` begins another.\n"
    done = await command("chat", "zzzz", said="go on\n")
    assert (done.status, done.out) == (1, "")
    assert done.err == "There is no terminal mission zzzz. `secret-agents list` shows all missions.\n"
    assert len(ollama.requests) == 1

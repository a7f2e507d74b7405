"""`secret-agents run` in Slack, as a process: started, ended, and gone on with."""

import asyncio
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.command import SECONDS, Command
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script
from tests.fakes.slack import ALICE, GENERAL, FakeSlack, Message
from tests.slack import SIGNING_SECRET, in_slack

PROMISE = 10.0
"""Seconds within which the program ends after SIGTERM."""
WORDS = [f"word{number} " for number in range(40)]
WHOLE = "".join(WORDS).strip()


@pytest.fixture
async def slack(command: Command) -> AsyncIterator[FakeSlack]:
    async with FakeSlack.running() as fake:
        command.variables |= in_slack(fake)
        yield fake
        assert not fake.violations


async def ended(process: Process) -> tuple[int, str]:
    """Its status and what it logged, ended by SIGTERM in the time that is promised."""
    assert process.stderr is not None
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PROMISE):
        log = (await process.stderr.read()).decode()
        return await process.wait(), log


async def logged(process: Process, pattern: str) -> str:
    """What the pattern's group finds in the log."""
    assert process.stderr is not None
    async with asyncio.timeout(SECONDS):
        while line := (await process.stderr.readline()).decode():
            if found := re.search(pattern, line):
                return found[1]
    raise AssertionError(f"{pattern} was not logged")


def ask(slack: FakeSlack, text: str = "Encrypt HELLO") -> Message:
    return slack.team.say(GENERAL, ALICE, f"{slack.team.mention} {text}")


async def connected(slack: FakeSlack) -> None:
    """A process takes its time to start."""
    await slack.until(lambda: slack.socket_mode.sockets, seconds=SECONDS)


async def shown(slack: FakeSlack, question: Message, text: str) -> Message:
    team = slack.team
    said = await slack.until(
        lambda: [m for m in team.by_bot(question.channel, question.root) if text in m.shown], seconds=SECONDS
    )
    return said[0]


def at_rest(slack: FakeSlack, question: Message) -> bool:
    """Nobody works on the question's answer any more."""
    return slack.team.sessions[question.channel, question.ts].status == "active"


async def test_slack_may_be_the_only_platform(command: Command, slack: FakeSlack, ollama: FakeOllama) -> None:
    ollama.queue(Script(text=WORDS))
    async with command.running("run") as bot:
        await connected(slack)
        await shown(slack, ask(slack), WHOLE)
        status, log = await ended(bot)
    assert status == 0
    assert "Traceback" not in log
    assert slack.team.bot_token not in log
    assert slack.app_token not in log


async def test_an_answer_that_is_being_written_goes_on_in_its_message_after_the_next_start(
    command: Command, slack: FakeSlack, ollama: FakeOllama
) -> None:
    """In a channel and in a direct message; a gadget that ran is not asked for again."""
    call = {"name": "encrypt", "arguments": {"plaintext": "HELLO", "shift": 1}}
    half = Script(text=WORDS, delay=0.02, stall_after=30)
    ollama.answer = lambda request: half if request["messages"][-1]["role"] == "tool" else Script(tool_calls=(call,))
    team = slack.team
    async with command.running("run") as bot:
        await connected(slack)
        questions = [ask(slack), team.say(team.dm(ALICE), ALICE, "Encrypt HELLO")]
        messages = [await shown(slack, question, "word3") for question in questions]
        assert (await ended(bot))[0] == 0
    asked = len(ollama.requests)
    ollama.answer = lambda _: Script(text=WORDS)
    async with command.running("run") as bot:
        for question, message in zip(questions, messages, strict=True):
            assert await shown(slack, question, WHOLE) is message
            await slack.until(partial(at_rest, slack, question))
            assert not message.streaming(slack.clock.now())
            assert len(team.by_bot(question.channel, question.root)) == 1
        assert (await ended(bot))[0] == 0
    assert len(ollama.requests) == asked + len(questions)


@pytest.mark.parametrize("page", ["true", "false"])
async def test_slack_may_call_us_with_the_page_and_without(
    command: Command, slack: FakeSlack, ollama: FakeOllama, page: str
) -> None:
    ollama.queue(Script(text=WORDS))
    settings = {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "SECRET_AGENTS_SLACK__MODE": "http"}
    command.variables |= settings | {"SECRET_AGENTS_WEB__ENABLED": page}
    del command.variables["SLACK_APP_TOKEN"]
    async with command.running("run") as bot:
        where = r"the chat page is at (\S+)/$" if page == "true" else r"requests are expected at (\S+)/slack/events$"
        url = await logged(bot, where)
        http = slack.deliver_over_http(f"{url}/slack/events", SIGNING_SECRET)
        slack.clock.speed = 60.0  # until it has logged in, Slack has to ask again
        assert await http.verify_url()
        question = ask(slack)
        await shown(slack, question, WHOLE)
        await slack.settled()
        assert all(delivery.acknowledged for delivery in question.deliveries)
        assert (await ended(bot))[0] == 0


async def test_a_refused_token_ends_the_program_with_what_to_do(command: Command, slack: FakeSlack) -> None:
    slack.team.revoked = "token_revoked"
    done = await command("run")
    assert done.status == 2
    assert "[slack] bot_token: " in done.err.splitlines()[-1]
    assert "Traceback" not in done.err
    assert slack.team.bot_token not in done.err


async def test_an_empty_signing_secret_ends_the_program_with_what_to_do(command: Command, slack: FakeSlack) -> None:
    command.variables |= {"SLACK_SIGNING_SECRET": " ", "SECRET_AGENTS_SLACK__MODE": "http"}
    done = await command("run")
    assert done.status == 2
    assert "SLACK_SIGNING_SECRET" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err
    assert not slack.calls


async def test_it_ends_in_time_when_slack_never_answers(command: Command, slack: FakeSlack) -> None:
    """Neither at the start nor later."""
    clients: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: clients.append(writer), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    command.variables["SECRET_AGENTS_SLACK__API_URL"] = url
    async with command.running("run") as bot:
        async with asyncio.timeout(SECONDS):
            while not clients:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        assert (await ended(bot))[0] == 0
    silent.close()
    for client in clients:
        client.close()
    assert not slack.calls

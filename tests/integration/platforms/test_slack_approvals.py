"""The buttons below a question whether a gadget may run, and the words that do the same, in the fake Slack."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.models.model import ToolCall
from storage.database import Connection
from tests.core import launch
from tests.fakes.scripted_model import Script, ScriptedModel, echo
from tests.fakes.slack import ALICE, BOB, Message
from tests.slack_scene import STOP, Scene, bot_on, scene, shows_button, stage
from tests.waiting import until_found

APPROVE, DECLINE = "approve", "decline"
CALL = ToolCall("c1", "launch", {"target": "moon"})
ARMED: dict[str, Any] = {"gadgets": [launch]}


def armed(*scripts: Script) -> ScriptedModel:
    return ScriptedModel([CALL], *scripts, answer=echo)


async def asked(at: Scene, question: Message) -> Message:
    """What the bot asks before it answers that."""
    message = await at.shows(question, "launch")
    await until_found(lambda: verdicts(at), lambda found: found)
    return message


async def verdicts(at: Scene) -> list[str | None]:
    return await at.bot.core.database.read(_verdicts)


def _verdicts(connection: Connection) -> list[str | None]:
    found = connection.execute("SELECT verdict FROM approvals WHERE remote_id IS NOT NULL").fetchall()
    return [verdict for (verdict,) in found]


async def test_the_buttons_are_there_until_the_answer_takes_their_place(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(["Launched."]), **ARMED) as at:
        question = at.ask("go")
        message = await asked(at, question)
        assert [shows_button(message, each) for each in (APPROVE, DECLINE, STOP)] == [True] * 3
        assert [message.action(each)[1].get("style") for each in (APPROVE, DECLINE)] == ["primary", "danger"]
        click = await at.click(ALICE, message, APPROVE)
        assert await click.answered() == ["Approved: I use `launch`."]
        answer = await at.answer(question)
        assert (answer.ts, answer.shown) == (message.ts, "Launched.")
        assert not shows_button(answer, APPROVE)


async def test_nobody_is_said_to_be_at_work_while_people_decide(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, armed([go_on, "Launched."]), **ARMED) as at:
        question = at.ask("go")
        message = await asked(at, question)
        session = at.team.sessions[question.channel, question.root]
        await at.slack.until(lambda: session.status == "active")
        await at.click(ALICE, message, APPROVE)
        await at.slack.until(lambda: session.status == "processing")
        go_on.set()
        await at.slack.until(lambda: session.status == "active")
        assert statuses(at) == ["processing", "active", "processing", "active"]


def statuses(at: Scene) -> list[str]:
    """What Slack was told of the thread, one after another."""
    return [str(call.args["status"]) for call in at.slack.calls if call.method == "agents.sessions.setStatus"]


@pytest.mark.parametrize("action", [APPROVE, DECLINE])
async def test_others_are_refused_in_private_and_nothing_happens(tmp_path: Path, action: str) -> None:
    async with scene(tmp_path, armed(), **ARMED) as at:
        message = await asked(at, at.ask("go"))
        click = await at.click(BOB, message, action)
        assert await click.answered() == ["Only who asked, or an admin, may decide this."]
        assert await verdicts(at) == [None]
        assert shows_button(message, APPROVE)


@pytest.mark.parametrize(("words", "verdict"), [("!approve", "approved"), ("!decline", "declined")])
async def test_a_word_in_the_thread_decides(tmp_path: Path, words: str, verdict: str) -> None:
    async with scene(tmp_path, armed(["Done."]), **ARMED) as at:
        question = at.ask("go")
        await asked(at, question)
        at.follow(question, words)
        assert (await at.whispered(ALICE)).shown.lower().startswith(verdict)
        assert (await at.answer(question)).shown == "Done."
        assert await verdicts(at) == [verdict]


async def test_the_bots_name_and_a_word_decide(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(["Done."]), **ARMED) as at:
        question = at.ask("go")
        await asked(at, question)
        at.follow(question, f"{at.team.mention} approve")
        assert (await at.whispered(ALICE)).shown == "Approved: I use `launch`."
        await at.answer(question)


async def test_a_word_in_another_thread_decides_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(), **ARMED) as at:
        await asked(at, at.ask("go"))
        other = at.ask("hello")
        await at.answer(other)
        at.follow(other, "!approve")
        assert (await at.whispered(ALICE)).shown == "Nothing waits for your approval."
        assert await verdicts(at) == [None]


async def test_a_word_below_a_message_without_a_mission_decides_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(), **ARMED) as at:
        question = at.ask("go")
        await asked(at, question)
        other = at.team.say(question.channel, BOB, "lunch?")
        at.follow(other, f"{at.team.mention} approve")
        assert (await at.whispered(ALICE)).shown.startswith("No mission is going on in this thread.")
        assert await verdicts(at) == [None]


async def test_a_command_in_the_channel_says_which_mission_it_decided(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(["Done."]), **ARMED) as at:
        question = at.ask("go")
        await asked(at, question)
        (told,) = await (await at.mission("approve")).answered()
        assert told.startswith("Approved: I use `launch` in mission `")
        await at.answer(question)


async def test_a_question_in_private_ends_the_stream_and_is_decided(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(["I shall try.", CALL], ["Launched."]), **ARMED) as at:
        question = at.tell("go")
        message = await asked(at, question)
        assert message.shown.startswith("I shall try.")
        assert not message.streaming(at.slack.clock.now())
        await at.click(ALICE, message, APPROVE)
        answer = await at.answer(question)
        assert (answer.ts, answer.shown) == (message.ts, "I shall try.\n\nLaunched.")


async def test_the_buttons_work_after_a_restart_and_once(tmp_path: Path) -> None:
    async with stage() as slack:
        async with bot_on(slack, tmp_path, armed(), **ARMED) as at:
            question = at.ask("go")
            message = await asked(at, question)
            await at.bot.kill()
        async with bot_on(slack, tmp_path, ScriptedModel(["Launched."]), **ARMED) as at:
            clicks = [await at.click(ALICE, message, APPROVE) for _ in range(2)]
            told = [(await click.answered())[0] for click in clicks]
            assert told == ["Approved: I use `launch`.", "That was approved already."]
            assert (await at.answer(question)).shown == "Launched."

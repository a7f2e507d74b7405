"""Slack in trouble, and Slack refusing: nothing is lost or said twice, and somebody is told."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.core import LIMITS
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.slack import SECRET, Message
from tests.slack_scene import RATE, Scene, scene, shows_button

POST, UPDATE = "chat.postMessage", "chat.update"
START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
WORDS = [f"word{number} " for number in range(60)]
WHOLE = "".join(WORDS).strip()
DROPPED: dict[str, Any] = {"drop": True}
BROKEN: dict[str, Any] = {"status": 502}
ROOMY = replace(LIMITS, answer_characters=1_000_000)
CONFUSED: dict[str, Any] = {"error": "internal_error"}


def halting() -> tuple[ScriptedModel, asyncio.Event]:
    """A model whose first answer stops in the middle until the event is set."""
    go_on = asyncio.Event()
    return ScriptedModel(["First ", go_on, "then the rest."], answer=echo), go_on


def answers(at: Scene, question: Message) -> list[str]:
    return [message.shown for message in at.said(question)]


# Rate limits


@pytest.mark.parametrize("method", [POST, UPDATE, START, APPEND, STOP, "agents.sessions.setStatus", "users.info"])
async def test_a_rate_limit_delays_an_answer_and_changes_nothing_else(tmp_path: Path, method: str) -> None:
    async with scene(tmp_path, ScriptedModel(answer=lambda _: WORDS)) as at:
        at.slack.limits.set(method, 2, per=1.0)
        questions = []
        for ask, text in ((at.ask, "one"), (at.tell, "two"), (at.ask, "three"), (at.tell, "four")):
            questions.append(ask(text))
            await at.answer(questions[-1])
        await at.slack.settled()
        assert [answers(at, question) for question in questions] == [[WHOLE]] * 4
        assert at.slack.limits.early == []


async def test_a_limit_of_one_channel_holds_up_no_other(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.slack.fail_next(POST, status=429, retry_after=2)
        began = time.monotonic()
        held = at.ask("one")
        await at.slack.until(lambda: len(at.slack.called(POST, ok=False)) == 1)
        await at.answer(at.ask("two", channel=SECRET))
        await at.answer(at.tell("three"))
        assert at.said(held) == []
        await at.answer(held)
        assert time.monotonic() - began >= 2


async def test_a_limit_of_one_method_holds_up_no_other_method(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.slack.fail_next(UPDATE, status=429, retry_after=2)
        held = at.ask("one")
        await at.slack.until(lambda: at.slack.called(UPDATE, ok=False))
        await at.answer(at.tell("two, in a stream"))
        other = at.ask("three")
        await at.slack.until(lambda: at.said(other))
        assert not any(shows_button(m, RATE) for m in [*at.said(held), *at.said(other)])
        await at.answer(held)
        await at.answer(other)


async def test_under_the_documented_limits_everybody_gets_an_answer(tmp_path: Path) -> None:
    """More answers grow at once than Slack has room for."""
    async with scene(tmp_path, ScriptedModel(answer=lambda _: WORDS)) as at:
        at.slack.limit_realistically()
        at.slack.limits.per_channel(100, per=5.0)
        questions = [at.ask(str(number)) for number in range(12)] + [at.tell(str(number)) for number in range(12)]
        for question in questions:
            await at.answer(question)
        assert [answers(at, question) for question in questions] == [[WHOLE]] * len(questions)
        assert at.slack.limits.early == []
        assert not {POST, START, STOP} & at.slack.limits.refused.keys()


# Calls that fail


@pytest.mark.parametrize("after_effect", [False, True], ids=["", "after_effect"])
@pytest.mark.parametrize("fault", [BROKEN, DROPPED, CONFUSED], ids=str)
async def test_a_call_that_fails_is_made_again_and_nothing_is_said_twice(
    tmp_path: Path, fault: dict[str, Any], *, after_effect: bool
) -> None:
    """Whether it had its effect nobody tells."""
    async with scene(tmp_path, ScriptedModel(answer=lambda _: WORDS)) as at:
        for method in (POST, UPDATE, START, APPEND, STOP):
            at.slack.fail_next(method, after_effect=after_effect, times=2, **fault)
        at.slack.fail_next("users.info", **fault)
        at.slack.fail_next("agents.sessions.setStatus", times=3, **fault)
        questions = [at.ask("one"), at.ask("two"), at.tell("three"), at.tell("four")]
        for question in questions:
            await at.answer(question)
        assert [answers(at, question) for question in questions] == [[WHOLE]] * len(questions)
        assert not any(m.streaming(at.slack.clock.now()) for question in questions for m in at.said(question))


async def test_words_whose_arrival_is_not_known_are_not_there_twice(tmp_path: Path) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        at.slack.fail_next(APPEND, drop=True, after_effect=True)
        question = at.tell("talk")
        await at.shows(question, "First")
        go_on.set()
        assert (await at.answer(question)).shown == "First then the rest."
        assert len(at.said(question)) == 1


# What Slack refuses


@pytest.mark.parametrize("why", ["message_not_in_streaming_state", "stopped_by_user", "streaming_state_conflict"])
@pytest.mark.parametrize("method", [START, APPEND, STOP])
async def test_a_stream_that_is_refused_is_a_message_that_is_edited(tmp_path: Path, method: str, why: str) -> None:
    async with scene(tmp_path, ScriptedModel(answer=lambda _: WORDS)) as at:
        at.slack.fail_next(method, error=why)
        question = at.tell("talk")
        assert (await at.answer(question)).shown == WHOLE
        assert len(at.said(question)) == 1


async def test_a_workspace_without_streams_gets_edited_messages(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.slack.refuse(START, "feature_not_enabled")
        question = at.tell("one")
        assert (await at.answer(question)).stream is None


async def test_a_stream_that_died_of_age_is_edited(tmp_path: Path) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        question = at.tell("talk")
        stream = await at.shows(question, "First")
        assert stream.streaming(at.slack.clock.now())
        at.slack.clock.advance(301)
        go_on.set()
        answer = await at.answer(question)
        assert (answer.shown, len(at.said(question))) == ("First then the rest.", 1)


async def test_a_message_in_conflict_with_a_stream_is_freed_first(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.slack.fail_next(UPDATE, error="streaming_state_conflict")
        assert (await at.answered("one")).shown == "You said: alice: one"


@pytest.mark.parametrize("private", [False, True], ids=["channel", "direct message"])
async def test_what_slack_finds_too_long_is_whole_in_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, private: bool
) -> None:
    text = "A sentence of some words. " * 300
    async with scene(tmp_path, ScriptedModel([text]), limits=ROOMY, pace=0.02 if private else float("inf")) as at:
        at.slack.fail_next(POST, error="msg_too_long")
        for method in (UPDATE, STOP):
            at.slack.fail_next(method, error="msg_too_long")
        question = at.tell("talk") if private else at.ask("talk")
        answer = await at.answer(question)
        [file] = await at.slack.until(lambda: at.team.bot_files(question.channel))
        assert file.content.decode() == text.strip()
        assert answer.shown.startswith("A sentence of some words.")
        assert "in the file below" in answer.shown
        assert len(answer.shown) < 4_000
        assert any("msg_too_long" in record.message for record in caplog.records)


async def test_a_later_part_that_slack_finds_too_long_is_whole_in_a_file(tmp_path: Path) -> None:
    text = "\n\n".join(f"Paragraph {number}, with some words to fill it." for number in range(400))
    async with scene(tmp_path, ScriptedModel([text]), limits=ROOMY) as at:
        question = at.ask("talk")
        await at.slack.until(lambda: at.said(question))
        at.slack.fail_next(POST, error="msg_too_long")
        [file] = await at.slack.until(lambda: at.team.bot_files(question.channel))
        await at.answer(question)
        first, second, *_ = at.said(question)
        assert "in the file below" in second.shown
        assert first.shown + "\n\n" + file.content.decode() == text


@pytest.mark.parametrize("why", ["cant_update_message", "edit_window_closed"])
async def test_a_message_that_must_not_be_edited_any_more_is_posted_anew(tmp_path: Path, why: str) -> None:
    async with scene(tmp_path, ScriptedModel([WHOLE]), pace=float("inf")) as at:
        at.slack.refuse(UPDATE, why)
        question = at.ask("talk")
        assert (await at.answer(question)).shown == WHOLE


async def test_an_answer_whose_beginning_was_deleted_is_posted_anew(tmp_path: Path) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        question = at.ask("talk")
        at.team.withdraw(await at.shows(question, "First"))
        go_on.set()
        assert (await at.answer(question)).shown == "First then the rest."
        assert len(at.said(question)) == 1


@pytest.mark.parametrize("why", ["is_archived", "not_in_channel", "channel_not_found"])
async def test_a_place_that_is_gone_ends_its_turns_and_the_log_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        question = at.ask("one", channel=SECRET)
        await at.shows(question, "First")
        channel = at.team.channels[SECRET]
        if why == "is_archived":
            channel.archived = True
        elif why == "not_in_channel":
            channel.kind = "channel"
        if why != "is_archived":
            channel.members.discard(at.team.bot_user)
        go_on.set()
        await at.until_stored("status", "answered")
        await at.answered("two")
        assert await at.stored("agent_response") == ["First then the rest.", "You said: alice: two"]
    assert [r.message for r in caplog.records if "cannot be shown" in r.message and f": {why} (" in r.message]


async def test_a_missing_scope_is_in_the_log_with_what_to_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with scene(tmp_path) as at:
        at.team.scopes.discard("chat:write")
        at.ask("one")
        await at.until_stored("status", "answered")
        at.team.scopes.add("chat:write")
        await at.answered("two")
    assert [r for r in caplog.records if "missing_scope" in r.message and "secret-agents manifest slack" in r.message]


async def test_a_file_that_slack_refuses_becomes_more_messages(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The app was installed before it asked to write files."""
    text = "\n\n".join(f"Paragraph {number}, with some words to fill it." for number in range(700))
    async with scene(tmp_path, ScriptedModel([text]), max_parts=1, limits=ROOMY) as at:
        at.team.scopes.discard("files:write")
        question = at.ask("talk")
        await at.until_stored("status", "answered")
        assert "\n\n".join(answers(at, question)) == text
    assert any("files:write" in r.message or "missing_scope" in r.message for r in caplog.records)

"""The agent surface in the fake Slack: sessions and their status, Slack's own Stop, prompts; and doing without."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.slack import ALICE, CAROL, GENERAL
from tests.slack_scene import bot_on, scene, stage

SESSION, STATUS = "agents.sessions.setStatus", "assistant.threads.setStatus"


async def test_a_session_is_named_after_the_first_question_and_is_active_again_at_the_end(
    tmp_path: Path, mode: str
) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel([go_on, "Well."], answer=echo), mode=mode) as at:
        question = at.ask("what is **new**?\nI was away")
        (session,) = await at.slack.until(lambda: list(at.team.sessions.values()))
        assert (session.status, session.title) == ("processing", "what is new?")
        go_on.set()
        await at.slack.until(lambda: session.status == "active")
        at.follow(question, "and now?")
        await at.slack.until(lambda: len(session.history) == 4)
        assert session.history == ["processing", "active"] * 2
        assert session.title == "what is new?"
        assert at.team.statuses == {}


async def test_without_sessions_the_threads_status_is_set_and_taken_away(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel([go_on, "Well."], answer=echo), mode=mode) as at:
        at.slack.refuse(SESSION, "feature_not_enabled")
        question = at.ask("one")
        await at.slack.until(lambda: at.team.statuses)
        assert at.team.statuses[GENERAL, question.ts][0].text == "is thinking…"
        go_on.set()
        await at.answer(question)
        await at.slack.until(lambda: at.slack.called(STATUS)[-1].args["status"] == "")
        assert at.team.status(GENERAL, question.ts) == ""
        await at.answer(at.follow(question, "two"), 2)
        assert len(at.slack.called(SESSION, ok=False)) == 1


async def test_without_any_agent_surface_there_are_answers(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for method in (SESSION, STATUS, "assistant.threads.setSuggestedPrompts", "chat.startStream"):
            at.slack.refuse(method, "unknown_method")
        at.team.open_messages_tab(ALICE)
        for question in (at.tell("one"), at.ask("two")):
            assert "You said" in (await at.answer(question)).shown


@pytest.mark.parametrize("refused", [(), (SESSION,)], ids=["session", "status"])
@pytest.mark.parametrize("direct", [False, True], ids=["channel", "direct"])
async def test_what_a_crash_left_is_completed_and_its_status_taken_away(
    tmp_path: Path, mode: str, *, direct: bool, refused: tuple[str, ...]
) -> None:
    never = asyncio.Event()
    async with stage() as slack:
        for method in refused:
            slack.refuse(method, "unknown_method")
        async with bot_on(slack, tmp_path, ScriptedModel(["Well, ", never]), mode=mode) as at:
            question = at.tell("one") if direct else at.ask("one")
            left = await at.shows(question, "Well")
            await at.bot.kill()
        async with bot_on(slack, tmp_path, mode=mode) as at:
            assert "You said" in (await at.answer(question)).shown
            assert at.said(question) == [left]
            place = (question.channel, question.ts)
            method = STATUS if refused else SESSION
            await slack.until(lambda: slack.called(method)[-1].args["status"] in {"", "active"})
            assert slack.team.status(*place) == ""
            assert refused or slack.team.sessions[place].status == "active"


@pytest.mark.parametrize("refusal", [None, "stopped_by_user"])
@pytest.mark.parametrize("direct", [False, True], ids=["channel", "direct"])
async def test_slacks_own_stop_stops_the_answer(
    tmp_path: Path, mode: str, *, direct: bool, refusal: str | None
) -> None:
    never = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["Well, ", never]), mode=mode) as at:
        question = at.tell("one") if direct else at.ask("one")
        await at.shows(question, "Well")
        at.team.press_stop(ALICE, question.channel, question.ts, refusal=refusal)
        assert (await at.answer(question)).shown == "Well,\n\n*(stopped)*"
        await at.slack.until(lambda: at.team.sessions[question.channel, question.ts].status == "active")
        assert len(at.said(question)) == 1


async def test_slacks_own_stop_means_its_thread_only(tmp_path: Path, mode: str) -> None:
    never, go_on = asyncio.Event(), asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["One ", never], ["Two ", go_on, "too"]), mode=mode) as at:
        first = at.ask("one")
        await at.shows(first, "One")
        second = at.ask("two")
        await at.shows(second, "Two")
        at.team.press_stop(ALICE, GENERAL, first.ts)
        await at.answer(first)
        go_on.set()
        assert (await at.answer(second)).shown == "Two too"


async def test_prompts_are_suggested_when_the_messages_tab_is_opened(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        at.team.open_messages_tab(ALICE)
        (prompts,) = await at.slack.until(lambda: list(at.team.prompts.values()))
        assert 1 <= len(prompts) <= 4
        await at.answer(at.tell(prompts[0]["message"]))
        at.team.open_messages_tab(CAROL, tab="home")
        await at.slack.settled()
        assert list(at.team.prompts) == [at.team.dm(ALICE)]

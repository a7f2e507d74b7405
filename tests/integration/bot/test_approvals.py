"""A gadget that waits for somebody's word: the turn is paused, and goes on with what they decided, once."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.command_rights import Rights
from bot.errors import NotAllowed, UserError
from bot.models.model import ToolCall
from bot.platforms.platform import Author, ConversationKey
from bot.worker import CANCELLED, STOPPED
from tests.core import BOSS
from tests.fakes.stub_platform import ALICE, StubPlatform, message
from tests.pausing import BOB, CALL, CHIEF, HERE, NAMED, call, paused, running
from tests.waiting import until, until_found


async def test_nothing_happens_before_somebody_approves(tmp_path: Path) -> None:
    async with paused(tmp_path, ["Launched."]) as at:
        await until(lambda: at.core.engine.idle)
        assert at.core.calls == []
        assert len(at.model.requests) == 1
        (shown,) = at.channel.answers()
        assert "`launch`" in shown
        assert '{"target": "moon"}' in shown
        assert await at.decide()
        assert await at.closed("answered") == ["Launched."]
        assert [(name, arguments) for name, arguments, _ in at.core.calls] == [("launch", {"target": "moon"})]
        assert await at.verdicts() == ["approved"]
        assert (await at.rows("SELECT decided_by FROM approvals"))[0] == ("u1",)


async def test_a_declined_call_does_not_run_and_the_model_is_told(tmp_path: Path) -> None:
    async with paused(tmp_path, ["As you wish."]) as at:
        assert await at.decide("decline")
        assert await at.closed("answered") == ["As you wish."]
        assert at.core.calls == []
        assert "declined" in at.model.requests[-1].messages[-1].text


async def test_what_was_said_before_the_question_stands_above_it(tmp_path: Path) -> None:
    async with running(tmp_path, ["I begin.", CALL], ["Done."]) as at:
        await at.core.inbox.admit(message("go"))
        await at.waiting()
        assert at.channel.answers()[0].startswith("I begin.\n\nMay I use `launch`")
        await at.decide()
        assert await at.closed("answered") == ["I begin.\n\nDone."]


@pytest.mark.parametrize("pace", [0.0, float("inf")], ids=["growing", "finished-answers-only"])
async def test_the_question_is_seen_whatever_the_platforms_pace(tmp_path: Path, pace: float) -> None:
    async with paused(tmp_path, ["Done."], platform=StubPlatform(pace=pace)) as at:
        assert len(at.asked) == 1
        assert "`launch`" in at.channel.answers()[0]
        await at.decide()
        assert await at.closed("answered") == ["Done."]


@pytest.mark.parametrize("author", [CHIEF, NAMED], ids=["by-role", "by-settings"])
async def test_an_admin_may_decide(tmp_path: Path, author: Author) -> None:
    async with paused(tmp_path, ["Done."]) as at:
        assert await at.decide("approve", author)
        await at.closed("answered")
        assert len(at.core.calls) == 1


async def test_nobody_else_may_decide(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        for act in ("approve", "decline"):
            with pytest.raises(NotAllowed, match="Only who asked, or an admin"):
                await at.decide(act, BOB)
            with pytest.raises(NotAllowed):
                await at.command(act, BOB)
        assert await at.verdicts() == [None]
        assert at.core.calls == []


@pytest.mark.parametrize("key", [replace(HERE, workspace="w2"), replace(HERE, platform="other")])
async def test_the_same_id_in_another_workspace_is_somebody_else(tmp_path: Path, key: ConversationKey) -> None:
    async with paused(tmp_path) as at:
        for author in (ALICE, CHIEF):
            with pytest.raises(UserError, match="no such question"):
                await at.decide("approve", author, key)
        assert await at.verdicts() == [None]


async def test_a_question_that_was_never_asked_is_unknown(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        with pytest.raises(UserError, match="no such question"):
            await at.core.commands.decide(99, "approve", HERE, ALICE)


async def test_of_clicks_at_once_one_counts(tmp_path: Path) -> None:
    async with paused(tmp_path, ["Done."]) as at:
        asked = await at.waiting()
        acts: list[Any] = ["approve", "decline"] * 10
        decisions = await asyncio.gather(
            *(at.core.commands.decide(asked.id, act, HERE, author) for act in acts for author in (ALICE, NAMED))
        )
        assert [decision.counts for decision in decisions].count(True) == 1
        assert {decision.approval.verdict for decision in decisions} == {"approved"}
        await at.closed("answered")
        assert len(at.core.calls) == 1


async def test_a_click_after_the_answer_changes_nothing(tmp_path: Path) -> None:
    async with paused(tmp_path, ["Done."]) as at:
        asked = await at.waiting()
        await at.decide("decline")
        await at.closed("answered")
        late = await at.core.commands.decide(asked.id, "approve", HERE, ALICE)
        assert (late.counts, late.approval.verdict) == (False, "declined")
        assert at.core.calls == []


async def test_later_messages_wait_and_are_answered_in_order(tmp_path: Path) -> None:
    async with paused(tmp_path, ["Done."]) as at:
        for number, text in enumerate(("two", "three"), 2):
            await at.core.inbox.admit(message(text, number))
        await until(lambda: at.core.engine.idle)
        assert len(at.model.requests) == 1
        await at.decide()
        assert await at.closed("answered", "answered", "answered") == ["Done.", "You said: two", "You said: three"]


async def test_other_conversations_go_on(tmp_path: Path) -> None:
    async with paused(tmp_path, ["Elsewhere."]) as at:
        await at.core.inbox.admit(message("hello", thread="t2"))
        await until(lambda: len(at.channel.finals) == 1)
        assert at.channel.answers()[1] == "Elsewhere."


async def test_stop_ends_a_turn_that_is_paused(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        await at.core.inbox.admit(message("two", 2))
        asked = await at.waiting()
        assert "Stopping" in await at.command("stop")
        assert await at.closed("stopped", "answered") == [STOPPED, "You said: two"]
        assert (at.core.calls, await at.verdicts()) == ([], ["withdrawn"])
        assert not (await at.core.commands.decide(asked.id, "approve", HERE, ALICE)).counts


async def test_the_stop_button_ends_a_turn_that_is_paused(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        assert await at.core.commands.stop_turn((await at.waiting()).turn, HERE, BOB)
        await at.closed("stopped")


async def test_a_question_that_was_deleted_ends_its_pause(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        await at.core.inbox.withdraw("stub:t1:1")
        await at.closed("stopped")
        assert await at.verdicts() == ["withdrawn"]


async def test_ending_the_mission_ends_a_turn_that_is_paused(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        assert "ended" in await at.command("end")
        assert await at.closed("cancelled") == [CANCELLED]
        assert (at.core.calls, await at.verdicts()) == ([], ["withdrawn"])


async def test_calls_of_one_round_are_asked_for_one_after_another(tmp_path: Path) -> None:
    calls = [call("moon", 1), call("mars", 2), ToolCall("c3", "shout", {"text": "hey"})]
    async with running(tmp_path, calls, ["Done."]) as at:
        await at.core.inbox.admit(message("go"))
        assert "moon" in (await at.waiting()).arguments
        await at.decide()
        await until_found(at.waiting, lambda asked: asked.call == 1)
        assert "mars" in at.channel.answers()[0]
        await at.decide("decline")
        assert await at.closed("answered") == ["Done."]
        assert [name for name, _, _ in at.core.calls] == ["shout", "launch"]


async def test_the_mission_shows_what_it_waits_for(tmp_path: Path) -> None:
    async with paused(tmp_path, ["Done."]) as at:
        shown = await at.command("show")
        assert "May I use `launch` with this?" in shown
        assert "/mission approve" in shown
        assert await at.command("approve") == "Approved: I use `launch`."
        await at.closed("answered")
        assert "May I" not in await at.command("show")
        assert await at.command("approve") == "Nothing waits for your approval."


async def test_who_may_approve_is_a_setting(tmp_path: Path) -> None:
    rights = Rights({"stub": frozenset({BOSS})}, commands={"approve": "admin"})
    async with paused(tmp_path, ["Done."], rights=rights) as at:
        with pytest.raises(NotAllowed, match="Only admins may approve what gadgets do"):
            await at.decide("approve")
        assert await at.decide("approve", NAMED)
        await at.closed("answered")


async def test_an_admins_word_on_what_others_asked_is_in_the_audit_log(tmp_path: Path) -> None:
    async with paused(tmp_path, ["Done."]) as at:
        asked = await at.waiting()
        for author in (NAMED, NAMED, ALICE):
            await at.core.commands.decide(asked.id, "approve", HERE, author)
        found = await at.rows("SELECT actor, act, target FROM audit")
        assert found == [(f"stub:{BOSS}", "approve", f"turn {asked.turn}")]

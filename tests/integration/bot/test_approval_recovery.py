"""Pauses over restarts, expiries, and the failures of platforms: none is for ever, and none counts as a failure."""

from dataclasses import replace
from pathlib import Path

from bot.errors import PlatformError, PlatformGone
from bot.worker import CANCELLED
from storage import approvals, conversations
from storage.clock import utc_in
from storage.database import Connection
from tests.core import LIMITS, TURN_LIMITS
from tests.fakes.stub_platform import ALICE, StubPlatform, message
from tests.pausing import CALL, HERE, call, paused, running
from tests.waiting import until, until_found


async def test_an_answer_goes_on_without_what_nobody_approved_in_time(tmp_path: Path) -> None:
    async with running(tmp_path, [CALL], ["Without it."], seconds=0.05) as at:
        await at.core.inbox.admit(message("go"))
        assert await at.closed("answered") == ["Without it."]
        assert (at.core.calls, await at.verdicts()) == ([], ["expired"])
        assert "in time" in at.model.requests[-1].messages[-1].text


async def test_a_click_after_the_expiry_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, [CALL], ["Without it."], seconds=0.05) as at:
        await at.core.inbox.admit(message("go"))
        await at.closed("answered")
        late = await at.core.commands.decide(1, "approve", HERE, ALICE)
        assert (late.counts, late.approval.verdict) == (False, "expired")
        assert at.core.calls == []


async def test_a_mission_that_another_process_ended_is_closed_when_the_pause_is_over(tmp_path: Path) -> None:
    async with running(tmp_path, [CALL], seconds=1.0) as at:
        await at.core.inbox.admit(message("go"))
        asked = await at.waiting()
        await at.core.database.write(conversations.end, asked.conversation)
        assert await at.closed("cancelled") == [CANCELLED]


async def test_pauses_are_no_failed_attempts(tmp_path: Path) -> None:
    rounds = 4 * TURN_LIMITS.attempts
    scripts = [[call(f"target {number}")] for number in range(rounds)]
    limits = replace(TURN_LIMITS, attempts=2)
    many = replace(LIMITS, rounds=rounds + 1)
    async with running(tmp_path, *scripts, ["Done."], turn_limits=limits, limits=many) as at:
        await at.core.inbox.admit(message("go"))
        for number in range(rounds):
            # mypy infers no type for a lambda's default
            await until_found(at.waiting, lambda asked, n=number: f"target {n}" in asked.arguments)  # type: ignore[misc]
            await at.decide()
        assert await at.closed("answered") == ["Done."]
        assert len(at.core.calls) == rounds


async def test_a_question_is_decided_after_a_restart_and_the_gadget_runs_once(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        channel, asked = at.channel, await at.waiting()
    async with running(tmp_path, ["Done."], platform=StubPlatform(channel)) as at:
        await until(lambda: at.core.engine.idle)
        assert (at.model.requests, at.core.calls) == ([], [])
        decisions = [await at.core.commands.decide(asked.id, "approve", HERE, ALICE) for _ in range(3)]
        assert [decision.counts for decision in decisions] == [True, False, False]
        assert await at.closed("answered") == ["Done."]
        assert len(at.core.calls) == 1


async def test_a_decision_that_nobody_acted_on_before_the_end_is_acted_on_after_it(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        channel, asked = at.channel, await at.waiting()
        await until(lambda: at.core.engine.idle)
        await at.core.database.write(approvals.decide, asked.id, "approved", "u1", admin=False)
    async with running(tmp_path, ["Done."], platform=StubPlatform(channel)) as at:
        assert await at.closed("answered") == ["Done."]
        assert len(at.core.calls) == 1


async def test_what_expired_while_the_bot_was_away_is_answered_without_at_the_start(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        channel = at.channel
        await until(lambda: at.core.engine.idle)
        await at.core.database.write(_expire)
    async with running(tmp_path, ["Without it."], platform=StubPlatform(channel)) as at:
        assert await at.closed("answered") == ["Without it."]
        assert (at.core.calls, await at.verdicts()) == ([], ["expired"])


def _expire(connection: Connection) -> None:
    connection.execute("UPDATE approvals SET expires_at = :now", {"now": utc_in(-1)})


async def test_a_pause_expires_after_a_restart_as_well(tmp_path: Path) -> None:
    async with paused(tmp_path) as at:
        channel = at.channel
        await until(lambda: at.core.engine.idle)
        await at.core.database.write(_expire_soon)
    async with running(tmp_path, ["Without it."], platform=StubPlatform(channel)) as at:
        assert await at.closed("answered") == ["Without it."]


def _expire_soon(connection: Connection) -> None:
    connection.execute("UPDATE approvals SET expires_at = :soon", {"soon": utc_in(1)})


async def test_a_question_that_cannot_be_shown_at_once_is_shown_later(tmp_path: Path) -> None:
    platform = StubPlatform(pace=float("inf"))
    platform.channel.faults += [PlatformError("busy"), PlatformError("busy")]
    async with paused(tmp_path, ["Done."], platform=platform) as at:
        assert await at.decide()
        assert await at.closed("answered") == ["Done."]


async def test_where_nobody_can_be_asked_the_answer_goes_on_without(tmp_path: Path) -> None:
    platform = StubPlatform(pace=float("inf"))
    platform.channel.faults.append(PlatformGone("no such place"))
    async with running(tmp_path, [CALL], ["Without it."], platform=platform) as at:
        await at.core.inbox.admit(message("go"))
        assert await at.closed("answered") == ["Without it."]
        assert (at.core.calls, await at.verdicts()) == ([], ["expired"])


async def test_the_deadline_of_a_turn_does_not_run_while_it_is_paused(tmp_path: Path) -> None:
    limits = replace(TURN_LIMITS, seconds=0.5, approval_seconds=1.0)
    async with running(tmp_path, [CALL], ["Without it."], turn_limits=limits) as at:
        await at.core.inbox.admit(message("go"))
        assert await at.closed("answered") == ["Without it."]

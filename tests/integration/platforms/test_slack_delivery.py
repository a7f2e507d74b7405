"""What Slack delivers, however often and in whatever order: one turn per message, acknowledged once it is stored."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from bot.platforms.slack.intake import WAITING
from storage.database import Database
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.slack import ALICE, BOB, GENERAL, FakeSlack, Message
from tests.slack_scene import Scene, bot_on, scene, stage

PATIENCE = 0.3
"""Seconds after which the fake holds an acknowledgement to be late, instead of three."""


def hurry(slack: FakeSlack) -> None:
    """Slack's minutes pass in a third of a second, and its patience is as short."""
    slack.clock.speed = 200.0
    slack.socket_mode.ack_seconds = PATIENCE
    if slack.http is not None:
        slack.http.ack_seconds = PATIENCE


def acknowledged(message: Message) -> bool:
    return all(delivery.acknowledged for delivery in message.deliveries)


def attempts(message: Message) -> int:
    return sum(len(delivery.attempts) for delivery in message.deliveries)


def faulty() -> tuple[Callable[[Database], FailingDatabase], list[FailingDatabase]]:
    """For `wrap`, and the database that was made of it."""
    made: list[FailingDatabase] = []

    def wrap(database: Database) -> FailingDatabase:
        made.append(FailingDatabase(database))
        return made[-1]

    return wrap, made


@pytest.mark.parametrize("order", ["mention_first", "message_first"])
async def test_a_mention_that_comes_as_two_events_is_one_turn(
    tmp_path: Path, mode: str, order: Literal["mention_first", "message_first"]
) -> None:
    async with scene(tmp_path, mode=mode) as at:
        at.slack.hub.mention_order = order
        question = at.ask("one")
        await at.answer(question)
        await at.slack.settled()
        assert len(question.deliveries) == 2
        assert acknowledged(question)
        assert await at.stored() == ["one"]
        assert len(at.said(question)) == 1


async def test_repetitions_with_any_number_change_nothing(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        at.slack.dispatcher.duplicate_share = 1.0
        question, private = at.ask("one"), at.tell("two")
        await at.answer(question)
        await at.answer(private)
        for _ in range(12):
            for delivery in [*question.deliveries, *private.deliveries]:
                at.slack.redeliver(delivery)
            await at.slack.settled()
        assert max(a.number for a in question.deliveries[0].attempts) >= 12
        assert sorted(await at.stored()) == ["one", "two"]
        assert len(at.said(question)) == len(at.said(private)) == 1
        assert len(at.model.requests) == 2


async def test_repetitions_after_a_restart_change_nothing(tmp_path: Path, mode: str) -> None:
    async with stage() as slack:
        async with bot_on(slack, tmp_path, mode=mode) as at:
            question = at.ask("one")
            await at.answer(question)
        async with bot_on(slack, tmp_path, mode=mode) as at:
            for delivery in question.deliveries:
                slack.redeliver(delivery)
            await slack.settled()
            assert await at.stored() == ["one"]
            assert len(at.said(question)) == 1
            assert at.model.requests == []


async def test_an_edit_or_deletion_that_is_repeated_changes_nothing(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.tell("one")
        await at.answer(question)
        at.team.edit(question, "two")
        await at.slack.settled()
        for delivery in question.deliveries:
            at.slack.redeliver(delivery)
        await at.slack.settled()
        assert await at.stored() == ["one"]


async def test_what_cannot_be_stored_is_not_acknowledged_until_it_is(tmp_path: Path, mode: str) -> None:
    """Its author is told once, however often Slack repeats it, and answered once."""
    wrap, made = faulty()
    async with scene(tmp_path, mode=mode, wrap=wrap) as at:
        hurry(at.slack)
        made[0].failing = True
        question = at.ask("one")
        notice = await at.whispered(ALICE)
        assert notice.shown == WAITING
        assert notice.thread_ts == question.ts
        await at.slack.until(lambda: attempts(question) == 4)  # of both events, at once and once more
        assert not any(delivery.acknowledged for delivery in question.deliveries)
        made[0].failing = False
        await at.answer(question)
        await at.slack.settled()
        assert acknowledged(question)
        assert await at.stored() == ["one"]
        assert len(at.said(question)) == len(at.team.ephemerals(ALICE)) == 1


async def test_what_was_never_stored_is_repeated_to_the_next_process(tmp_path: Path, mode: str) -> None:
    wrap, made = faulty()
    async with stage() as slack:
        async with bot_on(slack, tmp_path, mode=mode, wrap=wrap) as at:
            hurry(slack)
            made[0].failing = True
            question = at.ask("one")
            await slack.until(lambda: attempts(question) == 4)
        async with bot_on(slack, tmp_path, mode=mode) as at:
            await at.answer(question)
            await slack.settled()
            assert await at.stored() == ["one"]


async def test_nobody_is_told_of_a_failing_database_who_did_not_talk_to_the_bot(tmp_path: Path, mode: str) -> None:
    wrap, made = faulty()
    async with scene(tmp_path, mode=mode, wrap=wrap) as at:
        talk = at.team.say(GENERAL, ALICE, "shall we have lunch?")
        made[0].failing = True
        at.follow(talk, "at noon")
        await at.slack.settled()
        assert at.team.ephemerals(ALICE) == []


async def test_messages_of_a_thread_keep_their_order_while_other_threads_go_on(tmp_path: Path, mode: str) -> None:
    """The first message after the question cannot be stored at once."""
    wrap, made = faulty()
    async with scene(tmp_path, mode=mode, wrap=wrap) as at:
        first = at.ask("0")
        await at.answer(first)
        made[0].failing = True
        for number in range(1, 6):
            at.follow(first, str(number))
        await at.whispered(ALICE)
        made[0].failing = False
        other = at.ask("of another thread", by=BOB)
        await at.answer(other)
        assert await at.stored() == ["0", "of another thread"]
        await at.answer(first, 6)
        assert (await at.stored())[2:] == list("12345")
        assert [m.shown.rpartition(": ")[2] for m in at.said(first)] == list("012345")


async def test_order_within_a_thread_survives_duplicates(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        at.slack.dispatcher.duplicate_share = 0.5
        first, private = at.ask("0"), at.tell("0")
        for number in range(1, 10):
            at.follow(first, str(number), by=BOB if number % 2 else ALICE)
            at.follow(private, str(number))
        await at.answer(first, 10)
        await at.answer(private, 10)
        for question in (first, private):
            assert [m.shown[-1] for m in at.said(question)] == list("0123456789")


def reconnected(slack: FakeSlack, hellos: int) -> bool:
    return slack.socket_mode.hellos > hellos


@pytest.mark.parametrize("how", ["refresh", "warn", "kick", "cut"])
async def test_a_socket_that_ends_is_replaced_and_nothing_is_lost_or_repeated(tmp_path: Path, how: str) -> None:
    async with scene(tmp_path) as at:
        questions = []
        for number in range(3):
            before = at.slack.socket_mode.hellos
            questions.append(at.ask(f"{number}, before"))
            await getattr(at.slack.socket_mode, how)()
            questions.append(at.ask(f"{number}, meanwhile"))
            await at.slack.until(partial(reconnected, at.slack, before))
        for question in questions:
            await at.answer(question)
        await at.slack.settled()
        assert all(map(acknowledged, questions))
        assert len(await at.stored()) == len(questions)
        assert [len(at.said(question)) for question in questions] == [1] * len(questions)


async def test_a_refreshed_socket_leaves_one_open(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.slack.socket_mode.warn()
        await at.slack.until(lambda: at.slack.socket_mode.hellos == 2)
        await at.slack.until(lambda: len(at.slack.socket_mode.sockets) == 1)
        await at.answered("one")


async def test_what_was_said_while_no_socket_was_open_is_answered(tmp_path: Path) -> None:
    async with stage() as slack:
        async with bot_on(slack, tmp_path) as at:
            first = at.ask("0")
            await at.answer(first)
        for number in range(1, 4):
            at.follow(first, str(number))
        private = at.tell("in private")
        async with bot_on(slack, tmp_path) as at:
            await at.answer(first, 4)
            await at.answer(private)
            assert [m.shown[-1] for m in at.said(first)] == list("0123")
            assert sorted(await at.stored()) == ["0", "1", "2", "3", "in private"]


async def test_workspaces_with_equal_channels_and_people_stay_apart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    """An app that is installed twice hears of both. A bot answers for the workspace of its token only."""
    async with stage() as slack:
        away = slack.add_team("T1AWAY", "away")
        async with bot_on(slack, tmp_path, mode=mode) as at:
            question = at.ask("at home")
            await at.answer(question)
            foreign = away.say(GENERAL, ALICE, f"{away.mention} {slack.team.mention} away")
            away.say(away.dm(ALICE), ALICE, "away, in private")
            ended = away.slash(ALICE, GENERAL, "/mission", "end")
            await slack.settled()
            await at.answer(at.follow(question, "still at home?"), 2)
            assert await at.stored() == ["at home", "still at home?"]
            assert (ended.posts, away.by_bot(GENERAL), away.by_bot(away.dm(ALICE))) == ([], [], [])
        async with bot_on(slack, tmp_path, ScriptedModel(answer=echo), mode=mode, team=away) as there:
            listed = await there.mission("list")
            assert "at home" not in str(listed.shown)
            for delivery in foreign.deliveries:
                slack.redeliver(delivery)
            assert (await slack.until(lambda: away.by_bot(GENERAL, foreign.ts)))[0].shown
            assert len(slack.team.by_bot(GENERAL)) == 2
    told = "the app is installed in T1AWAY, too; this bot is that of T0HOME"
    assert [record.message for record in caplog.records].count(told) == 1


async def turns_of(at: Scene) -> list[str]:
    return [str(key) for key in await at.stored("event_key")]


async def test_event_keys_carry_the_workspace(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        question = at.ask("one")
        await at.answer(question)
        assert await turns_of(at) == [f"slack:T0HOME:{GENERAL}:{question.ts}"]

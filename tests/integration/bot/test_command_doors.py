"""Stopping one answer and having one made again: what the buttons on an answer do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.errors import NotAllowed, UserError
from bot.platforms.platform import Author, ConversationKey, Inbound
from storage import conversations
from storage.database import Connection
from tests.core import BOSS, Core, running_core
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.stub_platform import StubPlatform
from tests.waiting import until, until_found

HERE = ConversationKey("stub", "w", "c", "t")
NEXT_DOOR = ConversationKey("stub", "w", "c2", "")
ELSEWHERE = ConversationKey("stub", "w2", "c", "t")
ALICE, BOB = Author("u1", "Alice"), Author("u2", "Bob")
CHIEF = Author("u3", "Tanner", admin=True)
NAMED = Author(BOSS, "M")


@dataclass(slots=True)
class Answered:
    """A core with one answered question of Alice."""

    core: Core[StubPlatform]
    model: ScriptedModel
    turn: int

    async def again(self, key: ConversationKey = HERE, author: Author = ALICE, event: str = "stub:again:1") -> None:
        await self.core.commands.again(self.turn, event, key, author)

    async def column(self, name: str) -> list[Any]:
        return await self.core.database.read(_column, name)

    async def settled(self, *statuses: str) -> None:
        await until_found(lambda: self.column("status"), lambda found: found == list(statuses))


def _column(connection: Connection, name: str) -> list[Any]:
    return [value for (value,) in connection.execute(f"SELECT {name} FROM turns ORDER BY id").fetchall()]


def asked(event: str, text: str = "hello") -> Inbound:
    return Inbound(HERE, ALICE, text, event)


@pytest.fixture
async def answered(tmp_path: Path) -> AsyncIterator[Answered]:
    model = ScriptedModel(answer=echo)
    async with running_core(tmp_path / "db", model) as core:
        admitted = await core.inbox.admit(asked("stub:1"))
        opened = Answered(core, model, admitted.turn)
        await opened.settled("answered")
        yield opened


async def test_an_answer_is_made_again(answered: Answered) -> None:
    await answered.again()
    await answered.settled("answered", "answered")
    assert await answered.column("user_message") == ["hello", "hello"]
    assert [message.text for message in answered.model.requests[-1].messages[1:]] == ["hello"]


async def test_the_same_event_makes_it_again_once(answered: Answered) -> None:
    await answered.again()
    await answered.again()
    await answered.settled("answered", "answered")


@pytest.mark.parametrize("author", [CHIEF, NAMED])
@pytest.mark.parametrize("key", [HERE, NEXT_DOOR])
async def test_an_admin_may_have_it_made_again(answered: Answered, key: ConversationKey, author: Author) -> None:
    await answered.again(key, author)
    await answered.settled("answered", "answered")


async def test_others_may_not_have_it_made_again(answered: Answered) -> None:
    with pytest.raises(NotAllowed, match="Only who asked"):
        await answered.again(author=BOB)
    assert await answered.column("status") == ["answered"]


@pytest.mark.parametrize("author", [ALICE, BOB, CHIEF, NAMED])
async def test_nobody_acts_on_an_answer_from_another_workspace(answered: Answered, author: Author) -> None:
    commands = answered.core.commands
    for act in (
        answered.again(ELSEWHERE, author),
        commands.stop_turn(answered.turn, ELSEWHERE, author),
        commands.rate(answered.turn, 1, ELSEWHERE, author),
    ):
        with pytest.raises(UserError, match="I know no such answer"):
            await act
    assert await answered.column("rating") == [None]


async def test_an_earlier_answer_is_not_made_again(answered: Answered) -> None:
    await answered.core.inbox.admit(asked("stub:2", "two"))
    await answered.settled("answered", "answered")
    with pytest.raises(UserError, match="Only the latest answer"):
        await answered.again()


async def test_in_an_ended_mission_nothing_is_made_again(answered: Answered) -> None:
    (number,) = await answered.column("conversation")
    await answered.core.database.write(conversations.end, number)
    with pytest.raises(UserError, match="Only the latest answer of an active mission"):
        await answered.again()


async def test_an_answer_that_never_was_is_unknown(answered: Answered) -> None:
    with pytest.raises(UserError, match="I know no such answer"):
        await answered.core.commands.stop_turn(answered.turn + 1, HERE, ALICE)


async def test_a_complete_answer_is_not_stopped(answered: Answered) -> None:
    assert not await answered.core.commands.stop_turn(answered.turn, HERE, ALICE)


async def test_from_another_channel_only_admins_stop_an_answer(tmp_path: Path) -> None:
    model = ScriptedModel(["The eagle has landed. ", asyncio.Event()])
    async with running_core(tmp_path / "db", model) as core:
        admitted = await core.inbox.admit(asked("stub:1"))
        await until(lambda: model.requests)
        for author in (ALICE, BOB):
            with pytest.raises(UserError, match="I know no such answer"):
                await core.commands.stop_turn(admitted.turn, NEXT_DOOR, author)
        assert await core.commands.stop_turn(admitted.turn, NEXT_DOOR, CHIEF)
        await until_found(lambda: core.database.read(_column, "status"), lambda found: found == ["stopped"])


async def test_whoever_is_there_stops_an_answer(tmp_path: Path) -> None:
    model = ScriptedModel(["The eagle has landed. ", asyncio.Event()])
    async with running_core(tmp_path / "db", model) as core:
        admitted = await core.inbox.admit(asked("stub:1"))
        await until(lambda: model.requests)
        assert await core.commands.stop_turn(admitted.turn, HERE, BOB)
        await until_found(lambda: core.database.read(_column, "status"), lambda found: found == ["stopped"])


async def test_stopping_a_waiting_answer_leaves_the_running_one_alone(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    model = ScriptedModel(["The eagle has landed. ", go_on, "More."], answer=echo)
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(asked("stub:1"))
        await until(lambda: model.requests)
        waiting = await core.inbox.admit(asked("stub:2"))
        assert await core.commands.stop_turn(waiting.turn, HERE, ALICE)
        go_on.set()
        await until_found(lambda: core.database.read(_column, "status"), lambda found: found == ["answered", "stopped"])

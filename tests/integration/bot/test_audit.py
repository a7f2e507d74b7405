"""The audit log of the /mission commands: who used power over what is not theirs, and took out what."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.errors import NotAllowed, UserError
from bot.platforms.platform import Author, ConversationKey
from storage import audit
from storage.audit import Act
from storage.conversations import Conversation
from storage.database import Connection
from storage.errors import StorageError
from tests.missions import NAMED_ADMIN, OTHER, OWNER, ROLE_ADMIN, Missions, at, missions

HERE, NEXT_DOOR = at("c"), at("c2")
Deed = Callable[[Missions, Conversation, ConversationKey, Author], Awaitable[object]]


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Missions]:
    async with missions(tmp_path) as opened:
        yield opened


async def acts(core: Missions) -> list[Act]:
    return [each.act for each in await core.database.read(audit.recent, limit=99)]


async def end(core: Missions, mission: Conversation, key: ConversationKey, author: Author) -> object:
    return await core.run("end", key, author, id=mission.id)


async def stop(core: Missions, mission: Conversation, key: ConversationKey, author: Author) -> object:
    return await core.run("stop", key, author, id=mission.id)


async def show(core: Missions, mission: Conversation, key: ConversationKey, author: Author) -> object:
    return await core.run("show", key, author, id=mission.id)


async def stop_turn(core: Missions, mission: Conversation, key: ConversationKey, author: Author) -> object:
    return await core.commands.stop_turn(await _last_turn(core), key, author)


async def new(core: Missions, mission: Conversation, key: ConversationKey, author: Author) -> object:
    return await core.run("new", HERE, author)


async def _last_turn(core: Missions) -> int:
    return await core.database.read(_newest)


def _newest(connection: Connection) -> int:
    (turn,) = connection.execute("SELECT max(id) FROM turns").fetchone()
    return int(turn)


DEEDS: dict[str, tuple[Deed, str]] = {
    "end": (end, "end"),
    "stop": (stop, "stop"),
    "show": (show, "show"),
    "stop one answer": (stop_turn, "stop"),
    "begin anew in its place": (new, "end"),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_an_admin_does_to_others_is_recorded_with_who_what_and_whose(core: Missions, deed: str) -> None:
    mission = await core.begin(HERE, "private", open_turn=True)
    does, act = DEEDS[deed]
    await does(core, mission, NEXT_DOOR, NAMED_ADMIN)
    [recorded] = await acts(core)
    assert (recorded.act, recorded.actor) == (act, audit.Actor("stub:boss", "M", "admin"))
    assert recorded.target in {mission.id, f"turn {await _last_turn(core)}"}


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_people_do_to_what_is_theirs_is_not_recorded(core: Missions, deed: str) -> None:
    mission = await core.begin(HERE, "private", open_turn=True)
    await DEEDS[deed][0](core, mission, HERE, OWNER)
    assert await acts(core) == []


@pytest.mark.parametrize("deed", ["end", "stop", "show", "stop one answer"])
async def test_what_is_refused_is_not_recorded(core: Missions, deed: str) -> None:
    mission = await core.begin(HERE, "private", open_turn=True)
    with pytest.raises(UserError):
        await DEEDS[deed][0](core, mission, NEXT_DOOR, OTHER)
    assert await acts(core) == []


@pytest.mark.parametrize("deed", ["end", "stop", "stop one answer"])
async def test_what_changes_nothing_is_not_recorded(core: Missions, deed: str) -> None:
    mission = await core.begin(HERE, "private")
    await core.run("end", HERE, id=mission.id)
    await DEEDS[deed][0](core, mission, HERE, NAMED_ADMIN)
    assert await acts(core) == []


async def test_what_everybody_in_a_channel_sees_is_shown_without_a_record(core: Missions) -> None:
    mission = await core.begin(HERE, "hello")
    await core.run("show", HERE, OTHER, id=mission.id)
    assert await acts(core) == []


async def test_having_anothers_question_answered_again_is_recorded_once(core: Missions) -> None:
    await core.begin(HERE, "hello")
    turn = await _last_turn(core)
    for _ in range(2):
        await core.commands.again(turn, "stub:again", HERE, ROLE_ADMIN)
    [recorded] = await acts(core)
    assert (recorded.act, recorded.target, recorded.actor.id) == ("regenerate", f"turn {turn}", "stub:u3")


async def test_every_export_is_recorded_with_what_was_taken_out(core: Missions) -> None:
    mission = await core.begin(HERE, "one", "two")
    for wanted in (mission.id, "all"):
        answer = await core.run("export", HERE, NAMED_ADMIN, id=wanted, format="jsonl")
        assert answer.file is not None
        answer.file.close()
    everything, one = await acts(core)
    assert (one.act, one.target) == ("export", mission.id)
    assert everything.target == "all"
    assert everything.details == {"format": "jsonl", "workspace": "w", "turns": 2}


async def test_an_export_that_is_refused_is_not_recorded(core: Missions) -> None:
    mission = await core.begin(HERE, "one")
    with pytest.raises(NotAllowed):
        await core.run("export", HERE, OTHER, id=mission.id)
    assert await acts(core) == []


async def test_an_export_that_cannot_be_recorded_is_not_handed_out(core: Missions) -> None:
    mission = await core.begin(HERE, "one")
    await core.database.write(_without_audit)
    with pytest.raises(StorageError):
        await core.run("export", HERE, NAMED_ADMIN, id=mission.id)
    assert [file for file in core.files.rglob("*") if file.is_file() and file.name != ".lock"] == []


@pytest.mark.parametrize("deed", ["end", "stop", "stop one answer", "begin anew in its place"])
async def test_what_cannot_be_recorded_is_not_done(core: Missions, deed: str) -> None:
    mission = await core.begin(HERE, "private", open_turn=True)
    before = await core.rows()
    await core.database.write(_without_audit)
    with pytest.raises(StorageError):
        await DEEDS[deed][0](core, mission, HERE, NAMED_ADMIN)
    assert await core.rows() == before


def _without_audit(connection: Connection) -> None:
    connection.execute("DROP TABLE audit")


async def test_names_are_recorded_without_what_could_deceive_a_reader(core: Missions) -> None:
    mission = await core.begin(HERE, "private")
    await core.run("end", HERE, Author("boss", "M\n2026 \x1b[31mroot", admin=True), id=mission.id)
    [recorded] = await acts(core)
    assert "\n" not in recorded.actor.name
    assert "\x1b" not in recorded.actor.name

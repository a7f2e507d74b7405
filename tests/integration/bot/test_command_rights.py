"""Who may see and change whose missions: for every command and door, every kind of person."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.command_specs import COMMANDS
from bot.commands import Invocation
from bot.errors import NotAllowed, UserError
from bot.platforms.platform import Author, ConversationKey
from storage import records
from storage.conversations import Conversation
from tests.missions import NAMED_ADMIN, OTHER, OWNER, ROLE_ADMIN, Missions, at, missions


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Missions]:
    async with missions(tmp_path) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Asker:
    author: Author
    key: ConversationKey


IN_WORKSPACE = {
    "owner": Asker(OWNER, at("c")),
    "owner in another channel": Asker(OWNER, at("c2")),
    "owner in another workspace": Asker(OWNER, at("c", workspace="w2")),
    "owner in a direct message": Asker(OWNER, at("dm1", workspace="")),
    "other there": Asker(OTHER, at("c")),
    "other in another channel": Asker(OTHER, at("c2")),
    "other in another workspace": Asker(OTHER, at("c", workspace="w2")),
    "named admin there": Asker(NAMED_ADMIN, at("c")),
    "named admin in another channel": Asker(NAMED_ADMIN, at("c2")),
    "named admin in another workspace": Asker(NAMED_ADMIN, at("c", workspace="w2")),
    "named admin's id on another platform": Asker(NAMED_ADMIN, at("c", platform="other")),
    "role admin there": Asker(ROLE_ADMIN, at("c")),
    "role admin in another channel": Asker(ROLE_ADMIN, at("c2")),
    "role admin of another workspace": Asker(ROLE_ADMIN, at("c", workspace="w2")),
    "role admin in a direct message": Asker(ROLE_ADMIN, at("dm3", workspace="")),
}
"""Those who ask about a mission of OWNER in channel c of workspace w."""
IN_DIRECT_MESSAGE = {
    "owner": Asker(OWNER, at("dm1", workspace="")),
    "owner in a workspace": Asker(OWNER, at("c")),
    "other in their own": Asker(OTHER, at("dm2", workspace="")),
    "named admin in their own": Asker(NAMED_ADMIN, at("dm4", workspace="")),
    "named admin in a workspace": Asker(NAMED_ADMIN, at("c")),
    "role admin in their own": Asker(ROLE_ADMIN, at("dm3", workspace="")),
    "role admin in a workspace": Asker(ROLE_ADMIN, at("c")),
}
"""Those who ask about a mission of OWNER in their direct messages, dm1."""

Act = Callable[[Missions, Conversation, Asker], Awaitable[bool]]


async def show(core: Missions, mission: Conversation, asker: Asker) -> bool:
    return "re: private" in (await core.run("show", asker.key, asker.author, id=mission.id)).text


async def list_(core: Missions, mission: Conversation, asker: Asker) -> bool:
    answer = await core.run("list", asker.key, asker.author)
    listed = mission.number in {each.number for each in answer.conversations}
    assert listed == (mission.id in answer.text)
    return listed


async def end(core: Missions, mission: Conversation, asker: Asker) -> bool:
    await core.run("end", asker.key, asker.author, id=mission.id)
    return (await core.now(mission)).status == "completed"


async def endable(core: Missions, mission: Conversation, asker: Asker) -> bool:
    asked = Invocation("end", {"id": mission.id}, asker.key, asker.author)
    return (await core.commands.endable(asked)).number == mission.number


async def end_door(core: Missions, mission: Conversation, asker: Asker) -> bool:
    return await core.commands.end(mission, asker.key, asker.author)


async def stop(core: Missions, mission: Conversation, asker: Asker) -> bool:
    return (await core.run("stop", asker.key, asker.author, id=mission.id)).text == "Stopping."


async def stop_door(core: Missions, mission: Conversation, asker: Asker) -> bool:
    return await core.commands.stop(mission, asker.key, asker.author)


async def rate(core: Missions, mission: Conversation, asker: Asker) -> bool:
    first, *_ = await core.database.read(records.transcript, mission.number, limit=9)
    await core.commands.rate(first.id, 1, asker.key, asker.author)
    rated, *_ = await core.database.read(records.transcript, mission.number, limit=9)
    return rated.rating == 1


async def export(core: Missions, mission: Conversation, asker: Asker) -> bool:
    return await exported(core, asker, mission.id, mission)


async def export_all(core: Missions, mission: Conversation, asker: Asker) -> bool:
    return await exported(core, asker, "all", mission)


async def exported(core: Missions, asker: Asker, wanted: str, mission: Conversation) -> bool:
    answer = await core.run("export", asker.key, asker.author, id=wanted)
    assert answer.file is not None
    async with answer.file as file:
        return mission.id in file.path.read_text("utf-8")


async def export_door(core: Missions, mission: Conversation, asker: Asker) -> bool:
    (await core.commands.export(mission, "json", asker.key, asker.author)).file.close()
    return True


async def complete(core: Missions, mission: Conversation, asker: Asker) -> bool:
    (argument,) = next(spec.arguments for spec in COMMANDS if spec.name == "end")
    offers = await core.commands.complete(argument, mission.id, asker.key, asker.author)
    return mission.id in {value for _, value in offers}


SEEING = {
    "owner", "owner in another channel", "other there", "named admin there", "named admin in another channel",
    "role admin there", "role admin in another channel",
}  # fmt: skip
ADMINS = {who for who in SEEING if "admin" in who}
CHANGING = SEEING - {"other there"}
ACTS: dict[str, tuple[Act, set[str]]] = {
    "show": (show, SEEING),
    "complete": (complete, SEEING),
    "stop": (stop, SEEING),
    "stop door": (stop_door, SEEING),
    "rate": (rate, SEEING - {"owner in another channel"}),
    "end": (end, CHANGING),
    "end door": (end_door, CHANGING),
    "endable": (endable, CHANGING),
    "list": (list_, {"owner", "owner in another channel"}),
    "export": (export, ADMINS),
    "export all": (export_all, ADMINS),
    "export door": (export_door, ADMINS),
}
DIRECT: dict[str, set[str]] = {name: {"owner", "named admin in their own"} for name in ACTS} | {
    "list": {"owner"},
    "export": {"named admin in their own"},
    "export all": {"named admin in their own"},
    "export door": {"named admin in their own"},
}


async def allowed(core: Missions, act: Act, where: ConversationKey, askers: dict[str, Asker]) -> set[str]:
    """Who could; each tries it on a mission of its own, in a thread of its own. Who could not has changed nothing."""
    able = set()
    for number, (who, asker) in enumerate(askers.items()):
        mission = await core.begin(replace(where, thread=f"t{number}"), "private", open_turn=True)
        before = await core.rows()
        try:
            done = await act(core, mission, asker)
        except UserError:
            done = False
        if done:
            able.add(who)
        else:
            assert await core.rows() == before, who
    return able


@pytest.mark.parametrize("name", ACTS)
async def test_in_a_workspace_nobody_can_more_than_they_may(core: Missions, name: str) -> None:
    act, expected = ACTS[name]
    assert await allowed(core, act, at("c"), IN_WORKSPACE) == expected


@pytest.mark.parametrize("name", ACTS)
async def test_a_direct_message_is_for_its_owner_and_for_those_the_settings_name(core: Missions, name: str) -> None:
    act, _ = ACTS[name]
    assert await allowed(core, act, at("dm1", workspace=""), IN_DIRECT_MESSAGE) == DIRECT[name]


@pytest.mark.parametrize(
    ("author", "may"), [(OWNER, True), (NAMED_ADMIN, True), (ROLE_ADMIN, True), (OTHER, False)], ids=str
)
async def test_a_fresh_mission_ends_only_what_the_asker_may_end(core: Missions, author: Author, may: bool) -> None:
    mission = await core.begin(at("c", "t"), "private", open_turn=True)
    before = await core.rows()
    if may:
        await core.run("new", at("c", "t"), author)
        assert (await core.now(mission)).status == "completed"
    else:
        with pytest.raises(NotAllowed, match=f"`{mission.id}` is active here, and it is not yours"):
            await core.run("new", at("c", "t"), author)
        assert await core.rows() == before


async def test_the_role_of_one_workspace_exports_nothing_of_another(core: Missions) -> None:
    mine, theirs = await core.begin(at("c"), "mine"), await core.begin(at("c", workspace="w2"), "theirs")
    direct = await core.begin(at("dm1", workspace=""), "direct")
    answer = await core.run("export", at("c2"), ROLE_ADMIN, id="all")
    assert answer.file is not None
    async with answer.file as file:
        text = file.path.read_text("utf-8")
    assert (mine.id in text, theirs.id in text, direct.id in text) == (True, False, False)


async def test_export_is_refused_before_anything_is_looked_up(core: Missions) -> None:
    for arguments in ({"id": "nothere"}, {"id": "all", "format": "nonsense"}, {}):
        with pytest.raises(NotAllowed, match="Only admins may export"):
            await core.run("export", at("c"), OTHER, **arguments)
    assert list(core.files.iterdir()) == []


async def test_another_workspace_does_not_tell_whether_an_id_is_there(core: Missions) -> None:
    mission = await core.begin(at("c"), "private")
    answers = set()
    for wanted in (mission.id, mission.id[:4], "nothere"):
        with pytest.raises(UserError) as refused:
            await core.run("show", at("c", workspace="w2"), NAMED_ADMIN, id=wanted)
        answers.add(str(refused.value))
    assert len(answers) == 1


def test_those_the_platform_calls_admins_and_those_the_settings_name_are_admins(core: Missions) -> None:
    told = {author.id: core.commands.is_admin("stub", author) for author in (NAMED_ADMIN, ROLE_ADMIN, OWNER)}
    assert told == {NAMED_ADMIN.id: True, ROLE_ADMIN.id: True, OWNER.id: False}
    assert not core.commands.is_admin("other", NAMED_ADMIN)

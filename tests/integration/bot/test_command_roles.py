"""Commands that are not for everyone: refused on every path that does what they do, before anything is done."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.command_specs import COMMANDS
from bot.commands import Invocation
from bot.errors import NotAllowed
from bot.platforms.platform import Author
from gadgets.roles import Role
from storage.conversations import Conversation
from tests.missions import NAMED_ADMIN, OTHER, OWNER, Missions, at, missions

RESTRICTABLE = [spec.name for spec in COMMANDS if spec.name != "help"]
HERE = at("c", "t")
MEMBER, OPERATOR = (Author(OWNER.id, OWNER.name, role=role) for role in ("member", "operator"))
"""The owner, with a role that the platform gives."""


async def exported(core: Missions, mission: Conversation | None, author: Author) -> None:
    done = await core.commands.export(mission, "json", HERE, author)
    async with done.file:
        pass


Door = Callable[[Missions, Conversation, Author], Awaitable[object]]
DOORS: dict[str, tuple[str, Door]] = {
    "start": ("new", lambda core, _, author: core.commands.start(HERE, author)),
    "end": ("end", lambda core, mission, author: core.commands.end(mission, HERE, author)),
    "endable": (
        "end",
        lambda core, mission, author: core.commands.endable(Invocation("end", {"id": mission.id}, HERE, author)),
    ),
    "stop": ("stop", lambda core, mission, author: core.commands.stop(mission, HERE, author)),
    "stop_turn": ("stop", lambda core, _, author: core.commands.stop_turn(1, HERE, author)),
    "export": ("export", exported),
}


@pytest.mark.parametrize("name", RESTRICTABLE)
async def test_a_command_for_operators_is_refused_to_its_own_missions_owner(tmp_path: Path, name: str) -> None:
    async with missions(tmp_path, commands={name: "operator"}) as core:
        mission = await core.begin(HERE, "hello", open_turn=True)
        before = await core.rows()
        for author in (OWNER, MEMBER):
            with pytest.raises(NotAllowed, match="Only operators and those above them may"):
                await core.run(name, HERE, author, **({"id": mission.id} if name in {"show", "end"} else {}))
        assert await core.rows() == before


@pytest.mark.parametrize("name", RESTRICTABLE)
@pytest.mark.parametrize("author", [OPERATOR, NAMED_ADMIN], ids=["operator", "admin"])
async def test_it_is_carried_out_for_operators_and_admins(tmp_path: Path, name: str, author: Author) -> None:
    async with missions(tmp_path, commands={name: "operator"}) as core:
        await core.begin(HERE, "hello", open_turn=True)
        answer = await core.run(name, HERE, author)
        if answer.file is not None:
            async with answer.file:
                pass


@pytest.mark.parametrize("door", DOORS)
async def test_the_doors_behind_the_commands_are_closed_as_well(tmp_path: Path, door: str) -> None:
    name, opened = DOORS[door]
    async with missions(tmp_path, commands={name: "member"}) as core:
        mission = await core.begin(HERE, "hello", open_turn=True)
        before = await core.rows()
        with pytest.raises(NotAllowed, match="Only members and those above them may"):
            await opened(core, mission, OWNER)
        assert await core.rows() == before
        await opened(core, mission, MEMBER)


async def test_all_missions_are_exported_for_admins_only_whoever_may_export(tmp_path: Path) -> None:
    async with missions(tmp_path, commands={"export": "everyone"}) as core:
        mission = await core.begin(HERE, "hello")
        await exported(core, mission, OWNER)
        for author in (OWNER, OPERATOR, OTHER):
            with pytest.raises(NotAllowed, match="export everybody's missions"):
                await exported(core, None, author)
        await exported(core, None, NAMED_ADMIN)


async def test_who_may_export_exports_only_what_they_may_see(tmp_path: Path) -> None:
    async with missions(tmp_path, commands={"export": "everyone"}) as core:
        hidden = await core.begin(at("other channel"), "hello")
        with pytest.raises(NotAllowed):
            await exported(core, hidden, OTHER)


@pytest.mark.parametrize(
    ("role", "missing"), [("everyone", {"new", "end", "export"}), ("member", {"end", "export"}), ("admin", set())]
)
async def test_help_tells_of_what_the_asker_may_use(tmp_path: Path, role: Role, missing: set[str]) -> None:
    async with missions(tmp_path, commands={"new": "member", "end": "admin"}) as core:
        text = (await core.run("help", HERE, Author("u1", "Alice", role=role))).text
    told = {spec.name for spec in COMMANDS if f"`{spec.usage}`" in text}
    assert {spec.name for spec in COMMANDS} - told == missing

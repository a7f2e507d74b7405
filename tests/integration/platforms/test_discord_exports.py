"""/mission export in the fake Discord: which files, and for whom."""

import json
from pathlib import Path

import pytest

from tests.discord_scene import Stage, bot_on, scene, stage
from tests.fakes.discord import P, User

REFUSED = "Only admins may export missions."


def made_admin(set_: Stage, user: User) -> None:
    role = set_.discord.make_role(set_.guild, "admins", P.ADMINISTRATOR)
    set_.discord.join(set_.guild, user, role)


@pytest.mark.parametrize(
    ("format_", "ending", "begins"),
    [
        ("json", ".json", "{"),
        ("jsonl", ".jsonl", "{"),
        ("markdown", ".md", "#"),
        ("html", ".html", "<!DOCTYPE html>"),
        ("csv", ".csv", "\ufeffconversation_id"),
        ("finetune", ".finetune.jsonl", '{"messages":['),
    ],
)
async def test_an_admin_of_the_settings_gets_a_mission_as_a_file(
    tmp_path: Path, format_: str, ending: str, begins: str
) -> None:
    async with stage() as set_, bot_on(set_, tmp_path, admins=[set_.bob]) as at:
        thread = (await at.answered("one")).channel
        answer = await at.mission(at.bob, thread, "export", format=format_)
        (file,) = answer.attachments
        (mission,) = await at.bot.core.commands.listing(at.place(), limit=5)
        assert (answer.ephemeral, file.filename) == (True, f"mission-{mission.id}{ending}")
        text = file.data.decode()
        assert text.lstrip().startswith(begins)
        assert "You said: Alice: one" in text


async def test_all_missions_are_those_of_this_server(tmp_path: Path) -> None:
    async with stage() as set_:
        other = set_.discord.make_guild("Elsewhere")
        set_.discord.join(other, set_.alice)
        lobby = set_.discord.make_text_channel(other, "lobby")
        async with bot_on(set_, tmp_path, admins=[set_.bob]) as at:
            await at.answered("here")
            await at.answered("elsewhere", channel=lobby)
            answer = await at.mission(at.bob, at.general, "export", id="all", format="json")
            (file,) = answer.attachments
            assert file.filename == "missions.json"
            assert "Alice: here" in file.data.decode()
            assert "elsewhere" not in file.data.decode()
            assert json.loads(file.data)


async def test_administrators_of_the_server_may_export(tmp_path: Path) -> None:
    async with stage() as set_:
        made_admin(set_, set_.bob)
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
            assert (await at.mission(at.bob, thread, "export")).attachments


async def test_the_owner_of_the_server_may_export(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        assert (await at.mission(at.guild.owner, thread, "export")).attachments


async def test_administrators_of_another_server_may_not_export(tmp_path: Path) -> None:
    async with stage() as set_:
        made_admin(set_, set_.bob)
        other = set_.discord.make_guild("Elsewhere")
        lobby = set_.discord.make_text_channel(other, "lobby")
        for person in (set_.alice, set_.bob):
            set_.discord.join(other, person)
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one", channel=lobby)).channel
            for place in (thread, lobby, at.discord.dm(at.bob)):
                answer = await at.mission(at.bob, place, "export", id="all")
                assert (answer.content, answer.attachments) == (REFUSED, [])


async def test_the_owner_of_a_mission_is_no_admin(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        for options in ({}, {"id": "all"}, {"format": "markdown"}):
            answer = await at.mission(at.alice, thread, "export", **options)
            assert (answer.content, answer.attachments) == (REFUSED, [])


async def test_an_admin_whom_the_lists_deny_may_not_export(tmp_path: Path) -> None:
    async with stage() as set_, bot_on(set_, tmp_path, admins=[set_.bob], deny_users=[str(set_.bob.id)]) as at:
        thread = (await at.answered("one")).channel
        assert (await at.mission(at.bob, thread, "export")).content == "You may not use me here."

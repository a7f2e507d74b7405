"""Roles on the platforms: what Discord's roles stand for, and commands that are not for everyone."""

from pathlib import Path

from bot.command_rights import Rights
from tests.discord_scene import Stage, bot_on, scene, stage
from tests.fakes.discord import P, User
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.slack import ALICE, BOB, GENERAL
from tests.slack_scene import scene as slack_scene
from tests.web import Browser, running_site


def with_role(set_: Stage, user: User, name: str) -> str:
    """The id of a role in the server, which the user has from now on."""
    role = set_.discord.make_role(set_.guild, name, P(0))
    set_.discord.join(set_.guild, user, role)
    return str(role.id)


async def test_discords_roles_stand_for_roles_in_their_server(tmp_path: Path) -> None:
    async with stage() as set_:
        q_branch, agents = with_role(set_, set_.alice, "q branch"), with_role(set_, set_.bob, "agents")
        other = set_.discord.make_guild("Elsewhere")
        set_.discord.join(other, set_.alice)
        lobby = set_.discord.make_text_channel(other, "lobby")
        async with bot_on(set_, tmp_path, operator_roles=[q_branch], member_roles=[agents]) as at:
            await at.answered("one")
            await at.answered("two", by=at.bob)
            await at.answered("three", channel=lobby)
            assert await at.stored("role") == ["operator", "member", "everyone"]


async def test_without_settings_discords_roles_stand_for_nothing(tmp_path: Path) -> None:
    async with stage() as set_:
        with_role(set_, set_.alice, "admins")
        async with bot_on(set_, tmp_path) as at:
            await at.answered("one")
            assert await at.stored("role") == ["everyone"]


async def test_a_message_that_was_missed_has_its_authors_role(tmp_path: Path) -> None:
    async with stage() as set_:
        agents = with_role(set_, set_.alice, "agents")
        async with bot_on(set_, tmp_path, member_roles=[agents]) as at:
            await at.answered("before")
        question = set_.ask("while it was away")
        async with bot_on(set_, tmp_path, member_roles=[agents]) as at:
            await at.answer(await at.thread_of(question))
            assert await at.stored("role") == ["member", "member"]


async def test_in_discord_a_refused_command_leaves_no_thread(tmp_path: Path) -> None:
    async with scene(tmp_path, rights=Rights({}, commands={"new": "member"})) as at:
        told = await at.mission(at.alice, at.general, "new")
        assert told.content == "Only members and those above them may begin missions."
        assert at.discord.messages(at.general) == []


async def test_in_slack_a_refused_command_leaves_no_message(tmp_path: Path) -> None:
    rights = Rights({}, members={"slack": frozenset({BOB})}, commands={"new": "member"})
    async with slack_scene(tmp_path, rights=rights) as at:
        refused = await at.mission("new", by=ALICE)
        assert refused.shown == ["Only members and those above them may begin missions."]
        assert at.team.by_bot(GENERAL) == []
        await at.mission("new", by=BOB)
        assert len(at.team.by_bot(GENERAL)) == 1


async def test_on_the_page_commands_are_refused_too(tmp_path: Path) -> None:
    commands = ("new", "show", "end", "stop", "list")
    rights = Rights({}, commands=dict.fromkeys(commands, "operator"))
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(answer=echo), rights=rights) as site,
        Browser(site.url) as browser,
        browser.connect() as page,
    ):
        mission = (await page.ask("hello"))["conversation_id"]
        for kind, deed in [
            ("end_conversation", "end missions"),
            ("stop", "stop answers"),
            ("get_conversations", "look at missions"),
            ("new", "begin missions"),
        ]:
            await page.send(kind, **({} if kind == "new" else {"conversation_id": mission}))
            assert (await page.get("error"))["text"] == f"Only operators and those above them may {deed}."
        await page.send("get_conversations")
        listed = await page.get("conversations")
        assert listed["conversations"] == []
        assert listed["agents"]

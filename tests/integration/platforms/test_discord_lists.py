"""Whom the bot answers where: bots, webhooks, and the allow and deny lists of the settings."""

from pathlib import Path

from tests.discord_scene import bot_on, scene, stage
from tests.fakes.discord.state import Kind


async def test_other_bots_and_webhooks_are_not_answered(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        robot = at.discord.make_user("robot", at.guild, bot=True)
        at.ask("I am a bot", by=robot)
        at.discord.hook(at.general, "news", f"{at.me} something happened")
        await at.answered("I am none")
        assert await at.stored() == ["I am none"]


async def test_other_bots_and_webhooks_are_answered_where_the_settings_say_so(tmp_path: Path) -> None:
    async with scene(tmp_path, answer_bots=True) as at:
        robot = at.discord.make_user("robot", at.guild, bot=True)
        await at.answered("I am a bot", by=robot)
        hooked = at.discord.hook(at.general, "news", f"{at.me} something happened")
        await at.answer(await at.thread_of(hooked))
        assert await at.stored() == ["I am a bot", "something happened"]


async def test_people_of_the_deny_list_are_not_answered_anywhere(tmp_path: Path) -> None:
    async with stage() as set_, bot_on(set_, tmp_path, deny_users=[str(set_.bob.id)]) as at:
        at.ask("let me in", by=at.bob)
        await at.answered("me too")
        at.discord.say(at.discord.dm(at.bob), at.bob, "in private?")
        at.discord.say(at.discord.dm(at.alice), at.alice, "in private")
        await at.answer(at.discord.dm(at.alice))
        assert await at.stored() == ["me too", "in private"]


async def test_a_channel_of_a_denied_category_and_its_threads_are_silent(tmp_path: Path) -> None:
    async with stage() as set_:
        category = set_.discord.world.add_channel(set_.guild, Kind.CATEGORY, "quiet")
        library = set_.discord.world.add_channel(set_.guild, Kind.TEXT, "library", parent=category)
        thread = set_.discord.make_thread(library, set_.alice, "whispers")
        async with bot_on(set_, tmp_path, deny_channels=[str(category.id)]) as at:
            at.ask("one", channel=library)
            at.ask("two", channel=thread)
            await at.answered("three")
            assert await at.stored() == ["three"]


async def test_without_a_role_that_is_allowed_nobody_is_answered(tmp_path: Path) -> None:
    async with stage() as set_:
        role = set_.discord.make_role(set_.guild, "agents")
        set_.discord.join(set_.guild, set_.alice, role)
        async with bot_on(set_, tmp_path, allow_roles=[str(role.id)]) as at:
            at.ask("one", by=at.bob)
            await at.answered("two")
            assert await at.stored() == ["two"]


async def test_only_servers_of_the_allow_list_are_answered(tmp_path: Path) -> None:
    async with stage() as set_:
        other = set_.discord.make_guild("Elsewhere")
        set_.discord.join(other, set_.alice)
        lobby = set_.discord.make_text_channel(other, "lobby")
        async with bot_on(set_, tmp_path, allow_guilds=[str(set_.guild.id)]) as at:
            at.ask("one", channel=lobby)
            await at.answered("two")
            assert await at.stored() == ["two"]


async def test_direct_messages_can_be_switched_off(tmp_path: Path) -> None:
    async with scene(tmp_path, direct_messages=False) as at:
        at.discord.say(at.discord.dm(at.alice), at.alice, "one")
        await at.answered("two")
        assert await at.stored() == ["two"]

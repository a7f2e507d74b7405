"""Slash commands, completions and buttons of the fake Discord, as the unmodified discord.py finds them."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
from discord import app_commands

from tests.discord_client import Recorder, all_intents, connected
from tests.fakes.discord import Channel, FakeDiscord, User

Shown = discord.Interaction[Any]


class Missions(app_commands.Group):
    """What to do with a command is queued by the test."""

    def __init__(self) -> None:
        super().__init__(name="mission", description="Missions")
        self.waiting: asyncio.Queue[Shown] = asyncio.Queue()

    @app_commands.command(description="Show a mission")
    async def show(self, interaction: Shown, id: str) -> None:  # noqa: A002 - the option's name
        self.waiting.put_nowait(interaction)

    @show.autocomplete("id")
    async def ids(self, interaction: Shown, current: str) -> list[app_commands.Choice[str]]:
        return [
            app_commands.Choice(name=f"Mission {each}", value=each) for each in ("ab1", "ab2", "c") if current in each
        ]

    async def next(self) -> Shown:
        return await asyncio.wait_for(self.waiting.get(), 10)


class Stop(discord.ui.Button[discord.ui.View]):
    def __init__(self, pressed: asyncio.Queue[Shown]) -> None:
        super().__init__(label="Stop", custom_id="stop:7")
        self._pressed = pressed

    async def callback(self, interaction: Shown) -> None:
        self._pressed.put_nowait(interaction)


@asynccontextmanager
async def commanded(fake: FakeDiscord) -> AsyncIterator[tuple[Missions, Channel, User, Recorder]]:
    guild = fake.make_guild("HQ")
    channel, alice = fake.make_text_channel(guild, "general"), fake.make_user("alice", guild)
    client, missions = Recorder(all_intents()), Missions()
    client.tree.add_command(missions)
    async with connected(fake, client=client):
        await client.tree.sync()
        yield missions, channel, alice, client


async def test_commands_are_synchronised_and_only_new_ones_count() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (_, _, _, client):
        (first,) = await client.tree.fetch_commands()
        await client.tree.sync()
        (second,) = await client.tree.fetch_commands()
        assert (first.name, first.id, fake.commands.creates, fake.commands.writes) == ("mission", second.id, 1, 2)


async def test_a_command_is_answered_for_one_pair_of_eyes() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (missions, channel, alice, _):
        shown = fake.slash(alice, channel, "mission", "show", id="ab1")
        interaction = await missions.next()
        assert (interaction.user.id, interaction.namespace.id) == (alice.id, "ab1")
        await interaction.response.send_message("mission ab1", ephemeral=True)
        await interaction.followup.send("more", ephemeral=True, file=discord.File(io.BytesIO(b"log"), "log.json"))
        answer, more = await shown.answer(), await shown.followup()
        assert (answer.content, answer.ephemeral, fake.messages(channel)) == ("mission ab1", True, [])
        assert more.attachments[0].data == b"log"
        await interaction.edit_original_response(content="changed")
        assert answer.contents == ["mission ab1", "changed"]
        assert (await interaction.original_response()).content == "changed"


async def test_thinking_is_replaced_by_the_answer() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (missions, channel, alice, _):
        shown = fake.slash(alice, channel, "mission", "show", id="ab1")
        interaction = await missions.next()
        await interaction.response.defer(ephemeral=True, thinking=True)
        assert shown.loading
        await interaction.followup.send("done")
        assert (await shown.answer()).content == "done"
        assert shown.followups == []


async def test_an_interaction_dies_after_three_seconds() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (missions, channel, alice, _):
        fake.slash(alice, channel, "mission", "show", id="ab1")
        interaction = await missions.next()
        fake.advance(3.1)
        with pytest.raises(discord.NotFound) as caught:
            await interaction.response.send_message("late")
    assert caught.value.code == 10062


async def test_an_interaction_is_acknowledged_once() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (missions, channel, alice, _):
        shown = fake.slash(alice, channel, "mission", "show", id="ab1")
        interaction = await missions.next()
        shown.callback = 4
        with pytest.raises(discord.HTTPException) as caught:
            await interaction.response.send_message("again")
    assert (caught.value.status, caught.value.code) == (400, 40060)


async def test_its_token_dies_after_fifteen_minutes() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (missions, channel, alice, _):
        fake.slash(alice, channel, "mission", "show", id="ab1")
        interaction = await missions.next()
        await interaction.response.send_message("in time")
        fake.advance(901)
        with pytest.raises(discord.HTTPException) as caught:
            await interaction.edit_original_response(content="late")
    assert (caught.value.status, caught.value.code) == (401, 50027)


async def test_options_are_completed() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (_, channel, alice, _):
        assert await fake.autocomplete(alice, channel, "mission", "show", id="ab") == ["ab1", "ab2"]


async def test_a_command_works_in_a_dm() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (missions, _, alice, _):
        shown = fake.slash(alice, fake.dm(alice), "mission", "show", id="ab1")
        await (await missions.next()).response.send_message("private")
        assert (await shown.answer()).content == "private"


async def test_what_nobody_could_type_fails_the_test() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (_, channel, alice, _):
        for path in [("nothing",), ("mission",), ("mission", "show")]:
            with pytest.raises(AssertionError):
                fake.slash(alice, channel, *path)
        with pytest.raises(AssertionError, match="no option"):
            fake.slash(alice, channel, "mission", "show", id="1", colour="red")


async def test_a_button_is_pressed_and_its_message_changes() -> None:
    async with FakeDiscord.running() as fake, commanded(fake) as (_, channel, alice, client):
        view = discord.ui.View(timeout=None)
        pressed: asyncio.Queue[Shown] = asyncio.Queue()
        view.add_item(Stop(pressed))
        there = client.get_channel(channel.id)
        assert isinstance(there, discord.TextChannel)
        await there.send("running", view=view)
        (message,) = fake.messages(channel)
        shown = fake.click(alice, message, "stop:7")
        await (await pressed.get()).response.edit_message(content="stopped", view=None)
        await shown.acknowledged()
        assert (message.content, message.buttons) == ("stopped", {})
        with pytest.raises(AssertionError, match="no button"):
            fake.click(alice, message, "stop:7")

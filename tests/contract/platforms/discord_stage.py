"""Discord's part: a server with two channels and its people, or their direct messages."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bot.app import AttachedPlatform
from bot.command_specs import COMMANDS
from bot.platforms.discord.platform import DiscordPlatform
from bot.platforms.discord_text import LIMIT
from bot.platforms.files import FileLimits
from storage.database import Database
from tests.contract.platforms.stage import ADMIN, ALICE, PEOPLE, Can, Place, Said, Told, Trouble, View
from tests.discord import PACE, WAITS, settings_for
from tests.discord_scene import unsafe
from tests.fakes.discord import Channel, FakeDiscord, Interaction, Message
from tests.waiting import until

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"
FORGETS_NONCES = 600
"""Seconds."""
_STATUS = re.compile(r"(?:\A|\n)-# (.*)\Z")
_FAULTS: Mapping[Trouble, Mapping[str, Any]] = {
    Trouble.LIMITED: {"status": 429, "retry_after": 0.05},
    Trouble.BROKEN: {"status": 503},
    Trouble.DROPPED: {"status": None},
    Trouble.LOST: {"status": None, "after_effect": True},
}


class DiscordStage:
    """A place is a thread, which opens with its first question; or somebody's direct messages (`direct`)."""

    limit: int | None = LIMIT

    def __init__(self, discord: FakeDiscord, *, direct: bool) -> None:
        self.name = "Discord in private" if direct else "Discord"
        alone = {Can.SHARE_PLACES: "direct messages are between the bot and one person"}
        self.cannot: Mapping[Can, str] = alone if direct else {}
        self._discord = discord
        self._direct = direct
        guild = discord.make_guild("HQ")
        self._people = {name: discord.make_user(name, guild) for name in PEOPLE}
        self._general = discord.make_text_channel(guild, "general")
        self._elsewhere = discord.make_text_channel(guild, "elsewhere")
        self._settings = settings_for(discord)
        self.max_parts = self._settings.max_parts

    # The bot.

    def admins(self) -> list[str]:
        return [str(self._people[ADMIN].id)]

    def platform(self, database: Database) -> AttachedPlatform:
        return DiscordPlatform(self._settings, database, FileLimits(), pace=PACE, waits=WAITS)

    async def serve(self, platform: AttachedPlatform) -> None:
        await platform.run()

    async def ready(self) -> None:
        await self._discord.connected()

    # What people do.

    async def place(self, by: str = ALICE, *, elsewhere: bool = False) -> Place:
        if self._direct:
            return Place(by, here=str(self._discord.dm(self._people[by]).id))
        return Place(by, here=str((self._elsewhere if elsewhere else self._general).id))

    async def say(self, place: Place, text: str, by: str | None = None) -> Said:
        who = self._people[by or place.by]
        if self._direct or place.thread:
            thread = await self._opened(place)
            return Said(place, text, self._discord.say(thread, who, text))
        channel = self._discord.world.channels[int(place.here)]
        question = self._discord.say(channel, who, f"{self._discord.bot.mention} {text}")
        place.thread = str(question.id)
        return Said(place, text, question)

    async def repeat(self, said: Said) -> None:
        """What is said after it in another place is answered after it."""
        assert isinstance(said.event, Message)
        self._discord.redeliver(said.event)
        other = self._discord.make_user("somebody else", self._general.guild) if self._general.guild else None
        assert other is not None
        question = self._discord.say(self._general, other, f"{self._discord.bot.mention} are you there?")
        await until(lambda: question.id in self._discord.world.channels)
        thread = self._discord.world.channels[question.id]
        await until(lambda: any(_is_complete(each) for each in thread.messages.values()))

    async def after_crash(self, said: Said) -> None:
        """Nothing: the bot reads what it missed."""

    async def stop(self, place: Place) -> None:
        message = self._said_in(place)[-1]
        button = next(name for name in message.buttons if name.endswith(":stop"))
        await self._discord.click(self._people[place.by], message, button).acknowledged()

    async def decide(self, place: Place, act: str, by: str | None = None) -> str:
        message = next(each for each in self._said_in(place) if _asks(each))
        button = next(name for name in message.buttons if name.endswith(f":{act}"))
        told = await self._discord.click(self._people[by or place.by], message, button).followup()
        assert told.ephemeral
        return told.content

    async def command(self, place: Place, line: str, by: str | None = None) -> Told:
        name, *values = line.split()
        spec = next(spec for spec in COMMANDS if spec.name == name)
        options = {argument.name: value for argument, value in zip(spec.arguments, values, strict=False)}
        channel, who = await self._opened(place), self._people[by or place.by]
        await until(lambda: self._discord.commands.all(None))
        interaction = self._discord.slash(who, channel, "mission", name, **options)
        answer = await interaction.answer()
        if confirm := [button for button in answer.buttons if button.startswith("mission:end")]:
            asked = answer.content
            await self._discord.click(who, answer, confirm[0]).acknowledged()
            await until(lambda: answer.content != asked)
        return _told(interaction, answer)

    # What people see.

    def views(self, place: Place) -> list[View]:
        return [_view(message) for message in self._said_in(place)]

    def harm(self) -> list[str]:
        return unsafe(self._discord)

    # What befalls it.

    def fail(self, place: Place, operation: str, trouble: Trouble) -> None:
        method, route = ("POST", MESSAGES) if operation == "post" else ("PATCH", MESSAGE)
        self._discord.fail_next(method, route, **_FAULTS[trouble])

    def lose(self, place: Place) -> None:
        """Somebody deletes the thread, or shuts the bot out of their direct messages."""
        if not self._direct:
            self._discord.delete_channel(self._discord.world.channels[int(place.thread)])
            return
        self._people[place.by].accepts_dms = False
        for message in self._said_in(place):
            self._discord.delete(message)

    def forget_keys(self) -> None:
        self._discord.advance(FORGETS_NONCES)

    async def _opened(self, place: Place) -> Channel:
        number = int(place.thread or place.here)
        await until(lambda: number in self._discord.world.channels)
        return self._discord.world.channels[number]

    def _said_in(self, place: Place) -> list[Message]:
        if not self._direct and not place.thread:
            return []
        channel = self._discord.world.channels.get(int(place.thread or place.here))
        return self._discord.messages(channel, by=self._discord.bot) if channel else []


def _view(message: Message) -> View:
    status = _STATUS.search(message.content)
    text = message.content[: status.start()] if status else message.content
    working = any(name.endswith(":stop") for name in message.buttons)
    files = [file.data for file in message.attachments]
    return View(text, status[1] if status else "", working, _is_complete(message), files, _asks(message))


def _asks(message: Message) -> bool:
    return any(name.startswith("approval:") for name in message.buttons)


def _is_complete(message: Message) -> bool:
    return any(name.endswith(":up") for name in message.buttons)


def _told(interaction: Interaction, answer: Message) -> Told:
    messages = [answer, *(each for each in interaction.followups if each is not answer)]
    assert all(message.ephemeral for message in messages)
    text = "\n".join(message.content for message in messages)
    return Told(text, tuple(file.data for message in messages for file in message.attachments))


@asynccontextmanager
async def discord_stage(*, direct: bool) -> AsyncIterator[DiscordStage]:
    async with FakeDiscord.running() as discord:
        yield DiscordStage(discord, direct=direct)

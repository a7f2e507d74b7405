"""A server with a channel and two people in the fake Discord, and the real bot in it: where Discord tests begin."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.models.model import UserMessage
from storage.conversations import Place
from storage.database import Connection
from tests.discord import Bot, running_bot
from tests.fakes.discord import Channel, FakeDiscord, Guild, Interaction, Message, User
from tests.fakes.discord.state import SUPPRESS_EMBEDS
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.waiting import until_found


@dataclass(slots=True)
class Stage:
    """Before the bot comes: what a test prepares."""

    discord: FakeDiscord
    guild: Guild
    general: Channel
    alice: User
    bob: User

    @property
    def me(self) -> str:
        """How people mention the bot."""
        return self.discord.bot.mention

    def ask(self, text: str, *, by: User | None = None, channel: Channel | None = None, **more: Any) -> Message:
        """A message that mentions the bot, by Alice in #general unless told."""
        return self.discord.say(channel or self.general, by or self.alice, f"{self.me} {text}", **more)

    async def thread_of(self, question: Message) -> Channel:
        await self.discord.wait_for(lambda: question.id in self.discord.world.channels)
        return self.discord.world.channels[question.id]

    async def answers(self, channel: Channel, count: int = 1) -> list[Message]:
        """What the bot said in a channel, as soon as so many of its answers are complete."""
        await self.discord.wait_for(lambda: len(self._complete(channel)) >= count)
        return self.discord.messages(channel, by=self.discord.bot)

    def _complete(self, channel: Channel) -> list[Message]:
        said = self.discord.messages(channel, by=self.discord.bot)
        return [message for message in said if any(name.endswith(":up") for name in message.buttons)]

    async def answer(self, channel: Channel, count: int = 1) -> Message:
        """The last of its messages there, when so many answers are complete."""
        return (await self.answers(channel, count))[-1]

    async def answered(self, text: str, **more: Any) -> Message:
        """Ask in a channel; the complete answer in the thread that the question opens."""
        return await self.answer(await self.thread_of(self.ask(text, **more)))


@dataclass(slots=True)
class Scene(Stage):
    model: ScriptedModel
    bot: Bot

    def heard(self, number: int = -1) -> UserMessage:
        """The last message of one of the model's requests: the question as it reaches the model."""
        message = self.model.requests[number].messages[-1]
        assert isinstance(message, UserMessage)
        return message

    def place(self) -> Place:
        """Of all missions in the server."""
        return Place("discord", str(self.guild.id))

    async def stored(self, column: str = "user_message") -> list[Any]:
        """A column of all turns."""
        return await self.bot.core.database.read(_column, column)

    async def until_stored(self, column: str, *values: Any) -> None:
        await until_found(lambda: self.stored(column), lambda found: found == list(values))

    async def slash(self, user: User, channel: Channel, /, *path: str, **options: Any) -> Interaction:
        """A /mission command, as soon as it is declared."""
        await self.discord.wait_for(lambda: self.discord.commands.all(None))
        return self.discord.slash(user, channel, "mission", *path, **options)

    async def mission(self, user: User, channel: Channel, /, *path: str, **options: Any) -> Message:
        """The answer to a /mission command."""
        return await (await self.slash(user, channel, *path, **options)).answer()

    def press(self, user: User, message: Message, what: str) -> Interaction:
        """Click a button: stop, up, down, again; list, show, end, keep."""
        found = [name for name in message.buttons if what in name.split(":")[1:3]]
        assert found, f"there is no button {what}; there are {list(message.buttons)}"
        return self.discord.click(user, message, found[0])

    async def turned(self, user: User, message: Message, what: str) -> None:
        """Press, and wait until the message says something else."""
        before = message.content
        self.press(user, message, what)
        await self.discord.wait_for(lambda: message.content != before)


def _column(connection: Connection, column: str) -> list[Any]:
    return [value for (value,) in connection.execute(f"SELECT {column} FROM turns ORDER BY id").fetchall()]


def said(at: Stage, channel: Channel) -> list[str]:
    return [each.content for each in at.discord.messages(channel, by=at.discord.bot)]


def told(*texts: str) -> list[str]:
    """What the bot says in a server to these questions of Alice's."""
    return [f"You said: Alice: {text}" for text in texts]


def other_guild(at: Stage, shards: int) -> Channel:
    """A channel of a server that is not on the first server's shard, if there are two."""
    for number in range(100):
        guild = at.discord.make_guild(f"Elsewhere {number}")
        if shards == 1 or (guild.id >> 22) % shards != (at.guild.id >> 22) % shards:
            at.discord.join(guild, at.alice)
            return at.discord.make_text_channel(guild, "other")
        at.discord.advance(0.001)
    raise AssertionError


def halting() -> tuple[ScriptedModel, asyncio.Event]:
    """A model whose first answer stops in the middle until the event is set."""
    go_on = asyncio.Event()
    return ScriptedModel(["First ", go_on, "then the rest."], answer=echo), go_on


async def begun(at: Stage, channel: Channel) -> Message:
    """The answer that stopped in the middle, with its first words."""
    await at.discord.wait_for(lambda: any("First" in each.content for each in at.discord.messages(channel)))
    return at.discord.messages(channel, by=at.discord.bot)[-1]


@asynccontextmanager
async def stage(**options: Any) -> AsyncIterator[Stage]:
    """`options` are the fake's. At the end nobody has been pinged, and no link has been given a preview."""
    async with FakeDiscord.running(**options) as discord:
        guild = discord.make_guild("HQ")
        alice, bob = discord.make_user("alice", guild), discord.make_user("bob", guild)
        yield Stage(discord, guild, discord.make_text_channel(guild, "general"), alice, bob)
        found = unsafe(discord)
        assert not found, "\n".join(found)


@asynccontextmanager
async def bot_on(set_: Stage, path: Path, model: ScriptedModel | None = None, **settings: Any) -> AsyncIterator[Scene]:
    """The bot comes; `settings` are those of [discord], and those of `running_bot`."""
    brain = model or ScriptedModel(answer=echo)
    async with running_bot(path / "bot.db", set_.discord, brain, **settings) as bot:
        yield Scene(set_.discord, set_.guild, set_.general, set_.alice, set_.bob, brain, bot)


@asynccontextmanager
async def scene(path: Path, model: ScriptedModel | None = None, **settings: Any) -> AsyncIterator[Scene]:
    """Stage and bot in one."""
    async with stage() as set_, bot_on(set_, path, model, **settings) as opened:
        yield opened


def unsafe(discord: FakeDiscord) -> list[str]:
    """What the bot wrote so that it could ping somebody, or show a preview of a link."""
    found = []
    for request in discord.rest.requests:
        body = request.body if isinstance(request.body, dict) else {}
        if "content" in body and not _pings_nobody(body):
            found.append(f"{request.method} {request.route} may ping: {body}")
    return found + [
        f"may show a preview: {said.content}" for said in _said(discord) if not said.flags & SUPPRESS_EMBEDS
    ]


def _said(discord: FakeDiscord) -> Iterator[Message]:
    """Every message of the bot with a text, those for one pair of eyes, too."""
    for channel in discord.world.channels.values():
        yield from discord.messages(channel, by=discord.bot)
    for interaction in discord.interactions.values():
        own = [interaction.message] if interaction.message and interaction.message is not interaction.source else []
        yield from (message for message in [*own, *interaction.followups] if message.content)


def _pings_nobody(body: Mapping[str, Any]) -> bool:
    allowed = body.get("allowed_mentions") or {}
    return allowed.get("parse") == [] and not any(allowed.get(kind) for kind in ("users", "roles", "replied_user"))

"""The unmodified discord.py, pointed at the fake Discord."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes.discord import FakeDiscord


class Recorder(discord.AutoShardedClient):
    """Keeps what it is told. `happened` names events in order: ready, resumed, message…"""

    def __init__(self, intents: discord.Intents, **options: Any) -> None:
        super().__init__(intents=intents, guild_ready_timeout=0.05, **options)
        self.tree = discord.app_commands.CommandTree(self)
        self.received: asyncio.Queue[discord.Message] = asyncio.Queue()
        self.happened: list[str] = []
        self.is_up = asyncio.Event()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.happened.append(event)
        super().dispatch(event, *args, **kwargs)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """discord.py would wait 5 s between two shards."""

    async def on_ready(self) -> None:
        self.is_up.set()

    async def on_message(self, message: discord.Message) -> None:
        self.received.put_nowait(message)

    async def next_message(self) -> discord.Message:
        return await asyncio.wait_for(self.received.get(), 10)

    async def seen_channel(self, number: int) -> discord.TextChannel:
        channel = self.get_channel(number)
        assert isinstance(channel, discord.TextChannel)
        return channel


def all_intents() -> discord.Intents:
    """What the bot asks for: no members, no presences."""
    intents = discord.Intents.default()
    intents.message_content = True
    return intents


@asynccontextmanager
async def pointed_at(fake: FakeDiscord) -> AsyncIterator[None]:
    """The addresses of discord.py are its classes' attributes: REST, and the gateway of a session that begins anew."""
    rest, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = fake.api_url, yarl.URL(fake.gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = rest, gateway


@asynccontextmanager
async def connected(
    fake: FakeDiscord, *, intents: discord.Intents | None = None, client: Recorder | None = None, **options: Any
) -> AsyncIterator[Recorder]:
    """A client that is ready; closed at the end."""
    async with pointed_at(fake), client or Recorder(intents or all_intents(), **options) as running:
        task = asyncio.create_task(running.start(fake.token))
        up = asyncio.create_task(running.is_up.wait())
        await asyncio.wait({task, up}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        try:
            if task.done():
                await task
            assert running.is_up.is_set()
            yield running
        finally:
            await running.close()
            await asyncio.gather(task, return_exceptions=True)

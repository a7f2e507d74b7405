"""One connection to Discord: its client, what it takes in, how far it has read."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import aiohttp
import discord

from bot.inbox import Inbox
from bot.platforms.discord import wire
from bot.platforms.discord.access import Access
from bot.platforms.discord.catch_up import CatchUp
from bot.platforms.discord.client import BotClient
from bot.platforms.discord.declared import declare
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.interactions import Interactions
from bot.platforms.discord.progress import Held
from bot.platforms.discord.waits import Waits
from bot.platforms.files import FileLimits
from bot.settings.sections import Discord
from storage.database import Database

_log = logging.getLogger(__name__)


class Connection:
    """`async with` closes it in order. `served` tells whether it was ever ready."""

    def __init__(
        self,
        settings: Discord,
        database: Database,
        inbox: Inbox,
        interactions: Interactions,
        access: Access,
        files: FileLimits,
        logged_in: Callable[[discord.AutoShardedClient], None],
        *,
        message_content: bool,
        waits: Waits,
        trace: aiohttp.TraceConfig | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._inbox = inbox
        self._access = access
        self._files = files
        self._logged_in = logged_in
        self._waits = waits
        self._held = Held()
        self._beginnings: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = AsyncExitStack()
        self._client = BotClient(
            settings, self, interactions, message_content=message_content, waits=waits, trace=trace
        )
        self.served = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._waits.close):
                await self._client.close()
        for task in [self._serving, *self._tasks]:
            task.cancel()
        await asyncio.wait([self._serving, *self._tasks])
        await self._closing.aclose()
        await wire.close_rest(self._client)
        await self._client.http.close()

    async def serve(self, token: str) -> None:
        """Until the connection is lost for good. Raises what discord.py raises."""
        self._serving = asyncio.create_task(self._client.start(token))
        await asyncio.wait([self._serving])  # being cancelled is our own affair: discord.py swallows it now and then
        self._serving.result()

    # What the client tells.

    async def logged_in(self) -> None:
        client, settings = self._client, self._settings
        assert client.user is not None
        self._intake = Intake(client.user, self._inbox, self._database, self._access, self._files)
        self._catch_up = CatchUp(client, self._database, self._intake, settings)
        self._closing.push_async_callback(self._catch_up.close)
        self._closing.push_async_callback(self._intake.close)
        await self._catch_up.begin()
        _log.info("Discord: logged in as %s", client.user.name)
        self._logged_in(client)
        self._spawn(self._declare())
        self._spawn(self._catch_up.keep_remembering())

    def said(self, message: discord.Message) -> None:
        self._hear(message.guild, lambda: self._intake.said(message))

    def edited(self, message: discord.Message) -> None:
        self._hear(message.guild, lambda: self._intake.edited(message))

    def deleted(self, guild: int | None, channel: int, message: int) -> None:
        known = self._client.get_guild(guild) if guild is not None else None
        self._hear(known, lambda: self._intake.deleted(channel, message))

    def shard_begun(self, shard: int) -> None:
        """A new session: what comes now comes after what was missed before it."""
        self._held.hold(shard)
        if beginning := self._beginnings.get(shard):
            beginning.cancel()

    def shard_lost(self, shard: int) -> None:
        self._catch_up.lost(shard)

    def shard_regained(self, shard: int) -> None:
        self._catch_up.regained(shard)

    def shard_ready(self, shard: int) -> None:
        if self._client.is_closed():
            return  # discord.py tells it some seconds late
        self.served = True
        _log.info("Discord: connected (shard %d), %d servers", shard, len(self._client.guilds))
        guilds = [guild for guild in self._client.guilds if guild.shard_id == shard]
        beginning = self._catch_up.shard(shard, guilds, lambda: self._held.release(shard))
        self._beginnings[shard] = self._spawn(beginning)

    def guild_lost(self, guild: int) -> None:
        self._catch_up.guild_lost(guild)

    def guild_regained(self, guild: discord.Guild) -> None:
        """Also told of every server at the beginning of a session."""
        if self._catch_up.misses(guild.id):
            self._held.hold(guild.id)
            self._spawn(self._catch_up.guild_regained(guild, lambda: self._held.release(guild.id)))

    def guild_left(self, guild: int) -> None:
        self._catch_up.guild_left(guild)

    async def _declare(self) -> None:
        assert self._client.application_id is not None
        with wire.logged_errors("declaring the commands"):
            await declare(self._client.http, self._client.application_id)

    def _hear(self, guild: discord.Guild | None, event: Callable[[], None]) -> None:
        """Private messages come by the first shard."""
        self._held.hear(event, *((guild.shard_id, guild.id) if guild else (0,)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

"""discord.py's client, which hands its events to whom they concern."""

import asyncio
from typing import Any, Protocol

import aiohttp
import discord

from bot.platforms.discord import wire
from bot.platforms.discord.approval_buttons import ApprovalButton
from bot.platforms.discord.buttons import TurnButton
from bot.platforms.discord.interactions import Interactions
from bot.platforms.discord.mission_buttons import MissionButton
from bot.platforms.discord.waits import Waits
from bot.settings.sections import Discord


class Listener(Protocol):
    """What is told of a connection's events."""

    async def logged_in(self) -> None: ...
    def said(self, message: discord.Message) -> None: ...
    def edited(self, message: discord.Message) -> None: ...
    def deleted(self, guild: int | None, channel: int, message: int) -> None: ...
    def shard_begun(self, shard: int) -> None: ...
    def shard_lost(self, shard: int) -> None: ...
    def shard_regained(self, shard: int) -> None: ...
    def shard_ready(self, shard: int) -> None: ...
    def guild_lost(self, guild: int) -> None: ...
    def guild_regained(self, guild: discord.Guild) -> None: ...
    def guild_left(self, guild: int) -> None: ...


class BotClient(discord.AutoShardedClient):
    """Keeps no messages and no members: everything needed comes with each event. Pings nobody, ever."""

    def __init__(
        self,
        settings: Discord,
        listener: Listener,
        interactions: Interactions,
        *,
        message_content: bool,
        waits: Waits,
        trace: aiohttp.TraceConfig | None = None,
    ) -> None:
        super().__init__(
            intents=wire.intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=waits.guilds,
            http_trace=trace or aiohttp.TraceConfig(),
        )
        wire.use_addresses(self.http, settings.api_url, settings.gateway_url)
        self._listener = listener
        self._waits = waits
        self._interactions = interactions
        self.presses = self.choices = self.decisions = interactions

    async def setup_hook(self) -> None:
        self.add_dynamic_items(TurnButton, MissionButton, ApprovalButton)
        await self._listener.logged_in()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002 - theirs
        if not initial:
            await asyncio.sleep(self._waits.identify)

    async def on_message(self, message: discord.Message) -> None:
        self._listener.said(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        self._listener.edited(payload.message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        self._listener.deleted(payload.guild_id, payload.channel_id, payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        for message in payload.message_ids:
            self._listener.deleted(payload.guild_id, payload.channel_id, message)

    async def on_shard_connect(self, shard: int) -> None:
        self._listener.shard_begun(shard)

    async def on_shard_disconnect(self, shard: int) -> None:
        self._listener.shard_lost(shard)

    async def on_shard_resumed(self, shard: int) -> None:
        self._listener.shard_regained(shard)

    async def on_shard_ready(self, shard: int) -> None:
        self._listener.shard_ready(shard)

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        self._listener.guild_lost(guild.id)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self._listener.guild_regained(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self._listener.guild_left(guild.id)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await self._interactions.interacted(interaction)

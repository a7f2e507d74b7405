"""The Discord platform: keeps a connection, and ties together what takes from it and what answers through it."""

import asyncio
import logging

import aiohttp
import discord

from bot.commands import Commands
from bot.errors import ConfigurationError
from bot.inbox import Inbox
from bot.platforms import discord_text
from bot.platforms.discord import wire
from bot.platforms.discord.access import Access
from bot.platforms.discord.connection import Connection
from bot.platforms.discord.interactions import Interactions
from bot.platforms.discord.places import NAME
from bot.platforms.discord.reply import DiscordReply
from bot.platforms.discord.waits import USUAL, Waits
from bot.platforms.files import FileLimits
from bot.platforms.platform import TurnRef
from bot.settings.sections import Discord
from storage.database import Database

_log = logging.getLogger(__name__)

PACE = 1.2
"""Seconds between two edits of an answer; Discord takes about five in five seconds per channel."""
FILE_NOTE = "The whole answer is in the file below."
LAST_RETRY_SECONDS = 60.0
NO_CONTENT = (
    "Discord: the Message Content intent is off, so only mentions and direct messages are answered. To answer in"
    " threads without a mention, switch it on: https://discord.com/developers/applications > your application > Bot >"
    " Privileged Gateway Intents > Message Content Intent. Then start again."
)
REFUSED = "[discord] token: Discord does not accept it; copy it anew from the Bot page of your application"


class DiscordPlatform:
    """See bot.platforms.platform.Platform."""

    name = NAME

    def __init__(
        self,
        settings: Discord,
        database: Database,
        files: FileLimits,
        *,
        pace: float = PACE,
        waits: Waits = USUAL,
        trace: aiohttp.TraceConfig | None = None,
    ) -> None:
        """`trace` is told of the requests to Discord's REST API."""
        assert settings.token is not None
        self.pace = pace
        self._waits = waits
        self._trace = trace
        self._settings = settings
        self._token = settings.token.get_secret_value()
        self._database = database
        self._files = files
        self._connected = asyncio.Event()

    def attach(self, inbox: Inbox, commands: Commands) -> None:
        self._inbox = inbox
        self._commands = commands

    def reply(self, turn: TurnRef) -> DiscordReply:
        return DiscordReply(self._client, turn, parts=self._settings.max_parts, seconds=self._waits.call)

    def split(self, text: str) -> list[str]:
        """Where there would be too many parts, the first one; `DiscordReply.finish` adds the file."""
        parts = discord_text.split(text)
        if len(parts) <= self._settings.max_parts:
            return parts
        return [discord_text.with_status(text, FILE_NOTE)]

    def preview(self, text: str) -> str:
        return discord_text.first(text)

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises ConfigurationError when Discord does not accept the token. Discord being away is waited for.
        """
        wait, message_content = self._waits.retry, True
        while True:
            connection = self._connect(message_content=message_content)
            try:
                async with connection:
                    await self._served(connection)
            except discord.LoginFailure as error:
                raise ConfigurationError(REFUSED) from error
            except discord.PrivilegedIntentsRequired:
                _log.warning(NO_CONTENT)
                message_content = False
                continue
            except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
                if isinstance(error, discord.ConnectionClosed) and error.code == wire.AUTHENTICATION_FAILED:
                    raise ConfigurationError(REFUSED) from error
                _log.error("Discord: no connection, trying again in %.0f s: %r", wait, error)
            if connection.served:
                wait = self._waits.retry
            await asyncio.sleep(wait)
            wait = min(2 * wait, LAST_RETRY_SECONDS)

    async def _served(self, connection: Connection) -> None:
        """Until it is lost; answers wait for the next one then."""
        try:
            await connection.serve(self._token)
        finally:
            self._connected.clear()

    def _connect(self, *, message_content: bool) -> Connection:
        access = Access(self._settings)
        return Connection(
            self._settings,
            self._database,
            self._inbox,
            Interactions(self._commands, access),
            access,
            self._files,
            self._log_in,
            message_content=message_content,
            waits=self._waits,
            trace=self._trace,
        )

    @property
    def connected(self) -> bool:
        """Whether it is logged in and every shard hears Discord."""
        return self._connected.is_set() and wire.is_connected(self._current)

    def _log_in(self, client: discord.AutoShardedClient) -> None:
        """From now on answers can be posted, whether the gateway is there or not."""
        self._current = client
        self._connected.set()

    async def _client(self) -> discord.Client:
        await self._connected.wait()
        return self._current

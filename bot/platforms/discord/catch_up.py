"""After the bot was away: reading what was said meanwhile, from where it stopped, through the same gate.

Discord repeats missed events only to a session that it still knows. So it is remembered, for all channels together, up
to which message everything was handled; what is newer is read again, and what was taken already is known by its key.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.platforms.discord.intake import Intake
from bot.platforms.discord.places import NAME
from bot.platforms.insisting import insist
from bot.settings.sections import Discord
from storage import conversations, watermarks
from storage.database import Database
from storage.errors import StorageError

if TYPE_CHECKING:
    from discord.abc import MessageableChannel

_log = logging.getLogger(__name__)

FLUSH_SECONDS = 10.0
OVERLAP_MS = 120_000
"""What is remembered is this much older than the newest message: events of several channels do not come quite in
order, and a dead connection is found dead only after more than a minute.
"""
ARCHIVING = timedelta(hours=1)
"""Threads are archived after that long without a message, at the earliest; all others are told with their server."""
MAX_ARCHIVED = 100
"""Archived threads of a channel that are looked at, the latest archived first."""
READ_AT_ONCE = 5
MAX_PRIVATE = 1_000
"""Private conversations that are looked at, the latest first. Discord has no list of them: these are the known ones."""
TRIES = 4
"""Of reading a channel, before what is said there now is let through."""
RETRY_SECONDS = 2.0
LATER_SECONDS = 60.0
_TROUBLE = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError)


class CatchUp:
    """Of one bot account. The position is only moved while no shard and no server is away."""

    def __init__(
        self, client: discord.AutoShardedClient, database: Database, intake: Intake, settings: Discord
    ) -> None:
        self._client = client
        self._database = database
        self._intake = intake
        self._age = timedelta(hours=settings.catch_up_hours)
        self._messages = settings.catch_up_messages
        self._caught_up: set[int] = set()
        self._cut_off: set[int] = set()
        self._away: set[int] = set()
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._remembered = 0

    def lost(self, shard: int) -> None:
        """A shard was cut off: something may have been said that it did not hear."""
        self._cut_off.add(shard)

    def regained(self, shard: int) -> None:
        """Discord has repeated everything that the shard missed."""
        self._cut_off.discard(shard)

    def guild_lost(self, guild: int) -> None:
        self._away.add(guild)

    def guild_left(self, guild: int) -> None:
        self._away.discard(guild)

    async def shard(self, shard: int, guilds: Iterable[discord.Guild], begun: Callable[[], None]) -> None:
        """A shard begins a new session: read what was said in its servers, and in private, since the position.

        `begun` is called when all that is to be read is queued, before what is heard from then on.
        """
        self._caught_up.discard(shard)
        self._cut_off.discard(shard)
        guilds = list(guilds)
        self._away -= {guild.id for guild in guilds}
        self._away |= {guild.id for guild in guilds if guild.unavailable}
        since = await insist(self._since)
        private = await insist(self._private) if shard == 0 else []  # the shard that hears what is said in private
        places = [place for guild in guilds for place in _newer(guild, since)] + private
        await self._read_all(places, since, begun)
        await self._read_all(await self._archived(guilds, since), since)
        self._caught_up.add(shard)
        await insist(self.remember)

    def misses(self, guild: int) -> bool:
        """Whether a server is away."""
        return guild in self._away

    async def guild_regained(self, guild: discord.Guild, begun: Callable[[], None]) -> None:
        """A server is back: read what was said there. `begun` as above."""
        since = await insist(self._since)
        await self._read_all(_newer(guild, since), since, begun)
        self._away.discard(guild.id)

    async def begin(self) -> None:
        """Have a position before anything can be heard: on the very first start, questions that a broken first session
        swallowed are looked for, too.
        """
        await insist(self._since)

    async def keep_remembering(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.close()

    async def remember(self) -> None:
        position = self._intake.progress.position - (OVERLAP_MS << 22)
        complete = len(self._caught_up) == self._client.shard_count and not self._cut_off and not self._away
        if complete and position > self._remembered:
            await self._database.write(watermarks.advance, NAME, "", self._me, str(position))
            self._remembered = position

    async def close(self) -> None:
        """Remember, if that can be."""
        try:
            await self.remember()
        except StorageError as error:
            _log.error("how far Discord was read cannot be stored: %r", error)

    @property
    def _me(self) -> str:
        assert self._client.user is not None
        return str(self._client.user.id)

    async def _since(self) -> int:
        """The position where reading begins. On the very first start, that is now."""
        now = discord.utils.utcnow()
        rows = await self._database.read(watermarks.of_platform, NAME)
        known = next((int(position) for _, channel, position in rows if channel == self._me), None)
        if known is None:
            known = discord.utils.time_snowflake(now)
            await self._database.write(watermarks.advance, NAME, "", self._me, str(known))
        return max(known, discord.utils.time_snowflake(now - self._age))

    async def _private(self) -> "list[MessageableChannel]":
        channels = await self._database.read(conversations.channels, NAME, "", limit=MAX_PRIVATE)
        return [self._client.get_partial_messageable(int(channel)) for channel in channels]

    async def _archived(self, guilds: Iterable[discord.Guild], since: int) -> "list[MessageableChannel]":
        """Threads that were archived meanwhile, with what was said in them before."""
        moment = discord.utils.snowflake_time(since)
        if discord.utils.utcnow() - moment < ARCHIVING:
            return []
        parents: list[discord.TextChannel | discord.ForumChannel] = []
        for guild in guilds:
            parents += [*guild.text_channels, *guild.forums]
        found = await asyncio.gather(*[self._archived_in(parent, moment) for parent in parents])
        return [thread for threads in found for thread in threads if (thread.last_message_id or 0) > since]

    async def _archived_in(
        self, parent: discord.TextChannel | discord.ForumChannel, moment: datetime
    ) -> list[discord.Thread]:
        try:
            async with self._reading:
                found = [thread async for thread in parent.archived_threads(limit=MAX_ARCHIVED)]
        except _TROUBLE as error:
            _log.warning("archived threads of channel %d cannot be listed: %r", parent.id, error)
            return []
        return [thread for thread in found if thread.archive_timestamp >= moment]

    async def _read_all(
        self, places: "list[MessageableChannel]", since: int, begun: Callable[[], None] = lambda: None
    ) -> None:
        reads = [(place, self._queued(place, since)) for place in places]
        begun()
        while failed := [place for place, read in reads if not await read]:  # until the session or the program ends
            await asyncio.sleep(LATER_SECONDS)
            reads = [(place, self._queued(place, since)) for place in failed]

    def _queued(self, channel: "MessageableChannel", since: int) -> asyncio.Future[bool]:
        """Read one channel in its lane; whether all of it that may be read was read."""
        done = asyncio.get_running_loop().create_future()

        async def work() -> None:
            read = False
            try:
                read = await self._read_patiently(channel, since)
            finally:
                if not done.done():
                    done.set_result(read)

        self._intake.lanes.put(channel.id, work)
        return done

    async def _read_patiently(self, channel: "MessageableChannel", since: int) -> bool:
        for attempt in range(TRIES):
            try:
                async with self._reading:
                    missed = await self._read(channel, since)
                for message in missed:
                    await self._intake.missed(message)
            except (discord.Forbidden, discord.NotFound):
                return True  # nobody may ask anything there
            except _TROUBLE as error:
                _log.warning("channel %d cannot be read: %r", channel.id, error)
                await asyncio.sleep(RETRY_SECONDS * 2**attempt)
            else:
                return True
        _log.error("channel %d could not be read: questions from the time away are looked for again later", channel.id)
        return False

    async def _read(self, channel: "MessageableChannel", since: int) -> list[discord.Message]:
        """What was said there after `since`, oldest first; the latest where it is too much."""
        after = discord.Object(since)
        found = [each async for each in channel.history(limit=self._messages, after=after, oldest_first=False)]
        if len(found) >= self._messages:
            _log.warning(
                "channel %d: more than %d messages were missed, older ones are not read", channel.id, len(found)
            )
        return found[::-1]


def _newer(guild: discord.Guild, since: int) -> "list[MessageableChannel]":
    places: list[discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread] = []
    places += guild.text_channels
    places += guild.voice_channels
    places += guild.stage_channels
    places += guild.threads
    return [place for place in places if (place.last_message_id or 0) > since]

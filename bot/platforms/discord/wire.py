"""The one place that touches discord.py's own client: addresses, intents, and what its errors mean to the core."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route

from bot.errors import PlatformError, PlatformGone

if TYPE_CHECKING:
    from discord.types.gateway import SessionStartLimit

_log = logging.getLogger(__name__)

AUTHENTICATION_FAILED = 4004
"""Close code of the gateway."""
HEARTBEAT_SECONDS = 1.0
"""Within which the thread of a heartbeat ends."""
ARCHIVED_THREAD = 50083
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_INTERACTION = 10003, 10008, 10062
THREAD_EXISTS = 160004
ALREADY_ACKNOWLEDGED = 40060
INVALID_TOKEN = 50027
MISSING_ACCESS, MISSING_PERMISSIONS = 50001, 50013
NO_REPLY_WITHOUT_HISTORY = 160002
FORBIDDEN = (MISSING_ACCESS, MISSING_PERMISSIONS)
_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNAUTHORIZED)
"""A token that is no longer accepted ends the gateway's session, too; the operator is told there."""


def intents(*, message_content: bool) -> discord.Intents:
    """What the gateway has to tell: messages in servers and in private, and which channels there are."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = wanted.dm_messages = True
    wanted.message_content = message_content
    return wanted


def use_addresses(http: discord.http.HTTPClient, api_url: str, gateway_url: str) -> None:
    """Talk to another server than Discord's. discord.py has no setting for it; these are class attributes and the
    method that asks the REST API where the gateway is.
    """
    if api_url:
        Route.BASE = api_url.rstrip("/")
    if not gateway_url:
        return
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
    ask = http.get_bot_gateway

    async def get_bot_gateway() -> "tuple[int, str, SessionStartLimit]":
        shards, _, limits = await ask()
        return shards, gateway_url, limits

    http.get_bot_gateway = get_bot_gateway  # type: ignore[method-assign]  # no setting either


def is_connected(client: discord.AutoShardedClient) -> bool:
    return client.is_ready() and not any(shard.is_closed() for shard in client.shards.values())


async def close_rest(client: discord.Client) -> None:
    """What discord.py leaves of a closed client: the connection of a session that was just being begun, and heartbeat
    threads that were told to end, but may be awake at that moment and would meet a closed event loop.
    """
    beating = [each for each in threading.enumerate() if isinstance(each, KeepAliveHandler)]
    own = [each for each in beating if each.ws._connection is client._connection]  # noqa: SLF001 - says whose it is
    for each in own:
        each.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARTBEAT_SECONDS):
            await asyncio.gather(*[each.ws.close() for each in own], return_exceptions=True)  # most are closed already
    await asyncio.gather(*[asyncio.to_thread(each.join, HEARTBEAT_SECONDS) for each in own])


@contextmanager
def logged_errors(what: str) -> Iterator[None]:
    """For what the bot can do without: it goes to the log."""
    try:
        yield
    except discord.HTTPException as error:
        _log.error("Discord: %s failed: %s", what, told(error))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        _log.error("Discord: %s failed: %r", what, error)


@asynccontextmanager
async def calling(client: discord.Client, seconds: float) -> AsyncIterator[None]:
    """Something that the core asks for, within that time, with Discord's refusals as the core knows them.

    Raises PlatformGone where trying again is of no use, else PlatformError.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except discord.HTTPException as error:
        if error.status in _LATER or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PlatformError(f"Discord does not take it now: {told(error)}") from error
        raise PlatformGone(f"Discord refuses it: {told(error)}") from error
    except (TimeoutError, asyncio.CancelledError) as error:
        _release_the_others(client)
        if isinstance(error, asyncio.CancelledError):
            raise
        raise PlatformError(f"Discord did not answer within {seconds:.0f} s.") from error
    except (aiohttp.ClientError, OSError, discord.ConnectionClosed) as error:
        raise PlatformError(f"Discord cannot be reached: {type(error).__name__}") from error
    except RuntimeError as error:
        if not client.is_closed():
            raise
        raise PlatformError("The connection to Discord was closed meanwhile.") from error


def _release_the_others(client: discord.Client) -> None:
    """A call that waits for the end of a global rate limit holds up all others, and discord.py leaves them so, for
    ever, when it is cancelled. What is let go too early is refused, and waits in its turn.
    """
    client.http._global_over.set()  # noqa: SLF001 - nothing public resets it


def told(error: discord.HTTPException) -> str:
    """For the log: Discord's own words, with what an operator can do about the usual ones."""
    hint = _HINTS.get(error.code)
    return f"{error.status} ({error.code}) {error.text}" + (f": {hint}" if hint else "")


_HINTS = {
    MISSING_ACCESS: "the bot cannot see this channel; give its role View Channel",
    MISSING_PERMISSIONS: "the bot's role lacks a permission here; `secret-agents check` tells which",
    UNKNOWN_CHANNEL: "the channel or thread was deleted",
    UNKNOWN_MESSAGE: "the message was deleted",
    ARCHIVED_THREAD: "the thread is archived",
}

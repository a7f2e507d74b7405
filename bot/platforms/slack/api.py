"""Slack's Web API as the core needs it: limits honoured per method, errors by what can be done about them."""

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import PlatformError, PlatformGone

_log = logging.getLogger(__name__)

QUERIES = frozenset({"conversations.replies", "users.info", "auth.test", "files.info"})
"""Methods that take no JSON."""
OPEN_SOCKET = "apps.connections.open"
PER_MINUTE = {"chat.update": 50, "chat.appendStream": 100, "chat.startStream": 20, "agents.sessions.setStatus": 50}
"""Calls that Slack's tiers promise, over all conversations of a workspace together."""
SHARE = 0.6
"""Of those, what growing answers may use: the rest is for finished ones."""
PER_CHANNEL = frozenset({"chat.postMessage"})
"""Methods that Slack limits for each channel by itself."""
MINUTE = 60.0
CALL_SECONDS = 20.0
MAX_LIMITS = 10_000
"""Methods and channels of which the last limit is remembered."""
REVOKED = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
_LATER = REVOKED | {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_HINTS = {
    "not_in_channel": "invite the bot to the channel",
    "is_archived": "the channel is archived",
    "channel_not_found": "the bot cannot see this channel; invite it",
    "missing_scope": "the app lacks a scope; install it again from `secret-agents manifest slack`",
}
_REVOKED_HINT = "the token is not valid any more; install the app again and set SLACK_{}_TOKEN"


class Refused(PlatformGone):
    """Slack refused a call. `error` is its word for why."""

    def __init__(self, method: str, error: str) -> None:
        super().__init__(_told(method, error))
        self.error = error


class TokenRefused(PlatformError):
    """Slack does not accept the token; it may again when the app is installed anew."""


class _Limit:
    """What Slack said of one method, or of one method in one channel. Calls that wait go on one after another."""

    def __init__(self) -> None:
        self.until = 0.0
        self.turnstile = asyncio.Lock()


class Api:
    """The calls of one workspace's bot."""

    def __init__(self, client: AsyncWebClient, now: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._now = now
        self._limits: dict[str, _Limit] = {}
        self._made: dict[str, deque[float]] = {method: deque() for method in PER_MINUTE}

    def has_room(self, method: str) -> bool:
        """Whether a call that is not urgent may be made now."""
        now = self._now()
        if method in self._limits and self._limits[method].until > now:
            return False
        made = self._made[method]
        while made and made[0] < now - MINUTE:
            made.popleft()
        return len(made) < SHARE * PER_MINUTE[method]

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The answer. Waits as long as Slack asks for, for this method only.

        Raises Refused, or PlatformError when it may work later. After a PlatformError the call may have had its effect.
        """
        place = f"{method} {arguments.get('channel')}" if method in PER_CHANNEL else method
        while True:  # until Slack takes it; whoever calls has a bound on time
            limit = self._limits.get(place)
            if limit is None or limit.until <= self._now():
                done = await self._tried(method, place, arguments)
            else:
                async with limit.turnstile:
                    await asyncio.sleep(max(0.0, limit.until - self._now()))
                    done = await self._tried(method, place, arguments)
            if done is not None:
                return done

    async def _tried(self, method: str, place: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """None when Slack asks to wait."""
        if method in self._made:
            self._made[method].append(self._now())
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._once(method, arguments)
        except SlackApiError as error:
            if _status(error) != 429:
                raise named(method, error) from error
            self._limited(place, error)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError, AttributeError) as error:
            # the SDK stumbles, with an AttributeError, over an answer that is JSON but no object
            raise PlatformError(f"{method}: Slack cannot be reached: {type(error).__name__}") from error
        return None

    async def _once(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if method in QUERIES:
            response = await self.client.api_call(method, http_verb="GET", params=arguments)
        else:
            response = await self.client.api_call(method, json=arguments or None)
        return dict(response.data) if isinstance(response.data, dict) else {}

    def _limited(self, place: str, error: SlackApiError) -> None:
        told = str(error.response.headers.get("Retry-After", ""))
        seconds = int(told) if told.isdecimal() else 1
        if len(self._limits) >= MAX_LIMITS:
            self._limits = {name: limit for name, limit in self._limits.items() if limit.until > self._now()}
        limit = self._limits.setdefault(place, _Limit())
        limit.until = max(limit.until, self._now() + seconds)
        _log.info("%s: Slack asks to wait for %d s", place, seconds)


def named(method: str, error: SlackApiError) -> PlatformError:
    """What went wrong, by whether it can work later."""
    word = _word(error)
    if word in REVOKED:
        return TokenRefused(_told(method, word))
    if word in _LATER or _status(error) >= 500 or not word:
        return PlatformError(f"{method}: {word or _status(error)}")
    return Refused(method, word)


def _told(method: str, error: str) -> str:
    hint = _HINTS.get(error)
    if error in REVOKED:
        hint = _REVOKED_HINT.format("APP" if method == OPEN_SOCKET else "BOT")
    return f"{method}: {error}" + (f" ({hint})" if hint else "")


def _word(error: SlackApiError) -> str:
    """Slack's name for the error; empty where the answer was not Slack's: other servers repeat tokens."""
    data = getattr(error.response, "data", None)
    word = data.get("error") if isinstance(data, dict) else ""
    return word if isinstance(word, str) and re.fullmatch(r"[\w.-]{1,80}", word) else ""


def _status(error: SlackApiError) -> int:
    """The SDK raises the bare HTTP response where the body is no JSON."""
    response = error.response
    return int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)

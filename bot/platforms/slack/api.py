"""Slack's Web API as the core needs it: limits honoured per method, errors by what can be done about them."""

import asyncio
import logging
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
PER_MINUTE = {"chat.update": 50, "chat.appendStream": 100}
"""Calls that Slack's tiers promise, over all conversations of a workspace together."""
SHARE = 0.6
"""Of those, what growing answers may use: the rest is for finished ones."""
MINUTE = 60.0
CALL_SECONDS = 20.0
REVOKED = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
_LATER = REVOKED | {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_HINTS = {
    "not_in_channel": "invite the bot to the channel",
    "is_archived": "the channel is archived",
    "channel_not_found": "the bot cannot see this channel; invite it",
    "missing_scope": "the app lacks a scope; install it again from `secret-agents manifest slack`",
} | dict.fromkeys(REVOKED, "the token is not valid any more; install the app again and set SLACK_BOT_TOKEN")


class Refused(PlatformGone):
    """Slack refused a call. `error` is its word for why."""

    def __init__(self, method: str, error: str) -> None:
        hint = _HINTS.get(error)
        super().__init__(f"{method}: {error}" + (f" ({hint})" if hint else ""))
        self.error = error


class Api:
    """The calls of one workspace's bot."""

    def __init__(self, client: AsyncWebClient, now: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._now = now
        self._not_before: dict[str, float] = {}
        self._made: dict[str, deque[float]] = {method: deque() for method in PER_MINUTE}

    def has_room(self, method: str) -> bool:
        """Whether a call that is not urgent may be made now."""
        now = self._now()
        if self._not_before.get(method, 0.0) > now:
            return False
        made = self._made[method]
        while made and made[0] < now - MINUTE:
            made.popleft()
        return len(made) < SHARE * PER_MINUTE[method]

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The answer. Waits as long as Slack asks for, for this method only.

        Raises Refused, PlatformError when it may work later. After a PlatformError the call may have had its effect.
        """
        while True:  # until Slack takes it; whoever calls has a bound on time
            await asyncio.sleep(max(0.0, self._not_before.get(method, 0.0) - self._now()))
            if method in self._made:
                self._made[method].append(self._now())
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    return await self._once(method, arguments)
            except SlackApiError as error:
                if error.response.status_code != 429:
                    raise _named(method, error) from error
                self._limited(method, error)
            except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                raise PlatformError(f"{method}: Slack cannot be reached: {type(error).__name__}") from error

    async def _once(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if method in QUERIES:
            response = await self.client.api_call(method, http_verb="GET", params=arguments)
        else:
            response = await self.client.api_call(method, json=arguments)
        return dict(response.data) if isinstance(response.data, dict) else {}

    def _limited(self, method: str, error: SlackApiError) -> None:
        seconds = float(error.response.headers.get("Retry-After", 1))
        self._not_before[method] = self._now() + seconds
        _log.info("%s: Slack asks to wait for %.0f s", method, seconds)


def _named(method: str, error: SlackApiError) -> PlatformError | PlatformGone:
    data = error.response.data
    word = str(data.get("error", "")) if isinstance(data, dict) else ""
    if word in _LATER or error.response.status_code >= 500 or not word:
        hint = _HINTS.get(word, "")
        return PlatformError(f"{method}: {word or error.response.status_code} {hint}".rstrip())
    return Refused(method, word)

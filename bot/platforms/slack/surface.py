"""Slack's agent surface: the session's status with its own Stop button, and prompts to begin with. All of it may be
missing in a workspace; then the bot does without.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from bot.errors import PlatformError
from bot.platforms import slack_text
from bot.platforms.platform import ConversationKey
from bot.platforms.slack.api import Api, Refused

_log = logging.getLogger(__name__)

SESSION, STATUS = "agents.sessions.setStatus", "assistant.threads.setStatus"
PROMPTS = "assistant.threads.setSuggestedPrompts"
MISSING_SECONDS = 600.0
"""How long a method that the workspace refuses is not tried again."""
ABOUT_PLACES = frozenset({"channel_not_found", "thread_not_found", "is_archived", "not_in_channel"})
"""Refusals of a place, not of the method."""
TRIES, RETRY_SECONDS = 3, 1.0
"""Of taking a status away."""
PATIENCE_SECONDS = 3.0
"""How long an answer waits for its status to be shown, Slack's own waits included."""


class Surface:
    """Of one workspace. Nothing here ever fails an answer."""

    def __init__(self, api: Api, now: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._now = now
        self._missing: dict[str, float] = {}
        self._working: set[ConversationKey] = set()

    async def working(self, key: ConversationKey, title: str) -> None:
        """An answer is begun. The title counts for the thread's first one. Left out where Slack has no room for it."""
        if not self._api.has_room(SESSION):
            return
        self._working.add(key)
        named = {"title": slack_text.session_title(title)} if title.strip() else {}
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if not await self._tried(SESSION, key, status="processing", **named):
                    await self._tried(STATUS, key, status="is thinking…")
        except TimeoutError:
            _log.info("Slack is too busy to show a status")
        except PlatformError as error:
            _log.info("no status is shown: %s", error)

    async def done(self, key: ConversationKey, *, resumed: bool = False) -> None:
        """The answer is complete, stopped or given up. `resumed`: a crashed process may have left a status, too."""
        if key not in self._working and not resumed and not self._api.has_room(SESSION):
            return
        for _ in range(TRIES):  # what is shown now would be shown for good
            try:
                if not await self._tried(SESSION, key, status="active"):
                    await self._tried(STATUS, key, status="")
                break
            except PlatformError as error:
                _log.info("a status stays for a moment: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
        self._working.discard(key)

    async def suggest(self, channel: str, prompts: Sequence[str]) -> None:
        listed = [{"title": prompt, "message": prompt} for prompt in prompts]
        try:
            await self._called(PROMPTS, channel_id=channel, prompts=listed)
        except PlatformError as error:
            _log.info("no prompts are suggested: %s", error)

    async def _tried(self, method: str, key: ConversationKey, **arguments: str) -> bool:
        return await self._called(method, channel_id=key.channel, thread_ts=key.thread, **arguments)

    async def _called(self, method: str, **arguments: object) -> bool:
        """Whether there is such a method here. Raises PlatformError."""
        if self._missing.get(method, 0.0) > self._now():
            return False
        try:
            await self._api.call(method, **arguments)
        except Refused as refused:
            if refused.error in ABOUT_PLACES:
                return True
            _log.info("this workspace has no %s: %s", method, refused.error)
            self._missing[method] = self._now() + MISSING_SECONDS
            return False
        return True

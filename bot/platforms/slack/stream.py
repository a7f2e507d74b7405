"""Slack's native streaming: a message that is appended to, for some minutes at most.

Source: https://docs.slack.dev/reference/methods/chat.startStream
"""

import logging
from collections.abc import Callable
from typing import Any

from bot.platforms.platform import TurnRef
from bot.platforms.slack.api import Api, Refused
from bot.platforms.slack.places import team_of

_log = logging.getLogger(__name__)

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
LIFETIME = 240.0
"""Seconds after which a stream is ended, before Slack lets it die at about 300; from then on the message is edited."""
MAX_TITLE = 250


class Stream:
    """The stream of one answer. `ts` is the message's while it is open."""

    def __init__(self, api: Api, turn: TurnRef, now: Callable[[], float]) -> None:
        self._api = api
        self._turn = turn
        self._now = now
        self.ts: str | None = None
        self._sent = ""
        self._sure = True
        """Whether `_sent` is what Slack has: a call that broke off may have had its effect."""
        self._status = ""
        self._tasks = 0
        self._begun = 0.0

    async def begin(self) -> str | None:
        """None where the workspace has no streams, or no room for one more."""
        if not self._api.has_room(START):
            return None
        key = self._turn.key
        try:
            started = await self._api.call(
                START,
                channel=key.channel,
                thread_ts=key.thread,
                recipient_user_id=self._turn.author_id,
                recipient_team_id=team_of(key),
            )
        except Refused as refused:
            _log.info("no stream here: %s", refused)
            return None
        self._begun = self._now()
        self.ts = str(started["ts"])
        return self.ts

    async def show(self, text: str, status: str) -> bool:
        """Append what is new. False when that has to wait, or when it cannot be done by appending: see `ts` then."""
        if not self._can_become(text) or self._now() - self._begun > LIFETIME:
            await self.give_up(self.ts)
            return False
        if not self._api.has_room(APPEND):
            return False
        chunks = [*self._task(status), *_texts(text[len(self._sent) :])]
        if chunks and not await self._called(APPEND, chunks=chunks):
            return False
        self._sent, self._status = text, status
        return True

    async def end(self, text: str, **ending: Any) -> bool:
        """Append the rest, with what stands below and behind it. False when the message has to be edited instead."""
        if not self._can_become(text):
            await self.give_up(self.ts)
            return False
        chunks = [*self._task(""), *_texts(text[len(self._sent) :])]
        ended = await self._called(STOP, **ending, **({"chunks": chunks} if chunks else {}))
        self.ts = None
        return ended

    async def give_up(self, ts: str | None) -> None:
        """End a stream as it is, also one that an earlier process began, so that its message can be edited."""
        self.ts = ts
        await self._called(STOP)
        self.ts = None

    def _can_become(self, text: str) -> bool:
        """Whether the stream is known to be the beginning of `text`."""
        return self._sure and text.startswith(self._sent)

    async def _called(self, method: str, **arguments: Any) -> bool:
        self._sure = False
        try:
            await self._api.call(method, channel=self._turn.key.channel, ts=self.ts, **arguments)
        except Refused as refused:
            _log.info("the stream is over: %s", refused)
            self.ts = None
            return False
        self._sure = True
        return True

    def _task(self, status: str) -> list[dict[str, Any]]:
        """What is being done, as a step that is ticked off when something else is."""
        if status == self._status:
            return []
        chunks = [_step(self._tasks, self._status, "complete")] if self._status else []
        if status:
            self._tasks += 1
            chunks.append(_step(self._tasks, status, "in_progress"))
        return chunks


def _step(number: int, title: str, status: str) -> dict[str, Any]:
    return {"type": "task_update", "id": f"step-{number}", "title": title[:MAX_TITLE], "status": status}


def _texts(text: str) -> list[dict[str, Any]]:
    return [{"type": "markdown_text", "text": text}] if text else []

"""Showing one answer on the pages of the browser that asked."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from bot.platforms.platform import ApprovalRef, Final, TurnRef
from bot.platforms.web.hub import Hub
from bot.platforms.web.rendering import render

REST = 10
"""After laying out an answer took x seconds, the next update comes x times this later: a tenth of a core at most."""
LONG_TEXT = 4_000
"""Characters from which on laying out goes to a thread, so that nobody else waits for it."""


async def laid_out(text: str) -> str:
    """The HTML of a Markdown text."""
    return render(text) if len(text) < LONG_TEXT else await asyncio.to_thread(render, text)


class WebReply:
    """See bot.platforms.platform.Reply. Nothing is posted anywhere but here, so every call is idempotent."""

    def __init__(
        self,
        hub: Hub,
        turn: TurnRef,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._hub = hub
        self._turn = turn
        self._now = now
        self._sleep = sleep
        self._text = ""
        self._html = ("", "")
        self._rest_until = 0.0

    async def post(self, part: int, text: str, *, key: str) -> str:
        self._hub.begin(self._turn)
        if text:
            await self.edit(part, key, text)
        return key

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        await self.edit(0, remote_id, text)
        self._hub.work(self._turn, status)
        return True

    async def ask(self, remote_id: str, text: str, approval: ApprovalRef) -> None:  # noqa: ARG002 - there is one part
        self._text = text
        watched = self._hub.watches(self._turn.key.channel)
        self._hub.ask(self._turn, text, await self._layout(text) if watched else "", approval)

    async def edit(self, part: int, remote_id: str, text: str) -> None:  # noqa: ARG002 - there is one part
        if text == self._text:
            return
        self._text = text
        await self._sleep(max(0.0, self._rest_until - self._now()))
        watched = self._hub.watches(self._turn.key.channel)
        self._hub.grow(self._turn, text, await self._layout(text) if watched else "")

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:  # noqa: ARG002
        watched = self._hub.watches(self._turn.key.channel)
        self._hub.end(self._turn, final, await self._layout(final.text) if watched else "")

    async def _layout(self, text: str) -> str:
        """The text is rendered once, and then rested from in proportion to what that took."""
        if self._html[0] != text:
            began = self._now()
            self._html = (text, await laid_out(text))
            now = self._now()
            self._rest_until = now + REST * (now - began)
        return self._html[1]

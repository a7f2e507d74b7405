"""Showing one turn's answer on its platform: growing at the platform's pace, then its final parts, each posted once.

Where a part was posted is stored before anything else is posted; the last part's id is stored as the turn is closed.
After a crash, parts with a stored id are edited; the one post that may have happened without its id being stored is
repeated under the same key, which the platform recognises.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from bot.errors import PlatformError, PlatformGone
from bot.observing.metrics import Metrics
from bot.platforms.platform import ApprovalRef, ConversationKey, Final, Platform, TurnRef
from storage import turns
from storage.database import Database
from storage.errors import Fenced, StorageError
from storage.turns import Claim, Ending

T = TypeVar("T")
_log = logging.getLogger(__name__)

CALL_SECONDS = 60.0
"""How long one call of a platform may take, its own waiting for rate limits included."""
MAX_TRIES = 5
"""Of each final part, before the turn is put aside to be delivered later."""
BACKOFF_SECONDS = 0.5


class Delivery:
    """One turn's reply. `text` and `status` return at once; a task shows the latest of both."""

    def __init__(self, database: Database, platform: Platform, claim: Claim, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()
        self._began = time.monotonic()
        self._database = database
        self._platform = platform
        self._claim = claim
        self._reply = platform.reply(_ref(claim))
        self._posted = dict(claim.deliveries)
        self.unstored: dict[int, str] = {}
        """Where the last part was posted: to be stored when the turn is closed."""
        self._pieces: list[str] = []
        self._status = ""
        self._seen = ("", "")
        self._changed = asyncio.Event()
        self._wire = asyncio.Lock()
        self._showing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to show what comes, unless the platform shows finished answers only."""
        if math.isfinite(self._platform.pace):
            self._showing = asyncio.create_task(self._show())

    def text(self, more: str) -> None:
        self._pieces.append(more)
        self._status = ""
        self._changed.set()

    def status(self, text: str) -> None:
        self._status = text
        self._changed.set()

    @property
    def partial(self) -> str:
        """The text so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    async def complete(self, ending: Ending, tools: Sequence[str]) -> None:
        """Show the final parts and take the marks of a running answer away. Idempotent.

        Raises PlatformGone when there is no place left to show it, PlatformError when it cannot be shown now,
        Fenced or StorageError.
        """
        await self.cancel()
        parts = self._platform.split(ending.agent_response)
        for number, part in enumerate(parts):
            await self._store()
            await self._insist(number, partial(self._put, number, part))
        shown = [self._posted[number] for number in range(len(parts))]
        final = Final(ending.agent_response, ending.outcome, ending.model, tuple(tools))
        await self._bounded(self._reply.finish(shown, final))

    async def ask(self, question: str, approval: ApprovalRef) -> str:
        """Show a question in the first part, below what was said so far if there is room; where it is. Idempotent.

        Raises as `complete`.
        """
        await self.cancel()
        first, *more = self._platform.split(f"{self.partial.rstrip()}\n\n{question}".strip())
        text = first if not more else self._platform.split(question)[0]
        await self._insist(0, partial(self._put_question, text, approval))
        await self._store()
        return self._posted[0]

    async def cancel(self) -> None:
        """Stop showing, never in the middle of a post; or at once where the caller is being cancelled itself: that is
        as harmless as a crash, and the program may have no time to wait for a platform that is silent.
        """
        if self._showing is None:
            return
        caller = asyncio.current_task()
        if caller is not None and caller.cancelling():
            self._showing.cancel()
        else:
            async with self._wire:
                self._showing.cancel()
        await asyncio.wait([self._showing])
        self._showing = None

    async def _show(self) -> None:
        wait = self._platform.pace
        while True:
            try:
                async with self._wire:
                    await self._show_latest()
                wait = self._platform.pace
            except (PlatformGone, Fenced):
                return  # complete() meets it again, and decides
            except (PlatformError, StorageError) as error:
                self._changed.set()
                wait = min(2 * max(wait, BACKOFF_SECONDS), CALL_SECONDS)
                _log.warning("turn %d: cannot show the answer yet: %s", self._claim.turn, error)
            await asyncio.sleep(wait)
            await self._changed.wait()

    async def _show_latest(self) -> None:
        self._changed.clear()
        if 0 not in self._posted:
            await self._post(0, "")
        try:
            await self._store()
        except Fenced:
            raise
        except StorageError:
            await self._show_changes()  # what people have to be told may be that nothing can be saved
            raise
        await self._show_changes()

    async def _show_changes(self) -> None:
        seen = (self.partial, self._status)
        if seen != self._seen:
            preview = self._platform.preview(seen[0])
            if await self._bounded(self._reply.grow(self._posted[0], preview, seen[1])):
                self._seen = seen
            else:
                self._changed.set()

    async def _insist(self, number: int, put: Callable[[], Awaitable[None]]) -> None:
        for attempt in range(MAX_TRIES):
            try:
                return await put()
            except PlatformGone:
                raise
            except PlatformError as error:
                if attempt == MAX_TRIES - 1:
                    raise
                _log.warning("turn %d: part %d is not shown yet: %s", self._claim.turn, number, error)
                await asyncio.sleep(BACKOFF_SECONDS * 2**attempt)
        return None

    async def _put(self, number: int, text: str) -> None:
        if number in self._posted:
            await self._bounded(self._reply.edit(number, self._posted[number], text))
        else:
            await self._post(number, text)

    async def _put_question(self, text: str, approval: ApprovalRef) -> None:
        if 0 not in self._posted:
            await self._post(0, "")
        await self._bounded(self._reply.ask(self._posted[0], text, approval))

    async def _post(self, number: int, text: str) -> None:
        key = f"{self._claim.turn}.{number}"
        remote_id = await self._bounded(self._reply.post(number, text, key=key))
        self._posted[number] = self.unstored[number] = remote_id
        if number == 0:
            self._metrics.stages.add(time.monotonic() - self._began, "first_post")

    async def _store(self) -> None:
        """Remember where the part before was posted."""
        for number, remote_id in list(self.unstored.items()):
            await self._database.write(turns.record_delivery, self._claim.turn, self._claim.attempt, number, remote_id)
            del self.unstored[number]

    async def _bounded(self, call: Awaitable[T]) -> T:
        with self._metrics.calling(self._platform.name):
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    return await call
            except TimeoutError as error:
                raise PlatformError("The chat platform did not answer in time.") from error


def _ref(claim: Claim) -> TurnRef:
    place = claim.conversation
    key = ConversationKey(place.platform, place.workspace, place.channel, place.thread)
    return TurnRef(claim.turn, place.id, key, claim.event_key, claim.author, place.title, resumed=claim.attempt > 1)

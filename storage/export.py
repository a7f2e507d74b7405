"""Writing the mission log (`storage.mission_log`), a page at a time, however long it is.

Each page is a read of its own: a message that is answered while the export runs may or may not be in it, and is never
in it by half.
"""

import asyncio
import errno
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from storage import logged
from storage.database import Connection, Database
from storage.errors import StorageError, StorageFull
from storage.logged import LoggedConversation
from storage.mission_log import VERSION, LoggedHead, LoggedMessage, append, encoded
from storage.whole_file import WholeFile

P = ParamSpec("P")
T = TypeVar("T")

PAGE_BYTES = 2_000_000
"""A page is full when it is longer than this; so memory holds two pages and a few turns, not the log."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    conversations: int
    turns: int


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is not written yet: the conversations `first` to `last`; of the first one, if `after` is not None, only
    what is behind that turn id.
    """

    first: int
    last: int
    after: int | None = None


class _Tally:
    """What the end of the log says about all of it."""

    def __init__(self) -> None:
        self.conversations = 0
        self.turns = 0
        self._last_activity: str | None = None
        self._current: tuple[str, str] | None = None

    def add(self, head: LoggedHead) -> None:
        self.conversations += 1
        self._last_activity = max(self._last_activity or "", head.last_updated)
        if head.status == "active" and (self._current is None or head.last_updated >= self._current[0]):
            self._current = head.last_updated, head.conversation_id

    def ending(self) -> bytes:
        current = encoded(self._current[1] if self._current else None)
        metadata = encoded({"total_conversations": self.conversations, "last_activity": self._last_activity})
        return b'],"current_conversation_id":%b,"metadata":%b}\n' % (current, metadata)


async def export_to_file(database: Database, ids: Sequence[str] | None, path: Path) -> ExportSummary:
    """Write the log to a file (mode 0600) that appears whole or not at all; an existing file is replaced then.

    Raises StorageFull, or StorageError when the file cannot be written or there is something else in its place.
    """
    file = WholeFile(path)
    try:
        try:
            await _in_thread(file.begin)
            summary = await export_json(database, ids, file.write)
            await _in_thread(file.keep)
        finally:
            await _in_thread(file.discard)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk is full: {path} was not written.") from error
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error
    return summary


async def export_json(
    database: Database, ids: Sequence[str] | None, write: Callable[[bytearray], object]
) -> ExportSummary:
    """Write the log of the conversations with these whole ids (None: of all), oldest first, a message per line.

    `write` gets the UTF-8 text in pieces of about a page, in a thread where it may block. Raises what `write` raises,
    and StorageError, also for an id that no conversation has.
    """
    rests = await database.read(_everything) if ids is None else await database.read(_chosen, ids)
    tally = _Tally()
    await _in_thread(write, bytearray(b'{"version":%d,"conversations":[' % VERSION))
    async with aclosing(_pages(database, rests, tally)) as pages:
        async for page in pages:
            await _in_thread(write, page)
    await _in_thread(write, bytearray(tally.ending()))
    return ExportSummary(tally.conversations, tally.turns)


async def _pages(database: Database, rests: list[_Rest], tally: _Tally) -> AsyncGenerator[bytearray, None]:
    """Every page; the next one is being read while one is written."""
    reading = asyncio.ensure_future(database.read(_page, rests, tally))
    try:
        while page := await reading:
            reading = asyncio.ensure_future(database.read(_page, rests, tally))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As asyncio.to_thread, but nothing of the work is still going on when the caller was cancelled."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(running, return_exceptions=True)
        raise


# What follows runs in the reader's thread, so that encoding a page does not hold up the loop.


def _page(connection: Connection, rests: list[_Rest], tally: _Tally) -> bytearray:
    """The next page, empty when there is none. `rests` is what is not in it and those before."""
    page = bytearray()
    while rests and len(page) <= PAGE_BYTES:
        rests[:1] = _fill(connection, rests[0], tally, page)
    return page


def _fill(connection: Connection, rest: _Rest, tally: _Tally, page: bytearray) -> list[_Rest]:
    """Add to the page until it is full; what is left."""
    messages = logged.Messages(connection, rest.first, rest.last, after=rest.after or 0)
    for told in logged.conversations(connection, rest.first, rest.last):
        begun = rest.after is not None and told.number == rest.first
        if not begun:
            _begin(page, told, tally)
        last = _add(page, messages.of(told.number), tally, b",\n" if begun else b"\n")
        if last is not None:
            return [_Rest(told.number, rest.last, last)]
        page += b"]," + encoded(told.tail)[1:]
        if len(page) > PAGE_BYTES:
            return [_Rest(told.number + 1, rest.last)]
    return []


def _add(
    page: bytearray, messages: Iterator[tuple[int, int, LoggedMessage]], tally: _Tally, separator: bytes
) -> int | None:
    """Add messages until the page is full; then the turn id of the last one."""
    for _, turn, message in messages:
        page += separator
        append(page, message)
        tally.turns += 1
        if len(page) > PAGE_BYTES:
            return turn
        separator = b",\n"
    return None


def _begin(page: bytearray, told: LoggedConversation, tally: _Tally) -> None:
    page += b",\n" if tally.conversations else b"\n"
    page += encoded(told.head)[:-1] + b',"messages":['
    tally.add(told.head)


def _everything(connection: Connection) -> list[_Rest]:
    """All conversations that there are now."""
    (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM conversations").fetchone()
    return [_Rest(1, newest)]


def _chosen(connection: Connection, ids: Sequence[str]) -> list[_Rest]:
    numbers = set()
    for wanted in ids:
        row = connection.execute("SELECT number FROM conversations WHERE id = :id", {"id": wanted}).fetchone()
        if row is None:
            raise StorageError(f"There is no conversation {wanted}.")
        numbers.add(row[0])
    return [_Rest(number, number) for number in sorted(numbers)]

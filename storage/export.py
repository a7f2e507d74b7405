"""Writing out what was said, in the layout asked for, a page at a time, however long it is.

Each page is a read of its own: a message that is answered while the export runs may or may not be in it, and is never
in it by half.
"""

import asyncio
import errno
from array import array
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

from storage import logged
from storage.conversations import Place, given
from storage.database import Connection, Database
from storage.errors import StorageError, StorageFull
from storage.export_layouts import Layout, MissionLog, TurnLines
from storage.export_markdown import Transcript
from storage.mission_log import LoggedMessage
from storage.whole_file import WholeFile

P = ParamSpec("P")
T = TypeVar("T")

Format = Literal["json", "jsonl", "markdown"]
ENDINGS: dict[Format, str] = {"json": ".json", "jsonl": ".jsonl", "markdown": ".md"}
"""How the name of a file of each format ends."""
LAYOUTS: dict[Format, Callable[[], Layout]] = {"json": MissionLog, "jsonl": TurnLines, "markdown": Transcript}

PAGE_BYTES = 2_000_000
"""A page is full when it is longer than this; so memory holds two pages and a few turns, not the log."""

Chosen = Sequence[str] | Place | None
"""The conversations with these whole ids; those of a place; or, with None, all."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    conversations: int
    turns: int


@dataclass(frozen=True, slots=True)
class _Rest:
    """The conversations `first` to `last`; of the first one, unless `after` is None, only what is behind that turn."""

    first: int
    last: int
    after: int | None = None


class _Ahead:
    """What is not written yet: runs of consecutive conversation numbers, in 16 bytes each however many there are."""

    def __init__(self, numbers: Iterable[tuple[int, int]]) -> None:
        self._bounds = array("q")
        for first, last in numbers:
            if self._bounds and self._bounds[-1] == first - 1:
                self._bounds[-1] = last
            else:
                self._bounds.extend((first, last))
        self._bounds.reverse()
        self._begun: _Rest | None = None

    def pop(self) -> _Rest | None:
        rest, self._begun = self._begun, None
        if rest is None and self._bounds:
            rest = _Rest(self._bounds.pop(), self._bounds.pop())
        return rest

    def put_back(self, rest: _Rest | None) -> None:
        """What was left of the popped one."""
        self._begun = rest


class _Work:
    """One export: what is ahead, how it is laid out, what was written."""

    def __init__(self, ahead: _Ahead, layout: Layout) -> None:
        self.ahead = ahead
        self.layout = layout
        self.conversations = 0
        self.turns = 0


async def export_to_file(database: Database, chosen: Chosen, path: Path, format_: Format = "json") -> ExportSummary:
    """Write an export to a file (mode 0600) that appears whole or not at all; an existing file is replaced then.

    Raises StorageFull, or StorageError when the file cannot be written or there is something else in its place.
    """
    file = WholeFile(path)
    try:
        try:
            await in_thread(file.begin)
            summary = await export_pieces(database, chosen, file.write, format_)
            await in_thread(file.keep)
        finally:
            await in_thread(file.discard)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk is full: {path} was not written.") from error
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error
    return summary


async def export_pieces(
    database: Database, chosen: Chosen, write: Callable[[bytearray], object], format_: Format = "json"
) -> ExportSummary:
    """Write out the chosen conversations, the oldest first.

    `write` gets the UTF-8 text in pieces of about a page, in a thread where it may block. Raises what `write` raises,
    and StorageError, also for an id that no conversation has.
    """
    work = _Work(await database.read(_choose, chosen), LAYOUTS[format_]())
    page = bytearray()
    work.layout.begin(page)
    await in_thread(write, page)
    async with aclosing(_pages(database, work)) as pages:
        async for page in pages:
            await in_thread(write, page)
    page = bytearray()
    work.layout.end(page)
    await in_thread(write, page)
    return ExportSummary(work.conversations, work.turns)


async def _pages(database: Database, work: _Work) -> AsyncGenerator[bytearray, None]:
    """Every page; the next one is being read while one is written."""
    reading = asyncio.ensure_future(database.read(_page, work))
    try:
        while page := await reading:
            reading = asyncio.ensure_future(database.read(_page, work))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As asyncio.to_thread, but nothing of the work is still going on when the caller was cancelled."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(running, return_exceptions=True)
        raise


# What follows runs in the reader's thread, so that encoding a page does not hold up the loop.


def _page(connection: Connection, work: _Work) -> bytearray:
    """The next page, empty when there is none."""
    page = bytearray()
    while len(page) <= PAGE_BYTES and (rest := work.ahead.pop()):
        work.ahead.put_back(_fill(connection, rest, work, page))
    return page


def _fill(connection: Connection, rest: _Rest, work: _Work, page: bytearray) -> _Rest | None:
    """Add to the page until it is full; what is left then."""
    messages = logged.Messages(connection, rest.first, rest.last, after=rest.after or 0)
    for told in logged.conversations(connection, rest.first, rest.last):
        if rest.after is None or told.number != rest.first:
            work.layout.open(page, told)
            work.conversations += 1
        last = _add(page, messages.of(told.number), work)
        if last is not None:
            return _Rest(told.number, rest.last, last)
        work.layout.close(page, told)
        if len(page) > PAGE_BYTES:
            return _Rest(told.number + 1, rest.last)
    return None


def _add(page: bytearray, messages: Iterator[tuple[int, int, LoggedMessage]], work: _Work) -> int | None:
    """Add messages until the page is full; then the turn id of the last one."""
    add = work.layout.add
    for _, turn, message in messages:
        add(page, message)
        work.turns += 1
        if len(page) > PAGE_BYTES:
            return turn
    return None


def _choose(connection: Connection, chosen: Chosen) -> _Ahead:
    """The chosen ones of the conversations that there are now."""
    if chosen is None:
        (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM conversations").fetchone()
        return _Ahead([(1, newest)])
    numbers = _of_place(connection, chosen) if isinstance(chosen, Place) else _of_ids(connection, chosen)
    return _Ahead((number, number) for number in numbers)


def _of_place(connection: Connection, place: Place) -> Iterator[int]:
    wanted = given(place)
    where = " AND ".join(f"{name} = :{name}" for name in wanted) or "1 = 1"
    rows = connection.execute(f"SELECT number FROM conversations WHERE {where} ORDER BY number", wanted)
    return (number for (number,) in iter(rows.fetchone, None))


def _of_ids(connection: Connection, ids: Sequence[str]) -> list[int]:
    numbers = set()
    for wanted in ids:
        row = connection.execute("SELECT number FROM conversations WHERE id = :id", {"id": wanted}).fetchone()
        if row is None:
            raise StorageError(f"There is no conversation {wanted}.")
        numbers.add(row[0])
    return sorted(numbers)

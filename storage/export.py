"""Writing the mission log (`storage.mission_log`), a page at a time, however long it is.

Each page is a read of its own: a message that is answered while the export runs may or may not be in it, and is never
in it by half.
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from storage import logged
from storage.database import Connection, Database
from storage.errors import StorageError, StorageFull
from storage.logged import LoggedConversation
from storage.mission_log import VERSION, LoggedHead, encoded
from storage.whole_file import WholeFile

P = ParamSpec("P")
T = TypeVar("T")

PAGE_CHARACTERS = 1_000_000
"""A page is full when it is longer than this; so memory holds a page and a few turns, not the log."""
NUMBERS_PER_QUERY = 1_000


@dataclass(frozen=True, slots=True)
class ExportSummary:
    conversations: int
    turns: int


@dataclass(frozen=True, slots=True)
class _Page:
    """Encoded messages; `last` is the turn id of the last one, None when no other follows."""

    messages: list[str]
    last: int | None


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

    def ending(self) -> str:
        current = encoded(self._current[1] if self._current else None)
        metadata = encoded({"total_conversations": self.conversations, "last_activity": self._last_activity})
        return f'],"current_conversation_id":{current},"metadata":{metadata}}}\n'


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


async def export_json(database: Database, ids: Sequence[str] | None, write: Callable[[str], object]) -> ExportSummary:
    """Write the log of the conversations with these whole ids (None: of all), oldest first, a message per line.

    `write` gets the text in pieces of about a page, in a thread where it may block. Raises what `write` raises, and
    StorageError, also for an id that no conversation has.
    """
    chosen = await database.read(_numbers_of, ids) if ids is not None else None
    tally = _Tally()
    await _in_thread(write, f'{{"version":{VERSION},"conversations":[')
    async for number in _numbers(database, chosen):
        await _in_thread(write, ",\n" if tally.conversations else "\n")
        async for text in _conversation(database, number, tally):
            await _in_thread(write, text)
    await _in_thread(write, tally.ending())
    return ExportSummary(tally.conversations, tally.turns)


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As asyncio.to_thread, but nothing of the work is still going on when the caller was cancelled."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(running, return_exceptions=True)
        raise


async def _numbers(database: Database, chosen: list[int] | None) -> AsyncIterator[int]:
    """The chosen ones, or those of all conversations that there are now."""
    newest = await database.read(_newest)
    numbers = chosen if chosen is not None else await database.read(_numbers_between, 0, newest)
    while numbers:
        for number in numbers:
            yield number
        numbers = await database.read(_numbers_between, numbers[-1], newest) if chosen is None else []


async def _conversation(database: Database, number: int, tally: _Tally) -> AsyncIterator[str]:
    told, page = await database.read(_first_page, number)
    tally.add(told.head)
    yield encoded(told.head)[:-1] + ',"messages":['
    separator = "\n"
    while page.messages:
        tally.turns += len(page.messages)
        yield separator + ",\n".join(page.messages)
        separator = ",\n"
        if page.last is None:
            break
        page = await database.read(_page, number, page.last)
    yield "]," + encoded(told.tail)[1:]


# What follows runs in the reader's thread, so that encoding a page does not hold up the loop.


def _first_page(connection: Connection, number: int) -> tuple[LoggedConversation, _Page]:
    return logged.conversation(connection, number), _page(connection, number, 0)


def _page(connection: Connection, number: int, after: int) -> _Page:
    texts: list[str] = []
    length = 0
    for turn, message in logged.messages(connection, number, after=after):
        texts.append(encoded(message))
        length += len(texts[-1])
        if length > PAGE_CHARACTERS:
            return _Page(texts, turn)
    return _Page(texts, None)


def _numbers_of(connection: Connection, ids: Sequence[str]) -> list[int]:
    numbers = set()
    for wanted in ids:
        row = connection.execute("SELECT number FROM conversations WHERE id = :id", {"id": wanted}).fetchone()
        if row is None:
            raise StorageError(f"There is no conversation {wanted}.")
        numbers.add(row[0])
    return sorted(numbers)


def _newest(connection: Connection) -> int:
    (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM conversations").fetchone()
    return int(newest)


def _numbers_between(connection: Connection, after: int, newest: int) -> list[int]:
    rows = connection.execute(
        f"""SELECT number FROM conversations WHERE number > :after AND number <= :newest
            ORDER BY number LIMIT {NUMBERS_PER_QUERY}""",
        {"after": after, "newest": newest},
    ).fetchall()
    return [number for (number,) in rows]

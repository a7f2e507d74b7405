"""Writing out what was said, in the layout asked for, a page at a time, however long it is.

Each page is a read of its own (`storage.export_pages`): a message that is answered while the export runs may or may not
be in it, and is never in it by half.
"""

import asyncio
import errno
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from storage import export_pages
from storage.database import Connection, Database
from storage.errors import StorageError, StorageFull
from storage.export_csv import TurnRows
from storage.export_finetune import Persona, TrainingLines
from storage.export_formats import ExportSummary, Format, Render, Told
from storage.export_html import Page
from storage.export_layouts import Layout, MissionLog, TurnLines
from storage.export_markdown import Transcript
from storage.export_pages import Ahead, Rest, Work
from storage.export_selection import Chosen, numbers, selection
from storage.in_thread import in_thread
from storage.whole_file import WholeFile


@dataclass(frozen=True, slots=True)
class Options:
    """What some layouts take: `html` what lays out answers, `finetune` what goes before an agent's conversations."""

    render: Render | None = None
    personas: Mapping[str, Persona] = field(default_factory=dict)


LAYOUTS: dict[Format, Callable[[Options], Layout]] = {
    "json": lambda _: MissionLog(),
    "jsonl": lambda _: TurnLines(),
    "markdown": lambda _: Transcript(),
    "html": lambda options: Page(options.render),
    "csv": lambda _: TurnRows(),
    "finetune": lambda options: TrainingLines(options.personas),
}


async def export_to_file(
    database: Database,
    chosen: Chosen,
    path: Path,
    format_: Format = "json",
    options: Options | None = None,
    told: Told | None = None,
) -> ExportSummary:
    """Write an export to a file (mode 0600) that appears whole or not at all; an existing file is replaced then.

    Raises StorageFull, or StorageError when the file cannot be written or there is something else in its place.
    """
    file = WholeFile(path)
    try:
        try:
            await in_thread(file.begin)
            summary = await export_pieces(database, chosen, file.write, format_, options, told)
            await in_thread(file.keep)
        finally:
            await in_thread(file.discard)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk is full: {path} was not written.") from error
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error
    return summary


async def export_pieces(
    database: Database,
    chosen: Chosen,
    write: Callable[[bytearray], object],
    format_: Format = "json",
    options: Options | None = None,
    told: Told | None = None,
) -> ExportSummary:
    """Write out the chosen conversations, the oldest first.

    `write` gets the UTF-8 text in pieces of about a page, in a thread where it may block. Raises what `write` raises,
    and StorageError, also for an id that no conversation has.
    """
    work = await database.read(_work, chosen, format_, options or Options())
    async with aclosing(_pieces(database, work)) as pieces:
        async for piece in pieces:
            await in_thread(_write, work.layout, write, piece)
            if told is not None:
                told(ExportSummary(work.conversations, work.turns))
    return ExportSummary(work.conversations, work.turns)


async def count_turns(database: Database, chosen: Chosen, format_: Format = "json") -> int:
    """How many turns such an export would have now. Raises StorageError as an export does."""
    work = await database.read(_work, chosen, format_, Options())
    return await database.read(export_pages.turn_count, work)


def _work(connection: Connection, chosen: Chosen, format_: Format, options: Options) -> Work:
    wanted, layout = selection(chosen), LAYOUTS[format_](options)
    return Work(Ahead(numbers(connection, wanted)), wanted.turns & layout.turns, layout)


def _write(layout: Layout, write: Callable[[bytearray], object], piece: bytearray) -> None:
    write(layout.finished(piece))


async def _pieces(database: Database, work: Work) -> AsyncGenerator[bytearray, None]:
    piece = bytearray()
    work.layout.begin(piece)
    yield piece
    if work.layout.lists:
        async with aclosing(_list(database, work)) as pieces:
            async for piece in pieces:
                yield piece
    async with aclosing(_pages(database, work)) as pieces:
        async for piece in pieces:
            yield piece
    piece = bytearray()
    work.layout.end(piece)
    yield piece


async def _list(database: Database, work: Work) -> AsyncGenerator[bytearray, None]:
    """What stands in front of the pages."""
    for first, last in work.ahead.runs():
        following = first
        while following <= last:
            piece, following = await database.read(export_pages.listed, work, Rest(following, last))
            yield piece
    piece = bytearray()
    work.layout.listed(piece)
    yield piece


async def _pages(database: Database, work: Work) -> AsyncGenerator[bytearray, None]:
    """Every page; the next one is being read while one is written."""
    reading = asyncio.ensure_future(database.read(export_pages.filled, work))
    try:
        while (page := await reading) is not None:
            reading = asyncio.ensure_future(database.read(export_pages.filled, work))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

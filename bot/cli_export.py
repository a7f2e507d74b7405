"""The command `export`: which missions, in which format, with a bar for those who watch."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.cli import OK
from bot.cli_missions import find_mission, opened, operator
from bot.cli_output import counted, print_text
from bot.errors import UserError
from bot.settings import Settings
from storage.audit import Act, record
from storage.conversations import Place
from storage.database import Database
from storage.errors import StorageReadOnly
from storage.export import Options, count_turns, export_pieces, export_to_file
from storage.export_formats import ENDINGS, ExportSummary, Format, Told
from storage.export_selection import Selection

EVERYTHING = "all"
STANDARD_OUTPUT = Path("-")


async def export(given: argparse.Namespace) -> int:
    settings, database = opened(given)
    format_ = given.format or format_of(given.file)
    options = _options(settings, format_)
    async with database:
        chosen = await _chosen(database, given)
        details = {"format": format_, "file": str(given.file), **_said(given)}
        await _record(database, Act(operator(), "export", " ".join(given.id), details))
        if given.file == STANDARD_OUTPUT:
            await export_pieces(database, chosen, sys.stdout.buffer.write, format_, options)
            return OK
        total = await count_turns(database, chosen, format_) if sys.stderr.isatty() else None
        with _bar(total) as told:
            summary = await export_to_file(database, chosen, given.file, format_, options, told)
    missions, messages = counted(summary.conversations, "mission"), counted(summary.turns, "message")
    print_text(f"{missions} with {messages} in {given.file}.")
    return OK


def _said(given: argparse.Namespace) -> dict[str, str | int]:
    """Whose messages were asked for, and of when; what was not said is not there."""
    user = ":".join(given.user) if given.user else None
    wanted = {"platform": given.platform, "user": user, "since": given.since, "until": given.until}
    return {name: value for name, value in (wanted | {"rating": given.min_rating}).items() if value is not None}


async def _record(database: Database, act: Act) -> None:
    """Before anything leaves. What cannot be written to can be read all the same: whoever runs this could copy it."""
    with suppress(StorageReadOnly):
        await database.write(record, act)


def format_of(file: Path) -> Format:
    """By the ending of its name, of which the longest counts; the log that can be imported where that says nothing."""
    found = [format_ for format_, ending in ENDINGS.items() if file.name.lower().endswith(ending)]
    return max(found, key=lambda format_: len(ENDINGS[format_]), default="json")


async def _chosen(database: Database, given: argparse.Namespace) -> Selection:
    if EVERYTHING in given.id and len(given.id) > 1:
        raise UserError("Either all missions or those with these ids: `all` goes by itself.")
    if given.since and given.until and given.since >= given.until:
        raise UserError("That is no time at all: --since is not before --until.")
    platform, author = given.user or (given.platform, None)
    if given.platform not in (None, platform):
        raise UserError(f"--user {platform}:{author} is not somebody on {given.platform}.")
    ids = None if given.id == [EVERYTHING] else [(await find_mission(database, each)).id for each in given.id]
    return Selection(ids, Place(platform), author, given.since, given.until, given.min_rating)


def _options(settings: Settings, format_: Format) -> Options:
    if format_ == "html":
        from bot.platforms.web.rendering import render  # noqa: PLC0415 - only for this format

        return Options(render=render)
    if format_ == "finetune":
        from bot.personas import personas_of  # noqa: PLC0415 - see above

        return Options(personas=personas_of(settings))
    return Options()


@contextmanager
def _bar(total: int | None) -> Iterator[Told | None]:
    """On standard error, gone when all is done; with None, nobody watches."""
    if total is None:
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - only where a bar is shown

    # Only where a progress bar is shown.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("Exporting"), BarColumn(), MofNCompleteColumn(), TextColumn("messages"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)

        def told(so_far: ExportSummary) -> None:
            progress.update(task, completed=so_far.turns)

        yield told

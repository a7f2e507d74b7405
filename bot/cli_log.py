"""The command that reads the log of missions back; the bot may be running meanwhile."""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.cli import FAILED, OK
from bot.cli_missions import opened, operator
from bot.cli_output import counted, print_text
from gadgets.text import clean
from storage.audit import Act
from storage.errors import ImportRefused

if TYPE_CHECKING:
    from storage.importing import ImportSummary


async def load(given: argparse.Namespace) -> int:
    """Of a folder, every log: each is added or refused by itself, and told with its name."""
    from storage.import_file import import_file, logs_in  # noqa: PLC0415 - only for this command

    _, database = opened(given)
    status = OK
    async with database:
        for file in logs_in(given.file):
            name = "" if file == given.file else f"{file.name}: "
            try:
                for line in _told(await import_file(database, file, Act(operator(), "import", str(file)))):
                    print_text(name + line)
            except ImportRefused as error:
                if not name:
                    raise
                sys.stderr.write(clean(f"{name}{error}") + "\n")
                status = FAILED
    return status


def _told(summary: "ImportSummary") -> Iterator[str]:
    there = f"; {counted(summary.skipped, 'mission')} there already" if summary.skipped else ""
    yield f"{counted(summary.conversations, 'mission')} with {counted(summary.turns, 'message')} added{there}."
    if summary.kept:
        entries = f"{summary.kept} entry was" if summary.kept == 1 else f"{summary.kept} entries were"
        yield f"{entries} not understood in whole or in part: what was not is kept as it was, in the extras."
    if summary.differing:
        yield f"Not the same here as in the file, and left as they are: {', '.join(summary.differing)}."
    if summary.forgotten:
        yield f"Left out, because who said it was forgotten: {counted(summary.forgotten, 'message')}."
    if summary.ended:
        yield f"Ended, because another mission is active in their place: {', '.join(summary.ended)}."

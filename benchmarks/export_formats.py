"""Every format of `export`: how fast, and how much memory it takes.

    python -m benchmarks.export_formats [--turns N] [--formats json,csv,…]

The database is that of `benchmarks.export_import`. Every export is a process of its own, as the command makes it: a
page has its answers laid out, training lines have their prompts. The last one chooses: one person's turns of a time.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.export_import import Measured, fill, in_a_process
from benchmarks.support.verdict import verdict
from bot.personas import personas_of
from bot.platforms.web.rendering import render
from bot.settings import Settings
from storage.conversations import Place
from storage.export import Options, export_to_file
from storage.export_formats import ENDINGS, Format
from storage.export_selection import Chosen, Selection
from storage.sqlite import SQLiteDatabase

MEGABYTES = 64
"""By which memory may grow, whatever the number of turns."""
CHOICE = Selection(place=Place("discord"), author="u1", since="2020-01-01T00:00:00.000Z")


async def export(database: Path, file: Path, format_: Format, chosen: Chosen) -> None:
    options = Options(render=render, personas=personas_of(Settings()))
    async with SQLiteDatabase(str(database)) as opened:
        await export_to_file(opened, chosen, file, format_, options)


def measured(folder: Path, database: Path, format_: Format, chosen: Chosen) -> tuple[Measured, float]:
    """And the megabytes of the file, which is gone afterwards."""
    file = folder / f"log{ENDINGS[format_]}"
    one = in_a_process(partial(export, database, file, format_, chosen))
    size = file.stat().st_size / 1e6
    file.unlink()
    return one, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=100_000)
    parser.add_argument("--formats", default=",".join(ENDINGS), help="default: all")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        (database,) = fill(Path(name) / "a.db", (given.turns,))
        print(f"-- {given.turns:,} turns, {database.stat().st_size / 1e6:.0f} MB")
        wanted: list[tuple[str, Format, Chosen]] = [(f, f, None) for f in ENDINGS if f in given.formats.split(",")]
        for what, format_, chosen in [*wanted, ("json, chosen", "json", CHOICE)]:
            one, size = measured(Path(name), database, format_, chosen)
            speed = f"{one.seconds:.1f} s, {size / one.seconds:.0f} MB/s, {given.turns / one.seconds:,.0f} turns/s"
            print(verdict(f"{what}: memory, MB", one.megabytes, MEGABYTES, speed))


if __name__ == "__main__":
    main()

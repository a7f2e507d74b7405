"""Giving unused space back, and wiping out what is left in it of what was erased.

The database overwrites what it deletes, but not the copies that it left behind when it moved rows about before. So
whoever erases something for good asks for a compaction, in the same transaction; it is done right after, or when the
program starts the next time: the file is written anew, and its log (WAL) is emptied.
"""

import asyncio
import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from storage import keepsakes
from storage.database import Connection, Database
from storage.errors import StorageBusy, StorageError
from storage.sqlite_errors import translate

WAIT_SECONDS = 30.0
"""For others to let go of the database, in all."""
PAUSE_SECONDS = 0.1
_NAME = "compaction"


def ask(connection: Connection) -> None:
    """A unit of work: what was erased is to be wiped out."""
    keepsakes.replace(connection, _NAME, secrets.token_hex(8))


def asked(connection: Connection) -> str | None:
    """A unit of work: what `done` has to be told if a compaction was asked for."""
    return keepsakes.find(connection, _NAME)


def done(connection: Connection, asked_for: str) -> None:
    """A unit of work: it is done, unless it was asked for again meanwhile."""
    connection.execute(
        "DELETE FROM keepsakes WHERE name = :name AND value = :value", {"name": _NAME, "value": asked_for}
    )


async def compact_if_asked(database: Database, file: Path) -> bool:
    """Whether it was. Raises StorageError; then it stays asked for."""
    asked_for = await database.read(asked)
    if asked_for is None:
        return False
    await asyncio.to_thread(compact, file)
    await database.write(done, asked_for)
    return True


def compact(file: Path, *, seconds: float = WAIT_SECONDS) -> None:
    """Write the file anew, about 200 MB a second, beside a bot that can read but not write meanwhile. Blocks.

    Needs as much room on the disk as the database has. Raises StorageError.
    """
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=seconds)) as connection:
            connection.isolation_level = None
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("VACUUM")
            _empty_log(connection, seconds)
    except sqlite3.Error as error:
        raise translate(error) from error


def _empty_log(connection: sqlite3.Connection, seconds: float) -> None:
    """A reader may hold on to it. See https://www.sqlite.org/pragma.html#pragma_wal_checkpoint."""
    until = time.monotonic() + seconds
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > until:
            raise StorageBusy
        time.sleep(PAUSE_SECONDS)


def file_of(url: str) -> Path:
    """Where the database of a `sqlite:///` URL is. Raises StorageError for others."""
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite" or len(rest) < 2:
        raise StorageError("That is possible with sqlite:/// databases only; others bring tools of their own.")
    return Path(rest[1:])

"""A copy of the database, made while the bot is at work, and what tells whether one is good.

The copy is of one instant: it is read in one transaction, beside which writers go on (https://www.sqlite.org/wal.html).
It takes its name only when it is whole, checked and on the disk, under which another backup is replaced then.
"""

import asyncio
import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.errors import StorageBusy, StorageCorrupt, StorageError, StorageFull, StorageTooNew
from storage.migrations import all_migrations
from storage.part_file import PartFile
from storage.sqlite_errors import translate
from storage.sqlite_setup import APPLICATION_ID

PAGES = 1_000
"""Copied between two looks at whether it is to stop."""
STEPS = 100_000
"""Of SQLite's machine, likewise while the copy is checked."""
WAIT_SECONDS = 10.0
PROBLEMS = 3
"""Of a damaged copy that are told."""
BESIDES = ("", "-wal", "-shm", "-journal", ".lock", ".forgotten")
"""How the names of a database's own files end."""
_APPLICATION_ID_AT, _HEADER = 68, 100

Progress = Callable[[int, int], None]
"""Told how many pages are copied, of how many; in another thread."""


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What is in a backup that is good. `schema` is the number of the newest migration, `bytes` the file's size."""

    missions: int
    messages: int
    schema: int
    bytes: int


class _Stopped(Exception):
    """Nobody waits for the backup any more."""


async def back_up(
    database: Path, target: Path, progress: Progress = lambda _done, _of: None, *, wait_seconds: float = WAIT_SECONDS
) -> BackupSummary:
    """Copy a database (its file) to `target`. When it is cancelled, nothing is left.

    `wait_seconds`: for another process that has locked the database. Raises StorageError, StorageFull and StorageBusy
    among others; then what was at `target` is as it was.
    """
    stop = threading.Event()
    copying = asyncio.ensure_future(asyncio.to_thread(_back_up, database, target, progress, stop, wait_seconds))
    try:
        return await asyncio.shield(copying)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(copying, return_exceptions=True)
        raise


def _back_up(
    database: Path, target: Path, progress: Progress, stop: threading.Event, wait_seconds: float
) -> BackupSummary:
    target = target.resolve()
    _refuse(database, target)
    part = PartFile(target)
    try:
        try:
            part.begin()
            with _connected(database, "mode=rw", wait_seconds) as source:
                _copy(source, database, part.path, progress, stop)
            summary = check(part.path, stop)
            part.keep()
        finally:
            part.discard()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk is full: {target} was not written.") from error
        raise StorageError(f"{target} cannot be written: {error.strerror}.") from error
    except StorageFull as error:
        raise StorageFull(f"The disk is full: {target} was not written.") from error
    except StorageCorrupt as error:
        raise StorageCorrupt(f"{database} is damaged, and {target} was not written: {error}") from error
    return summary


def _refuse(database: Path, target: Path) -> None:
    """Raises StorageError where a backup would destroy something."""
    if not database.is_file():
        raise StorageError(f"There is no database at {database}.")
    own = [Path(f"{database.resolve()}{ending}") for ending in BESIDES]
    if target in own or any(each.exists() and target.exists() and target.samefile(each) for each in own):
        raise StorageError(f"{target} belongs to the database itself: give the name of another file.")
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "not an ordinary file"
        raise StorageError(f"{target} is {kind}: give the name of a file.")
    if target.exists() and target.stat().st_size and not _is_ours(target):
        raise StorageError(f"{target} is there already and is no backup: give another name.")


def _is_ours(file: Path) -> bool:
    """By its first bytes. See https://www.sqlite.org/fileformat.html, section 1.3."""
    with file.open("rb") as opened:
        header = opened.read(_HEADER)
    return header[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4] == APPLICATION_ID.to_bytes(4, "big")


def _copy(source: sqlite3.Connection, database: Path, part: Path, progress: Progress, stop: threading.Event) -> None:
    def copied(_: int, remaining: int, total: int) -> None:
        if stop.is_set():
            raise _Stopped
        progress(total - remaining, total)

    source.execute("PRAGMA query_only = ON")
    source.execute("BEGIN")
    _require_ours(source, database)  # it has read something, so that all that follows is of this instant
    with _connected(part, "mode=rw") as copy:
        copy.execute("PRAGMA synchronous = OFF")  # it is synced as a whole, or not kept
        copy.execute("PRAGMA journal_mode = OFF")
        source.backup(copy, pages=PAGES, progress=copied)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, which can be read where nothing can be written
    source.execute("ROLLBACK")


def check(path: Path, stop: threading.Event | None = None) -> BackupSummary:
    """Read a backup through: whose it is, its version, every page and index, and every reference. Blocks.

    Raises StorageError, StorageCorrupt and StorageTooNew among others.
    """
    if not path.is_file():
        raise StorageError(f"There is no file {path}.")
    log = Path(f"{path}-wal")
    alone = not log.exists() or log.stat().st_size == 0
    with _connected(path, "mode=ro&immutable=1" if alone else "mode=ro") as connection:
        if stop is not None:
            connection.set_progress_handler(stop.is_set, STEPS)
        schema = _require_ours(connection, path)
        _require_sound(connection)
        missions, messages = (_count(connection, table) for table in ("conversations", "turns"))
        return BackupSummary(missions, messages, schema, path.stat().st_size)


@contextmanager
def _connected(path: Path, how: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[sqlite3.Connection]:
    """Raises our names for what SQLite raises, with the file that it is about."""
    uri = f"{path.resolve().as_uri()}?{how}"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=wait_seconds, isolation_level=None)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise _named(error, path) from error


def _require_ours(connection: sqlite3.Connection, path: Path) -> int:
    """The number of the newest migration. Raises StorageError, StorageTooNew."""
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    if found != APPLICATION_ID:
        raise StorageError(f"{path} is not a database of this program.")
    applied = connection.execute("SELECT number, name FROM migrations ORDER BY number").fetchall()
    known = [(migration.number, migration.name) for migration in all_migrations()]
    if len(applied) > len(known):
        raise StorageTooNew
    if not applied or applied != known[: len(applied)] or _tables(connection) != _tables_after(len(applied)):
        raise StorageCorrupt(f"{path}: its tables are not those of this program.")
    return len(applied)


def _tables_after(applied: int) -> list[tuple[str, ...]]:
    """What so many migrations make."""
    with closing(sqlite3.connect(":memory:")) as model:
        for migration in all_migrations()[:applied]:
            model.executescript(migration.sql)
        return _tables(model)


def _tables(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute(
        """SELECT type, name, sql FROM sqlite_master
            WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'migrations' ORDER BY type, name"""
    ).fetchall()


def _require_sound(connection: sqlite3.Connection) -> None:
    rows = connection.execute(f"PRAGMA integrity_check({PROBLEMS})").fetchall()
    problems = [text for (text,) in rows if text != "ok"]
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(PROBLEMS):
        problems.append(f"row {row} of {table} belongs to a row of {parent} that is not there")
    if problems:
        raise StorageCorrupt("; ".join(problems))


def _count(connection: sqlite3.Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(rows)


def _named(error: sqlite3.Error, path: Path) -> StorageError:
    translated = translate(error)
    if isinstance(translated, StorageBusy):
        return StorageBusy(f"{path} is locked by another process: try again later.")
    return StorageCorrupt(f"{path}: {translated}") if isinstance(translated, StorageCorrupt) else translated

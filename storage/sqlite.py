"""SQLite behind the Database protocol: one writer with group commit, one reader, on aiosqlite's threads.

Writes that wait while a transaction is being synced to disk share the next one: a savepoint per unit keeps them
apart, one commit makes them all durable. See https://www.sqlite.org/wal.html for why a reader never waits for them.
"""

import asyncio
import errno
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from storage.clock import utc_now
from storage.database import P, R, Unit
from storage.errors import (
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageReadOnly,
    StorageTooNew,
)
from storage.migrations import Migration, all_migrations
from storage.sqlite_file import guard, lock_file, make_file, make_folder

T = TypeVar("T")
_Job = tuple[Callable[[sqlite3.Connection], Any], "asyncio.Future[Any]"]
_Settled = tuple["asyncio.Future[Any]", Any, BaseException | None]

APPLICATION_ID = 0x53414754  # "SAGT", so that another program's database is not taken for ours
MAX_BATCH = 256
"""Units that share one transaction at most, so that the first of them does not wait for thousands of others."""
BUSY_SECONDS = 5.0
"""How long a statement waits for a lock that another process holds."""
_PRAGMAS = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
"""
_KINDS: dict[int, type[StorageError]] = {
    sqlite3.SQLITE_BUSY: StorageBusy,
    sqlite3.SQLITE_LOCKED: StorageBusy,
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_READONLY: StorageReadOnly,
    sqlite3.SQLITE_CANTOPEN: StorageReadOnly,
    sqlite3.SQLITE_PERM: StorageReadOnly,
    sqlite3.SQLITE_CORRUPT: StorageCorrupt,
    sqlite3.SQLITE_NOTADB: StorageCorrupt,
}


def translate(error: sqlite3.Error) -> StorageError:
    """Our name for what SQLite reports (https://www.sqlite.org/rescode.html: the low byte is the primary code)."""
    code = getattr(error, "sqlite_errorcode", None)
    kind = _KINDS.get(code & 0xFF, StorageError) if code is not None else StorageError
    return StorageError(str(error)) if kind is StorageError else kind()


class _UnitConnection(aiosqlite.Connection):
    """An aiosqlite connection that also runs a whole function in its thread."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        # aiosqlite's only way to run something of ours in its thread; a subclass may use it.
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result

    def submit(self, work: Callable[[], None]) -> None:
        """Queue `work` behind everything submitted before; nobody waits for it."""
        self._tx.put_nowait((None, work))


class SQLiteDatabase:
    """One SQLite file. Open it with `async with`; see `storage.database.Database` for what it promises."""

    def __init__(self, path: str, *, exclusive: bool = True, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = Path(path)
        self._exclusive = exclusive
        self._busy_seconds = busy_seconds
        self._closing = AsyncExitStack()
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._draining = False
        self._open = False
        self._damaged = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(self._prepare_file, stack)
            guarding = await self._guard(stack)
            self._writer = await self._connect(stack)
            await self._translated(self._writer, _set_up)
            self._reader = await self._connect(stack)
            await self._translated(self._reader, _make_reader)
            guarding.close()
            self._closing = stack.pop_all()
        self._open = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._open = False
        async with AsyncExitStack() as stack:
            if self._damaged:
                await self._guard(stack)
            await self._closing.aclose()

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if not self._open:
            raise StorageError("The database is closed.")
        future: asyncio.Future[R] = self._loop.create_future()
        job: Callable[[sqlite3.Connection], R] = partial(_call, unit, args, kwargs)
        with self._lock:
            self._waiting.append((job, future))
            start, self._draining = not self._draining, True
        if start:
            self._writer.submit(self._drain)
        return await future

    async def read(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if not self._open:
            raise StorageError("The database is closed.")
        job: Callable[[sqlite3.Connection], R] = partial(_call, unit, args, kwargs)
        return await self._translated(self._reader, partial(_run_read, job))

    async def _translated(self, connection: _UnitConnection, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await connection.run(work)
        except sqlite3.Error as error:
            translated = translate(error)
            self._damaged |= isinstance(translated, StorageCorrupt)
            raise translated from error

    async def _guard(self, stack: AsyncExitStack) -> sqlite3.Connection:
        """Keeps the files as they are if the connections that are opened from now on close before it."""
        guarding = await asyncio.to_thread(guard, self._path)
        stack.callback(guarding.close)
        return guarding

    async def _connect(self, stack: AsyncExitStack) -> _UnitConnection:
        # Autocommit mode: transactions are begun and ended by us, never by the driver's guess at a statement.
        connect = partial(sqlite3.connect, self._path, timeout=self._busy_seconds, isolation_level=None)
        connection = _UnitConnection(connect, iter_chunk_size=64)
        try:
            await stack.enter_async_context(connection)
        except sqlite3.Error as error:
            raise translate(error) from error
        return connection

    def _prepare_file(self, stack: AsyncExitStack) -> None:
        """Make folder and file, and take the lock of the one answering process."""
        try:
            make_folder(self._path.parent)
            make_file(self._path.resolve())
            if self._exclusive:
                stack.callback(lock_file(self._path.resolve()).release)
        except OSError as error:
            raise (StorageFull if error.errno == errno.ENOSPC else StorageReadOnly) from error

    # What follows runs in the writer's thread.

    def _drain(self) -> None:
        """Commit batch after batch until nobody waits. The loop is woken once per batch."""
        while batch := self._take():
            settled = _run_batch(self._writer._conn, batch)  # noqa: SLF001 - this is its thread
            self._damaged |= any(isinstance(error, StorageCorrupt) for _, _, error in settled)
            self._loop.call_soon_threadsafe(_settle, settled)

    def _take(self) -> list[_Job]:
        with self._lock:
            count = min(len(self._waiting), MAX_BATCH)
            self._draining = count > 0
            return [self._waiting.popleft() for _ in range(count)]


def _call(unit: Callable[..., R], args: Any, kwargs: Any, connection: sqlite3.Connection) -> R:
    return unit(connection, *args, **kwargs)


def _run_read(job: Callable[[sqlite3.Connection], R], connection: sqlite3.Connection) -> R:
    """One transaction, so that all statements of a unit see the same state."""
    connection.execute("BEGIN")
    try:
        return job(connection)
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")


def _run_batch(connection: sqlite3.Connection, batch: list[_Job]) -> list[_Settled]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        settled = [_run_unit(connection, job) for job in batch]
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        return [(future, None, _caused(translate(error), error)) for _, future in batch]
    return settled


def _run_unit(connection: sqlite3.Connection, job: _Job) -> _Settled:
    """Run one unit in its savepoint. Its own error is its own; losing the transaction is everybody's."""
    unit, future = job
    connection.execute("SAVEPOINT unit")
    try:
        result = unit(connection)
    except Exception as error:
        if not connection.in_transaction:  # SQLite rolled everything back (disk full, I/O error)
            raise (error if isinstance(error, sqlite3.Error) else sqlite3.OperationalError(str(error))) from error
        connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
        return future, None, _caused(translate(error), error) if isinstance(error, sqlite3.Error) else error
    connection.execute("RELEASE unit")
    return future, result, None


def _caused(error: StorageError, cause: BaseException) -> StorageError:
    error.__cause__ = cause
    return error


def _settle(settled: list[_Settled]) -> None:
    for future, result, error in settled:
        if future.done():  # the caller was cancelled meanwhile
            continue
        if error is None:
            future.set_result(result)
        elif isinstance(error, StopIteration):  # a future takes any exception but this one
            future.set_exception(RuntimeError("the unit raised StopIteration"))
        else:
            future.set_exception(error)


def _set_up(connection: sqlite3.Connection) -> None:
    _refuse_foreign(connection)
    connection.executescript(_PRAGMAS)
    connection.execute(
        """CREATE TABLE IF NOT EXISTS migrations
            (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)"""
    )
    for migration in all_migrations()[_version(connection) :]:
        _apply(connection, migration)


def _refuse_foreign(connection: sqlite3.Connection) -> None:
    """Leave a database alone that is another program's, or a newer version's; sign a new one."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    if found != APPLICATION_ID and (tables or found):
        raise StorageError("The file is the database of another program: choose another [storage] url.")
    if _version(connection) > len(all_migrations()):
        raise StorageTooNew
    if found != APPLICATION_ID:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _version(connection: sqlite3.Connection) -> int:
    """The number of the newest migration that was applied."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone():
        return 0
    (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchone()
    return int(newest)


def _make_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    """Apply and record a migration. Its record goes first: it fails where another process was quicker."""
    record = f"INSERT INTO migrations VALUES ({migration.number}, '{migration.name}', '{utc_now()}');"
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{record}\n{migration.sql}\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if _version(connection) < migration.number:
            raise

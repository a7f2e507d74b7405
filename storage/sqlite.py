"""SQLite behind the Database protocol: one writer with group commit, one reader, on aiosqlite's threads.

Writes that wait while a transaction is being synced to disk share the next one: one commit makes them all durable,
and when one of them fails, savepoints keep the others apart from it. See https://www.sqlite.org/wal.html for why a
reader never waits for them.
"""

import asyncio
import errno
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from storage.database import P, R, Unit
from storage.errors import StorageCorrupt, StorageError, StorageFull, StorageReadOnly
from storage.sqlite_errors import translate
from storage.sqlite_file import guard, lock_file, make_file, make_folder
from storage.sqlite_setup import set_up_reader, set_up_writer

T = TypeVar("T")
_Job = tuple[Callable[[sqlite3.Connection], Any], "asyncio.Future[Any]"]
_Naming = Callable[[sqlite3.Error], StorageError]
_Settled = tuple["asyncio.Future[Any]", Any, BaseException | None]
OnBatch = Callable[[int, float, bool], None]
"""Told of each transaction, in the writer's thread: how many units it had, how many seconds it took, and whether the
database failed (it is full, locked or damaged, say; not that a unit refused).
"""

MAX_BATCH = 256
"""Units that share one transaction at most, so that the first of them does not wait for thousands of others."""
GATHER_SECONDS = 0.001
"""How long a write waits for others to share its commit, while commits follow each other this closely:"""
CLOSELY_SECONDS = 0.005
BUSY_SECONDS = 2.0
"""How long a statement waits for a lock that another process holds: twice of it fits into the end of the program."""


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

    def __init__(
        self,
        path: str,
        *,
        exclusive: bool = True,
        busy_seconds: float = BUSY_SECONDS,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._on_batch = on_batch
        self._path = Path(path)
        self._exclusive = exclusive
        self._busy_seconds = busy_seconds
        self._closing = AsyncExitStack()
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._draining = False
        self._committed_at = 0.0
        self._open = False
        self._damaged = False
        self._writable = True

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(self._prepare_file, stack)
            unguard = await self._guard(stack)
            self._writer = await self._connect(stack)
            await self._translated(self._writer, set_up_writer)
            self._reader = await self._connect(stack)
            await self._translated(self._reader, set_up_reader)
            unguard()
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
        self._require_writable()
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
            raise self._named(error) from error

    def _named(self, error: sqlite3.Error) -> StorageError:
        """Our name for an error; with damage, which file it is that somebody has to look after."""
        translated = translate(error)
        if not isinstance(translated, StorageCorrupt):
            return translated
        self._damaged = True
        return StorageCorrupt(f"{self._path}: {translated}")

    async def _guard(self, stack: AsyncExitStack) -> Callable[[], None]:
        """Keeps the files as they are while connections close; ends with the stack at the latest."""
        try:
            unguard = await asyncio.to_thread(guard, self._path.resolve())
        except sqlite3.Error as error:
            raise translate(error) from error
        stack.callback(unguard)
        return unguard

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
            self._writable = os.access(self._path, os.W_OK)
        except OSError as error:
            raise (StorageFull if error.errno == errno.ENOSPC else StorageReadOnly) from error
        if self._exclusive:
            self._require_writable()

    def _require_writable(self) -> None:
        """SQLite begins a transaction for writing even where it opened the file for reading only."""
        if not self._writable:
            raise StorageReadOnly

    # What follows runs in the writer's thread.

    def _drain(self) -> None:
        """Commit batch after batch until nobody waits. The loop is woken once per batch."""
        while batch := self._gathered():
            began = time.monotonic()
            settled = _run_batch(self._writer._conn, batch, self._named)  # noqa: SLF001 - this is its thread
            self._loop.call_soon_threadsafe(_settle, settled)
            self._committed_at = time.monotonic()
            if self._on_batch is not None:
                self._on_batch(len(batch), self._committed_at - began, any(map(_failed, settled)))

    def _gathered(self) -> list[_Job]:
        """The next batch. Right after another one it waits a moment: a commit costs more than what is in it."""
        if time.monotonic() - self._committed_at < CLOSELY_SECONDS:
            time.sleep(GATHER_SECONDS)
        return self._take()

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


def _run_batch(connection: sqlite3.Connection, batch: list[_Job], named: _Naming) -> list[_Settled]:
    """Run all units in one transaction; if one of them raises, once more, kept apart by savepoints."""
    try:
        settled = _run_together(connection, batch)
        return _run_apart(connection, batch, named) if settled is None else settled
    except Exception as error:  # noqa: BLE001 - whoever waits is told; the writer must go on
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        told = _caused(named(error), error) if isinstance(error, sqlite3.Error) else error
        return [(future, None, told) for _, future in batch]


def _run_together(connection: sqlite3.Connection, batch: list[_Job]) -> list[_Settled] | None:
    """The ordinary case, without the cost of savepoints. None when a unit raised: then nothing is kept."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        settled: list[_Settled] = [(future, unit(connection), None) for unit, future in batch]
    except Exception:  # noqa: BLE001 - it is raised again, by itself, when the units run apart
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        return None
    connection.execute("COMMIT")
    return settled


def _run_apart(connection: sqlite3.Connection, batch: list[_Job], named: _Naming) -> list[_Settled]:
    connection.execute("BEGIN IMMEDIATE")
    settled = [_run_unit(connection, job, named) for job in batch]
    connection.execute("COMMIT")
    return settled


def _run_unit(connection: sqlite3.Connection, job: _Job, named: _Naming) -> _Settled:
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
        return future, None, _caused(named(error), error) if isinstance(error, sqlite3.Error) else error
    connection.execute("RELEASE unit")
    return future, result, None


def _failed(settled: _Settled) -> bool:
    """Whether it was the database that failed a unit, not the unit itself."""
    error = settled[2]
    cause = error.__cause__ if isinstance(error, StorageError) else None
    return isinstance(cause, sqlite3.Error) and not isinstance(
        cause, (sqlite3.IntegrityError, sqlite3.ProgrammingError)
    )


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

"""The one door to the database.

A unit of work is a plain function whose first argument is a connection; it is run whole, in one thread hop, inside a
transaction of its own. Units compose by calling each other, and are tested on a bare connection.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

from storage.errors import StorageError

P = ParamSpec("P")
R = TypeVar("R")

Row = Sequence[Any]


class Cursor(Protocol):
    """What units use of a DB-API cursor (PEP 249)."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """What units use of a connection. Parameters are named (`:name`), which every backend understands."""

    def execute(self, sql: str, parameters: Mapping[str, Any] = ..., /) -> Cursor: ...


Unit = Callable[Concatenate[Connection, P], R]


class Database(Protocol):
    """Runs units of work. `async with` opens (and migrates) it, and closes it after the last waiting unit."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `unit` and return its result once it is durable (committed and synced to disk).

        Raises what the unit raises (then nothing of it is kept), or StorageError. A cancelled caller does not undo
        the unit: it may still be committed. A unit has no effect but on its connection: when another unit in its
        transaction fails, it is run once more from the start.
        """
        ...

    async def read(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a unit that only reads, beside the writers. It sees everything committed before the call."""
        ...


def open_database(
    url: str, *, exclusive: bool = True, on_batch: Callable[[int, float, bool], None] | None = None
) -> Database:
    """The database of a `sqlite:///relative.db` or `sqlite:////absolute.db` URL.

    `exclusive` is for the one process that answers messages: a second one raises StorageInUse when it opens the
    same database. Tools that only look or make one change open it with `exclusive=False`. `on_batch` is told of each
    transaction, in another thread: how many units it had, how many seconds it took, and whether the database failed.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from storage.sqlite import SQLiteDatabase  # noqa: PLC0415 - only the configured backend is imported

        return SQLiteDatabase(rest[1:], exclusive=exclusive, on_batch=on_batch)
    raise StorageError(f"{scheme or url!r} databases are not supported: use sqlite:///data/secret-agents.db")

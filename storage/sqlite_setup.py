"""Making a fresh connection ready: pragmas, whose file it is, migrations."""

import sqlite3

from storage.clock import utc_now
from storage.errors import StorageError, StorageTooNew
from storage.migrations import Migration, all_migrations

APPLICATION_ID = 0x53414754  # "SAGT", so that another program's database is not taken for ours
_PRAGMAS = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 4000;
"""


def set_up_writer(connection: sqlite3.Connection) -> None:
    """Prepare, sign and migrate. Raises StorageError, StorageTooNew or sqlite3.Error."""
    _refuse_foreign(connection)
    connection.executescript(_PRAGMAS)
    connection.execute(
        """CREATE TABLE IF NOT EXISTS migrations
            (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)"""
    )
    for migration in all_migrations()[_version(connection) :]:
        _apply(connection, migration)


def set_up_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")


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

"""Our names for what SQLite reports."""

import sqlite3

from storage.errors import StorageBusy, StorageCorrupt, StorageError, StorageFull, StorageReadOnly

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

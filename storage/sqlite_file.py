"""The file of a SQLite database: made, locked against a second answering process, guarded while something is wrong."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from storage.errors import StorageInUse


def make_folder(folder: Path) -> None:
    """With its parents, and so that it survives a power failure: SQLite syncs the folder of its files, none above."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        descriptor = os.open(each.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_file(path: Path) -> None:
    """Make the empty file, mode 0600 whatever the umask; SQLite gives its other files the same mode.

    A file that exists is not touched: closing any descriptor of it would take away the locks that other connections
    of this process hold on it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    if path.exists():
        return
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)


def lock_file(path: Path) -> FileLock:
    """Take the lock of the one answering process; `path` is resolved, so that a link is no second door.

    Raises StorageInUse.
    """
    lock = FileLock(f"{path}.lock", timeout=0, thread_local=False, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        raise StorageInUse from error
    return lock


def guard(path: Path) -> sqlite3.Connection:
    """A connection that cannot write: a damaged file stays as it is while this is the last connection to be closed.

    The last one moves the log (WAL) into the file and deletes it as it closes
    (https://www.sqlite.org/wal.html#checkpointing), whatever it has met before; this one cannot. What is wrong with
    the file is for the others to tell.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0, check_same_thread=False)
    with suppress(sqlite3.Error):
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only who has read takes part
    return connection

"""The file of a SQLite database: made, locked against a second answering process, guarded while it may be damaged."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from storage.errors import StorageInUse
from storage.file_lock import FileLock


def make_folder(folder: Path) -> None:
    """With its parents, and so that it survives a power failure: SQLite syncs the folder of its files, none above."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        with suppress(OSError):  # where folders cannot be read, or the file system knows no syncing of them
            _sync(each.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
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
    lock = FileLock(Path(f"{path}.lock"))
    try:
        lock.acquire()
    except BlockingIOError as error:
        raise StorageInUse from error
    return lock


def guard(path: Path) -> Callable[[], None]:
    """Until what this returns is called, connections that close leave the file and its log (WAL) as they are.

    The last connection to close moves the log into the file and deletes it
    (https://www.sqlite.org/wal.html#checkpointing), however damaged it has found the file. The last one is therefore
    one that cannot write. Without a log there is nothing to guard. Raises sqlite3.Error.
    """
    log = Path(f"{path}-wal")
    if not log.exists() or log.stat().st_size == 0:
        return _nothing
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0, check_same_thread=False)
    with suppress(sqlite3.Error):  # what is wrong with the file is for the others to tell
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only who has read takes part
    return connection.close


def _nothing() -> None:
    """There is nothing to end."""

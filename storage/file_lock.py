"""A lock that the operating system takes away from a process that dies: `flock` on a file of its own.

What the package filelock does, which is used where a lock is waited for; it takes 0.4 MB, and this one is taken at
every start.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class FileLock:
    """Held from `acquire` to `release`, by one process of this machine at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def acquire(self) -> None:
        """Raises BlockingIOError when another holds it, FileNotFoundError when it goes meanwhile, OSError."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with suppress(PermissionError):  # the file of another account, which may let us
                os.fchmod(descriptor, 0o600)  # an umask may have taken even that away
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink == 0:
                raise FileNotFoundError(None, "removed by who held it before", str(self._path))
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Does nothing where it is not held."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

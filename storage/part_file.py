"""A file that is made by others, such as SQLite, under a name beside its own, which it gets when it is whole.

The name is always the same, `.NAME.part`: what a killed process left is overwritten by the next one. A lock keeps two
processes from writing the same file.
"""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from storage.errors import StorageBusy

_ATTEMPTS = 10
_BESIDES = ("-wal", "-shm", "-journal")
"""Files that SQLite makes beside one, and that a killed process leaves."""


class PartFile:
    """Every method blocks and may raise OSError; a failed one leaves what is at `target` as it was."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f".{target.name}.part")
        self._target = target
        self._descriptor: int | None = None

    def begin(self) -> None:
        """Make it, empty, mode 0600. Raises StorageBusy while another process is about to write the same file."""
        for _ in range(_ATTEMPTS):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            if _locked(descriptor) and _is_at(descriptor, self.path):
                self._descriptor = descriptor
                break
            os.close(descriptor)  # it got its name a moment ago; the next one is another file
        else:
            raise StorageBusy(f"{self._target} is being written by another process.")
        os.fchmod(self._descriptor, 0o600)  # an umask may have taken even that away
        os.ftruncate(self._descriptor, 0)
        self._remove_besides()

    def keep(self) -> None:
        """Give it its name, durably."""
        assert self._descriptor is not None
        os.fsync(self._descriptor)
        self.path.replace(self._target)
        self._close()
        folder = os.open(self._target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Remove what was begun and not kept."""
        if self._descriptor is None:
            return
        self._remove_besides()
        self.path.unlink(missing_ok=True)
        self._close()

    def _remove_besides(self) -> None:
        for ending in _BESIDES:
            Path(f"{self.path}{ending}").unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the file still has this name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False

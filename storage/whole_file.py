"""A file that appears whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from storage.errors import StorageError

SYNC_BYTES = 32_000_000
"""So much is written to the disk at a time: the end need not wait for all of it, nor other programs for their turn."""


class WholeFile:
    """Written beside its final place (mode 0600), where it takes the place of an existing file when it is kept.

    Every method blocks and may raise OSError; a failed one leaves the existing file as it was.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft: Path | None = None
        self._unsynced = 0

    def begin(self) -> None:
        """Raises StorageError where something else than a file is in its place."""
        target = self._path.resolve()  # where a symbolic link leads to
        if target.exists() and not target.is_file():
            kind = "a folder" if target.is_dir() else "not an ordinary file"
            raise StorageError(f"{self._path} is {kind}: give the name of a file.")
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
        self._path, self._draft = target, Path(name)
        self._file = os.fdopen(descriptor, "wb")
        os.fchmod(descriptor, 0o600)  # an umask may have taken even that away

    def write(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self._unsynced += len(data)
        if self._unsynced > SYNC_BYTES:
            self._sync()

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def keep(self) -> None:
        """Put the file in its place, durably."""
        assert self._draft is not None
        self._sync()
        self._file.close()
        self._draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Remove what was begun and not kept."""
        if self._draft is None:
            return
        with suppress(OSError):  # closing writes what is left, onto a disk that may be full
            self._file.close()
        self._draft.unlink(missing_ok=True)

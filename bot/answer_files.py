"""Files that go with an answer: private, of bounded size, and gone once they were sent.

They are in a folder of the process's own, which goes when it ends. What a killed process left is removed by the next
one: it is recognised by its lock, which nobody holds any more.
"""

import gzip
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from bot.errors import UserError
from storage.file_lock import FileLock

MAX_FILE_BYTES = 10 * 2**20
"""What Discord takes as a file; Slack takes more."""
PREFIX = "secret-agents-files-"
_LOCK = ".lock"
_ATTEMPTS = 3
_COMPRESSION = 6


class FileTooLarge(UserError):
    """That is too large for a file in a chat, even compressed."""


class AnswerFile:
    """A file (mode 0600) under the name it is to have for the asker.

    `async with` removes it at the end, `close` at once; one that is forgotten goes with the last reference to it.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self._remove = weakref.finalize(self, _unlink, path)

    def close(self) -> None:
        self._remove()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()


def _unlink(path: Path) -> None:
    with suppress(OSError):  # nobody is left to be told; the folder goes later
        path.unlink(missing_ok=True)


class LimitedFile:
    """Written as it comes, or compressed with gzip as soon as it is longer than `limit` bytes.

    Every method blocks and may raise OSError. `write` and `keep` raise FileTooLarge when the compressed file, too, is
    longer than `limit`; so little more than twice of it is ever on the disk.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._file: BinaryIO | None = None
        self._packer: gzip.GzipFile | None = None

    def begin(self) -> None:
        self._file = _create(self._path)

    @property
    def packed(self) -> bool:
        return self._packer is not None

    @property
    def path(self) -> Path:
        return self._packed_path if self.packed else self._path

    @property
    def _packed_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.gz")

    def write(self, data: bytes | bytearray) -> None:
        assert self._file is not None
        if self._packer is None and self._file.tell() + len(data) > self._limit:
            self._pack(self._file)
        (self._packer or self._file).write(data)
        self._check()

    def _pack(self, written: BinaryIO) -> None:
        """Go on in a compressed file."""
        written.close()
        self._file = _create(self._packed_path)
        self._packer = gzip.GzipFile("", "wb", _COMPRESSION, self._file, mtime=0)
        with self._path.open("rb") as plain:
            shutil.copyfileobj(plain, self._packer)
        self._path.unlink()

    def _check(self) -> None:
        if self._file is not None and self._file.tell() > self._limit:
            raise FileTooLarge

    def keep(self) -> Path:
        """The finished file."""
        assert self._file is not None
        if self._packer is not None:
            self._packer.close()
            self._check()
        self._file.close()
        return self.path

    def discard(self) -> None:
        """Remove what was begun and not kept."""
        if self._file is None:
            return
        with suppress(OSError):  # closing writes what is left, onto a disk that may be full
            self._file.close()
        for path in (self._path, self._packed_path):
            path.unlink(missing_ok=True)


def _create(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.fchmod(descriptor, 0o600)  # an umask may have taken even that away
    return os.fdopen(descriptor, "wb")


class AnswerFolder:
    """A folder (mode 0700) for such files, in `parent` (default: the system's for temporary files).

    It goes, with what is in it, with the last reference to this object, at the latest when the process ends.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent
        self._folder: Path | None = None
        self._numbers = 0

    def path(self) -> Path:
        """Where a file may be created that is not there. Blocks; raises OSError. One thread at a time."""
        if self._folder is None:
            parent = self._parent or Path(tempfile.gettempdir())
            remove_leftovers(parent)
            self._folder, lock = _make(parent)
            weakref.finalize(self, _remove, self._folder, lock)
        self._numbers += 1
        return self._folder / f"{self._numbers}"


def remove_leftovers(parent: Path | None = None) -> None:
    """Remove the folders of processes that are no more. Blocks; what cannot be removed stays."""
    for folder in (parent or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.lstat().st_uid == os.getuid() and not folder.is_symlink():
                lock = _lock(folder)
                _remove(folder, lock)


def _make(parent: Path) -> tuple[Path, FileLock]:
    for _ in range(_ATTEMPTS):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with suppress(FileNotFoundError, BlockingIOError):  # taken for a leftover before it was locked
            return folder, _lock(folder)
    raise FileNotFoundError(None, "removed as soon as it was made", str(parent))


def _lock(folder: Path) -> FileLock:
    lock = FileLock(folder / _LOCK)
    lock.acquire()
    return lock


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()

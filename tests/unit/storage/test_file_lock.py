"""The lock of one process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from storage.file_lock import FileLock

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from storage.file_lock import FileLock
FileLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_once_and_again_after_it_was_released(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(BlockingIOError):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    second.release()
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_a_process_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BlockingIOError):
            lock.acquire()
        other.kill()
        other.wait()
    lock.acquire()
    lock.release()


def test_what_cannot_be_locked_leaves_no_file_open(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.acquire()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(BlockingIOError):
        second.acquire()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    first.release()


def test_a_folder_that_is_gone_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileLock(tmp_path / "gone" / "lock").acquire()

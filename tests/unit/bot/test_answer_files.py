"""Files that go with an answer: private, bounded, and gone."""

import gc
import gzip
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.answer_files import PREFIX, AnswerFile, AnswerFolder, FileTooLarge, LimitedFile, remove_leftovers

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from bot.answer_files import AnswerFile, AnswerFolder
folder = AnswerFolder(Path(sys.argv[1]))
path = folder.path()
path.write_text("secret")
file = AnswerFile("log.json", path)
print(path, flush=True)
sys.stdin.readline()
"""


def running(parent: Path) -> subprocess.Popen[str]:
    """A process that has made a file in `parent`, and ends at a line of input."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, parent], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert Path(process.stdout.readline().strip()).read_text() == "secret"
    return process


def test_a_forgotten_file_goes_with_its_last_reference(tmp_path: Path) -> None:
    folder = AnswerFolder(tmp_path)
    path = folder.path()
    path.write_text("secret")
    file = AnswerFile("log.json", path)
    assert path.exists()
    del file
    gc.collect()
    assert not path.exists()


def test_the_folder_goes_with_whoever_made_it(tmp_path: Path) -> None:
    folder = AnswerFolder(tmp_path)
    folder.path().write_text("secret")
    assert stat.S_IMODE(folder.path().parent.stat().st_mode) == 0o700
    del folder
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    file = AnswerFile("log.json", path)
    file.close()
    path.write_text("somebody else's")
    file.close()
    assert path.exists()


def test_the_end_of_the_process_removes_its_files(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        process.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(list(tmp_path.iterdir())) == 1
        folder = AnswerFolder(tmp_path)
        fresh = folder.path().parent
        assert list(tmp_path.iterdir()) == [fresh]


def test_what_a_running_process_has_is_left_alone(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        before = sorted(tmp_path.rglob("*"))
        remove_leftovers(tmp_path)
        assert sorted(tmp_path.rglob("*")) == before
        process.communicate("\n")


def test_only_folders_of_ours_are_removed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "diary").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(target)
    (tmp_path / f"{PREFIX}file").touch()
    (tmp_path / f"{PREFIX}left").mkdir()
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", f"{PREFIX}link", f"{PREFIX}file"}
    assert (target / "diary").exists()


def filled(path: Path, limit: int, *pieces: bytes) -> LimitedFile:
    file = LimitedFile(path, limit)
    file.begin()
    for piece in pieces:
        file.write(piece)
    return file


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_a_file_within_the_limit_is_as_it_was_written(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        file = filled(tmp_path / "out", 10, b"12345", b"67890")
    finally:
        os.umask(before)
    assert file.keep() == tmp_path / "out"
    assert not file.packed
    assert (tmp_path / "out").read_bytes() == b"1234567890"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


def test_a_byte_more_is_compressed(tmp_path: Path) -> None:
    file = filled(tmp_path / "out", 100, b"a" * 50, b"b" * 51, b"c" * 1_000)
    path = file.keep()
    assert file.packed
    assert gzip.decompress(path.read_bytes()) == b"a" * 50 + b"b" * 51 + b"c" * 1_000
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_compresses_badly_is_given_up_soon(tmp_path: Path) -> None:
    """Long before all of it is on the disk."""
    file = filled(tmp_path / "out", 100_000)
    written: list[bytes] = []

    def write_on() -> None:
        for _ in range(1_000):
            written.append(os.urandom(50_000))
            file.write(written[-1])

    with pytest.raises(FileTooLarge, match="even compressed"):
        write_on()
    assert len(written) <= 10
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_little_too_large_is_found_out_at_the_end(tmp_path: Path) -> None:
    file = filled(tmp_path / "out", 100, os.urandom(101))
    with pytest.raises(FileTooLarge):
        file.keep()
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_discarding_what_was_never_begun_is_harmless(tmp_path: Path) -> None:
    LimitedFile(tmp_path / "out", 1).discard()
    assert list(tmp_path.iterdir()) == []

"""What was acknowledged is on the disk: shown by the system calls of a process that takes messages in."""

import sys
from pathlib import Path

import pytest

from tests.command import ROOT
from tests.fire.acknowledging import TOTAL, event_key
from tests.traces import Call, calls_in, trace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("synced")


@pytest.fixture(scope="module")
def calls(folder: Path) -> list[Call]:
    command = [sys.executable, "-m", "tests.fire.acknowledging", f"{folder}/new/data/bot.db", f"{folder}/acknowledged"]
    return trace(command, folder / "trace", ROOT)


def unsynced(calls: list[Call], key: str) -> bool:
    """Whether a message was acknowledged before a sync of the log began after, and ended since, it was written there.

    A log's frame holds the whole page, and so the event's key in plain text.
    """
    log = [call for call in calls if call.path.endswith("-wal")]
    written = next(call.done for call in log if call.writes and key in call.text)
    acknowledged = next(call.begun for call in calls if call.path.endswith("/acknowledged") and key in call.text)
    return not any(call.syncs and written < call.begun <= call.done < acknowledged for call in log)


def test_every_admitted_message_is_synced_to_disk_before_it_is_acknowledged(calls: list[Call]) -> None:
    """Alone, and where many share a transaction."""
    assert [number for number in range(TOTAL) if unsynced(calls, event_key(number))] == []


def test_the_trace_would_tell_if_nothing_were_synced(calls: list[Call]) -> None:
    without = [call for call in calls if not call.syncs]
    assert all(unsynced(without, event_key(number)) for number in range(TOTAL))


def test_messages_that_come_together_share_a_sync(calls: list[Call], folder: Path) -> None:
    """Or the test above saw no group commit at all."""
    first = next(call.done for call in calls if call.path.endswith("/acknowledged"))
    syncs = [call for call in calls if call.syncs and call.path.endswith("-wal") and call.begun > first]
    assert len(syncs) < TOTAL / 2


def test_folders_that_are_made_are_synced_before_the_first_acknowledgement(calls: list[Call], folder: Path) -> None:
    """A synced file in a folder that a power failure takes away would be lost, too."""
    first = next(call.begun for call in calls if call.path.endswith("/acknowledged"))
    made = {call.path: call.done for call in calls if call.name == "mkdir" and call.path.startswith(str(folder))}
    assert set(made) == {f"{folder}/new", f"{folder}/new/data"}
    for path, when in made.items():
        parent = str(Path(path).parent)
        assert any(call.syncs and call.path == parent and when < call.begun < call.done + 1 <= first for call in calls)
    inside = [call for call in calls if call.syncs and call.path == f"{folder}/new/data"]
    assert inside[-1].done < first


def test_a_call_that_another_thread_interrupts_is_one_call() -> None:
    lines = [
        '7 pwrite64(3</d/db-wal>, "stub:1.", 7, 0) = 7',
        "7 fdatasync(3</d/db-wal> <unfinished ...>",
        '8 write(4</d/acknowledged>, "stub:1.", 7) = 7',
        "7 <... fdatasync resumed>)               = 0",
        "8 fdatasync(9</d/other>) = -1 EIO (Input/output error)",
    ]
    calls = calls_in(lines)
    assert [(call.name, call.begun, call.done) for call in calls] == [
        ("pwrite64", 0, 0),
        ("fdatasync", 1, 3),
        ("write", 2, 2),
    ]
    assert unsynced(calls, "stub:1.")

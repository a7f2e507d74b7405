"""When the database cannot be written, nothing is lost, people are told, and work goes on when the cause is gone."""

import asyncio
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from bot.models.model import ToolCall
from bot.turn_journal import CANNOT_SAVE
from storage.database import Connection, Database
from storage.errors import Fenced, StorageBusy, StorageError, StorageFull
from storage.sqlite import SQLiteDatabase
from storage.turns import Ending, Step, claim, conclude, finish, record_delivery, record_step
from tests.core import Core, running_core
from tests.fakes.disks import tiny_disk
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.scripted_model import ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message
from tests.waiting import until, until_found

MOST_WRITES = 12
"""More than a turn with a gadget writes."""


def closed_turns(connection: Connection) -> list[tuple[str, str]]:
    return [
        tuple(row)
        for row in connection.execute(
            "SELECT status, agent_response FROM turns WHERE finished_at IS NOT NULL ORDER BY id"
        ).fetchall()
    ]


async def closed(database: Database, count: int) -> list[tuple[str, str]]:
    return await until_found(lambda: database.read(closed_turns), lambda found: len(found) >= count)


def gadget_model() -> ScriptedModel:
    """Calls a gadget, then answers; says the same when it is asked again."""
    call = ToolCall("c1", "shout", {"text": "hey"})
    return ScriptedModel(answer=lambda request: ["HEY."] if "HEY" in request.messages[-1].text else [call])


async def admit_insistently(core: Core[StubPlatform]) -> None:
    """As a platform does that was not acknowledged."""
    for _ in range(5):
        with suppress(StorageError):
            await core.inbox.admit(message("Shout hey"))
            return
    pytest.fail("the message was never admitted")


@pytest.mark.parametrize("number", range(1, MOST_WRITES + 1))
async def test_a_turn_survives_the_failure_of_any_one_of_its_writes(tmp_path: Path, number: int) -> None:
    made: list[FailingDatabase] = []

    def wrap(database: SQLiteDatabase) -> Database:
        made.append(FailingDatabase(database, number))
        return made[0]

    async with running_core(tmp_path / "db", gadget_model(), wrap=wrap) as core:
        await admit_insistently(core)
        assert await closed(core.database, 1) == [("answered", "HEY.")]
    assert core.platform.channel.answers() == ["HEY."]
    assert made[0].writes < MOST_WRITES + 1 + 3, "a turn writes more often than this test fails"
    with sqlite3.connect(tmp_path / "db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def test_work_resumes_by_itself_when_a_full_disk_has_room_again(tmp_path: Path) -> None:
    """A real file system of 1 MB: filled while an answer is being written."""
    with tiny_disk(tmp_path / "disk", "size=1m") as disk:
        gate = asyncio.Event()
        model = ScriptedModel([gate, "A long answer. " * 250])
        async with running_core(disk / "db", model) as core:
            await core.inbox.admit(message("Hi", 1))
            await until(lambda: model.requests)
            ballast = fill(disk)
            gate.set()
            with pytest.raises(StorageFull):
                await admit_until_full(core)
            ballast.unlink()
            [(status, response), *_] = await closed(core.database, 1)
        assert (status, response.count("A long answer.")) == ("answered", 250)
        with sqlite3.connect(disk / "db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


async def admit_until_full(core: Core[StubPlatform]) -> None:
    for number in range(2, 200):
        await core.inbox.admit(message("x" * 2000, number, thread=f"other{number}"))


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return ballast


async def test_a_lock_by_another_process_is_waited_out(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with running_core(path, ScriptedModel(["Hello."]), busy_seconds=0.05) as core:
        release = threading.Event()
        holder = hold_lock(path, release)
        with pytest.raises(StorageBusy):
            await core.inbox.admit(message("Hi"))
        release.set()
        await asyncio.to_thread(holder.join)
        await core.inbox.admit(message("Hi"))
        assert await closed(core.database, 1) == [("answered", "Hello.")]


async def test_a_turn_that_meets_a_lock_goes_on_when_it_is_gone(tmp_path: Path) -> None:
    path, gate = tmp_path / "db", asyncio.Event()
    model = ScriptedModel([gate, "Hello."], ["Hello."])
    async with running_core(path, model, busy_seconds=0.05) as core:
        await core.inbox.admit(message("Hi"))
        await until(lambda: core.platform.channel.messages)
        release = threading.Event()
        holder = hold_lock(path, release)
        gate.set()
        await until(lambda: CANNOT_SAVE in core.platform.channel.statuses)
        release.set()
        await asyncio.to_thread(holder.join)
        assert await closed(core.database, 1) == [("answered", "Hello.")]
    assert core.platform.channel.answers() == ["Hello."]


def hold_lock(path: Path, release: threading.Event) -> threading.Thread:
    """Begin a write transaction from outside, and keep it until `release`."""
    locked = threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        locked.set()
        release.wait(30)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(10)
    return thread


async def test_a_zombie_cannot_write_to_a_turn_that_was_claimed_again(tmp_path: Path) -> None:
    async with running_core(tmp_path / "db", ScriptedModel([asyncio.Event()])) as core:
        admitted = await core.inbox.admit(message("Hi"))
        await until(lambda: core.platform.channel.messages)
        again = await core.database.write(claim, admitted.conversation, window=0)
        assert again is not None
        assert again.attempt == 2
        for write in (
            core.database.write(record_step, admitted.turn, 1, Step(0, "model", {})),
            core.database.write(record_delivery, admitted.turn, 1, 0, "m9"),
            core.database.write(conclude, admitted.turn, 1, Ending("answered", "zombie")),
            core.database.write(finish, admitted.turn, 1),
        ):
            with pytest.raises(Fenced):
                await write

"""What `storage.database.Database` promises, on every backend."""

import asyncio
import threading

import pytest

from storage import keepsakes
from storage.database import Connection, Database
from storage.errors import StorageError
from tests.storage_builders import BusyWriter


class Refused(Exception):
    pass


def put(connection: Connection, name: str, value: str = "") -> str:
    connection.execute("INSERT INTO keepsakes (name, value) VALUES (:name, :value)", {"name": name, "value": value})
    return name


def put_and_refuse(connection: Connection, name: str) -> None:
    put(connection, name)
    raise Refused(name)


def run_dry(_: Connection) -> str:
    return next(iter(()))


def names(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM keepsakes ORDER BY name").fetchall()
    return [name for (name,) in rows]


async def test_a_unit_returns_its_result(database: Database) -> None:
    assert await database.write(put, "a", value="b") == "a"
    assert await database.read(names) == ["a"]


async def test_a_failing_unit_raises_its_own_error_and_leaves_nothing(database: Database) -> None:
    with pytest.raises(Refused, match="half"):
        await database.write(put_and_refuse, "half")
    assert await database.read(names) == []


async def test_a_statement_that_is_refused_is_a_storage_error(database: Database) -> None:
    await database.write(put, "a")
    with pytest.raises(StorageError):
        await database.write(put, "a")
    with pytest.raises(StorageError):
        await database.read(lambda connection: connection.execute("SELECT * FROM nowhere"))


async def test_failing_units_do_not_harm_the_units_they_share_a_commit_with(database: Database) -> None:
    async with BusyWriter(database):
        waiting = [asyncio.create_task(database.write(put if n % 3 else put_and_refuse, f"{n:02}")) for n in range(30)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [n % 3 == 0 for n in range(30)]
    assert await database.read(names) == [f"{n:02}" for n in range(30) if n % 3]


async def test_even_a_unit_that_raises_stop_iteration_harms_no_other(database: Database) -> None:
    async with BusyWriter(database):
        stops = asyncio.create_task(database.write(run_dry))
        after = asyncio.create_task(database.write(put, "after"))
        await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await stops
    assert await after == "after"


async def test_text_that_cannot_be_stored_does_not_poison_the_batch(database: Database) -> None:
    async with BusyWriter(database):
        waiting = [asyncio.create_task(database.write(put, name)) for name in ("a", "\ud800", "b")]
        await asyncio.sleep(0)
    first, lone, last = await asyncio.gather(*waiting, return_exceptions=True)
    assert (first, last) == ("a", "b")
    assert isinstance(lone, Exception)
    assert await database.read(names) == ["a", "b"]


async def test_results_come_back_in_the_order_of_the_calls(database: Database) -> None:
    arrived: list[int] = []

    async def write(n: int) -> None:
        await database.write(put, f"{n}")
        arrived.append(n)

    await asyncio.gather(*(write(n) for n in range(500)))
    assert arrived == list(range(500))


async def test_units_run_in_the_order_of_the_calls(database: Database) -> None:
    def append(connection: Connection, n: int) -> int:
        before = len(names(connection))
        put(connection, f"{n:03}")
        return before

    assert await asyncio.gather(*(database.write(append, n) for n in range(300))) == list(range(300))


async def test_a_read_sees_what_was_committed_before_it(database: Database) -> None:
    for n in range(50):
        await database.write(put, f"{n:02}")
        assert len(await database.read(names)) == n + 1


async def test_a_read_does_not_wait_for_the_writer(database: Database) -> None:
    await database.write(put, "before")
    async with BusyWriter(database):
        waiting = asyncio.create_task(database.write(put, "later"))
        assert await database.read(names) == ["before"]
    await waiting


async def test_all_statements_of_a_read_see_the_same_state(database: Database) -> None:
    seen, go_on = threading.Event(), threading.Event()

    def look_twice(connection: Connection) -> tuple[list[str], list[str]]:
        first = names(connection)
        seen.set()
        assert go_on.wait(30)
        return first, names(connection)

    looking = asyncio.create_task(database.read(look_twice))
    assert await asyncio.to_thread(seen.wait, 30)
    await database.write(put, "meanwhile")
    go_on.set()
    assert await looking == ([], [])
    assert await database.read(names) == ["meanwhile"]


async def test_a_reading_unit_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError):
        await database.read(put, "sneaked in")
    assert await database.read(names) == []


async def test_a_cancelled_caller_does_not_break_the_writer(database: Database) -> None:
    async with BusyWriter(database):
        waiting = [asyncio.create_task(database.write(put, f"{n:02}")) for n in range(10)]
        await asyncio.sleep(0)
        for cancelled in waiting[::2]:
            cancelled.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == ["01", "03", "05", "07", "09"]
    assert await database.write(put, "after") == "after"
    assert {"01", "03", "05", "07", "09", "after"} <= set(await database.read(names))


async def test_a_cancelled_read_does_not_break_the_reader(database: Database) -> None:
    looking = asyncio.create_task(database.read(names))
    await asyncio.sleep(0)
    looking.cancel()
    assert await database.read(names) == []


async def test_waiting_writes_are_done_before_the_database_closes(closed_database: Database) -> None:
    async with closed_database:
        waiting = [asyncio.create_task(closed_database.write(put, f"{n:03}")) for n in range(400)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*waiting) == [f"{n:03}" for n in range(400)]


async def test_a_closed_database_refuses(closed_database: Database) -> None:
    with pytest.raises(StorageError, match="closed"):
        await closed_database.write(put, "too early")
    async with closed_database:
        pass
    with pytest.raises(StorageError, match="closed"):
        await closed_database.write(put, "too late")
    with pytest.raises(StorageError, match="closed"):
        await closed_database.read(names)


async def test_what_was_written_is_there_after_opening_again(closed_database: Database) -> None:
    async with closed_database:
        await closed_database.write(put, "kept")
    async with closed_database:
        assert await closed_database.read(names) == ["kept"]


async def test_a_keepsake_is_made_once(database: Database) -> None:
    kept = await asyncio.gather(*(database.write(keepsakes.keep, "cookie key", f"secret {n}") for n in range(20)))
    assert set(kept) == {"secret 0"}
    assert await database.write(keepsakes.keep, "another", "value") == "value"

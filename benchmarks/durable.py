"""Durable turns per second: every turn is on the disk (SQLite, WAL, synchronous=FULL) before it is acknowledged.

    python -m benchmarks.durable [--turns N] [--rounds N]

*Turns*: inbox → worker → delivery with a model in process that answers at once, 64 conversations. *Storage*: admit,
claim with the window, two steps, conclude, finish, as units of work alone. The disk is the temporary folder's.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.support.verdict import verdict
from storage import turns
from storage.conversations import NewConversation
from storage.database import Database
from storage.sqlite import SQLiteDatabase
from storage.turns import Ending, NewTurn, Step
from tests.core import running_core
from tests.fakes.scripted_model import ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message

CONVERSATIONS = 64
WINDOW = 10


async def whole_turns(folder: Path, count: int) -> None:
    platform = StubPlatform(pace=float("inf"))
    async with running_core(folder / "db", ScriptedModel(answer=lambda _: ["The answer."]), platform) as core:

        async def person(place: int) -> None:
            for number in range(count // CONVERSATIONS):
                await core.inbox.admit(message("Hello there", number, thread=f"t{place}"))

        await asyncio.gather(*(person(place) for place in range(CONVERSATIONS)))
        await platform.wait_for(count // CONVERSATIONS * CONVERSATIONS)


async def storage_alone(folder: Path, count: int) -> None:
    async with SQLiteDatabase(str(folder / "db")) as database:

        async def person(place: int) -> None:
            for number in range(count // CONVERSATIONS):
                await one_turn(database, place, number)

        await asyncio.gather(*(person(place) for place in range(CONVERSATIONS)))


async def one_turn(database: Database, place: int, number: int) -> None:
    opening = NewConversation("bench", "w", "c", f"t{place}", "u1", "Alice", "quartermaster", "Hello")
    new = NewTurn(f"bench:{place}:{number}", "u1", "Alice", "Hello there", opening)
    admitted = await database.write(turns.admit, new)
    claim = await database.write(turns.claim, admitted.conversation, window=WINDOW)
    assert claim is not None
    for seq in range(2):
        step = Step(seq, "model", {"phase": "native", "text": "x" * 200, "calls": []})
        await database.write(turns.record_step, claim.turn, claim.attempt, step)
    last = Step(2, "model", {"phase": "native", "text": "The answer.", "calls": []})
    await database.write(turns.conclude, claim.turn, claim.attempt, Ending("answered", "The answer."), last)
    await database.write(turns.finish, claim.turn, claim.attempt)


async def per_second(work: Callable[[Path, int], Awaitable[None]], count: int, rounds: int) -> float:
    """The median of so many rounds, each in a fresh database."""
    rates = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            await work(Path(folder), count)
            rates.append(count / (time.perf_counter() - start))
    return statistics.median(rates)


async def measure(count: int, rounds: int) -> None:
    whole = await per_second(whole_turns, count, rounds)
    print(verdict("durable turns per second, whole", whole, 1500, at_least=True))
    alone = await per_second(storage_alone, count, rounds)
    print(verdict("durable turns per second, storage alone", alone, 3000, at_least=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=6400)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(measure(given.turns, given.rounds))


if __name__ == "__main__":
    main()

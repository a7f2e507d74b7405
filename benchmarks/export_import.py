"""Export and import of a mission log, against `.dump` and `.read` of the `sqlite3` command on the same database.

    python -m benchmarks.export_import [--turns N] [--rounds N]

The database is filled by the program's own units of work with turns such as it records: interleaved conversations of
25 turns, two or three steps a turn, one posted part, half of the texts with letters that are not ASCII. Both sides
write to a file and wait until it is on the disk; they alternate, and the median round counts. Every export and import
is a process of its own, whose memory is told for a third of the turns and for all of them: what holds the log grows
with it. Without the `sqlite3` command, Python's own `iterdump` and `executescript` stand in for it.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from benchmarks.support.verdict import verdict
from storage import turns
from storage.conversations import NewConversation
from storage.database import Connection
from storage.export import export_to_file
from storage.importing import import_json
from storage.sqlite import SQLiteDatabase
from storage.turns import Ending, NewTurn, Step

AT_ONCE = 40
"""Conversations that go on at the same time."""
TURNS_EACH = 25
"""Of a conversation."""
SQLITE3 = shutil.which("sqlite3")
WORDS = [
    "the",
    "weather",
    "in",
    "Paris",
    "is",
    "mild",
    "today",
    "with",
    "some",
    "light",
    "rain,",
    "agent;",
    "your",
    "mission:",
    "decode",
    "“IFMMP”",
    "at",
    "21",
    "°C\n",
]
PLAIN = [word for word in WORDS if word.isascii()]


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds, and by how many megabytes the process's memory grew at most."""

    seconds: float
    megabytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our speed as a part of theirs; megabytes that an export and an import took."""

    exports: float
    imports: float
    memory: tuple[float, ...]


class Talk:
    """Makes up what users, models and gadgets say; the same every time."""

    def __init__(self) -> None:
        self._random = random.Random(7)

    def text(self, least: int, most: int) -> str:
        """Of so many words; every second one has letters that are not ASCII."""
        words = self._random.choice((PLAIN, WORDS))
        return " ".join(self._random.choices(words, k=self._random.randint(least, most)))

    def steps(self, answer: str) -> Iterator[Step]:
        """What the agent's journal holds in the JSON protocol: a decision, in every third turn a result, an answer."""
        told = {"model": "ollama/qwen3:8b", "prompt_tokens": 1119, "completion_tokens": 29}
        call = {"id": "call_1", "name": "weather", "arguments": {"place": "Paris"}}
        asks = self._random.random() < 1 / 3
        decision = '[{"action":"use_tools","tools":[{"tool":"weather"}]}]' if asks else '[{"action":"reply"}]'
        bodies: list[tuple[str, dict[str, Any]]] = []
        bodies.append(("model", {"phase": "decide", "text": decision, "calls": [call] if asks else [], **told}))
        if asks:
            result = {"tool": "weather", "parameters": {"place": "Paris"}, "result": self.text(40, 100)}
            bodies.append(("result", {"round": 0, "call": 0, **result, "ok": True, "retry": False}))
        bodies.append(("model", {"phase": "answer", "text": answer, "calls": [], **told}))
        return (Step(seq, kind, body) for seq, (kind, body) in enumerate(bodies))


def fill(path: Path, sizes: tuple[int, ...]) -> Iterator[Path]:
    """Databases of so many turns."""
    asyncio.run(_create(path))
    talk = Talk()
    with sqlite3.connect(path, isolation_level=None) as connection:
        for first, last in zip((0, *sizes), sizes, strict=False):
            connection.execute("BEGIN")
            for n in range(first, last):
                add(connection, talk, n)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            yield path
    connection.close()


async def _create(path: Path) -> None:
    async with SQLiteDatabase(str(path)):
        pass


def add(connection: Connection, talk: Talk, n: int) -> None:
    """One turn, from its admission to its end."""
    number = n % AT_ONCE + n // (AT_ONCE * TURNS_EACH) * AT_ONCE
    question, answer = talk.text(4, 30), talk.text(20, 160)
    opening = NewConversation(
        "discord", "guild", f"channel-{number}", "", "u1", "Moneypenny", "quartermaster", question
    )
    admitted = turns.admit(connection, NewTurn(f"discord:{n}", "u1", "Moneypenny", question, opening))
    claim = turns.claim(connection, admitted.conversation, window=0)
    assert claim is not None
    for step in talk.steps(answer):
        turns.record_step(connection, claim.turn, claim.attempt, step)
    ending = Ending("answered", answer, f"{answer}\n\n", "ollama/qwen3:8b", 1324, 240)
    turns.conclude(connection, claim.turn, claim.attempt, ending)
    turns.finish(connection, claim.turn, claim.attempt, {0: str(1_300_000_000_000_000_000 + n)})


def synced(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def dump(database: Path, script: Path) -> Measured:
    script.unlink(missing_ok=True)
    start = time.perf_counter()
    with script.open("wb") as file:
        if SQLITE3:
            subprocess.run([SQLITE3, str(database), ".dump"], stdout=file, check=True)  # noqa: S603 - our own words
        else:
            file.writelines(f"{line}\n".encode() for line in sqlite3.connect(database).iterdump())
    synced(script)
    return Measured(time.perf_counter() - start)


def read(script: Path, database: Path) -> Measured:
    database.unlink(missing_ok=True)
    start = time.perf_counter()
    if SQLITE3:
        subprocess.run([SQLITE3, str(database), f".read {script}"], check=True)  # noqa: S603 - see above
    else:
        sqlite3.connect(database).executescript(script.read_text("utf-8"))
    return Measured(time.perf_counter() - start)


async def export(database: Path, log: Path) -> None:
    async with SQLiteDatabase(str(database)) as opened:
        await export_to_file(opened, None, log)


async def load(log: Path, database: Path) -> None:
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    async with SQLiteDatabase(str(database)) as opened:
        await import_json(opened, log)


def exported(database: Path, log: Path) -> Measured:
    log.unlink(missing_ok=True)
    return in_a_process(partial(export, database, log))


def in_a_process(work: Callable[[], Any]) -> Measured:
    """Measure `work`, which makes a coroutine, in a new process."""
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(work, its))
    process.start()
    its.close()
    measured: Measured = ours.recv()
    process.join()
    return measured


def _measure(work: Callable[[], Any], pipe: Pipe) -> None:
    peak = Peak()
    with peak:
        start = time.perf_counter()
        asyncio.run(work())
        seconds = time.perf_counter() - start
    pipe.send(Measured(seconds, peak.megabytes))


class Peak:
    """By how many megabytes this process's own memory grows at most while the block runs.

    The pages of files do not count, as the system takes them back when it needs room.
    """

    def __enter__(self) -> None:
        self._over = threading.Event()
        self._before = self._most = own_memory()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._watching.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self._most = max(self._most, own_memory())

    @property
    def megabytes(self) -> float:
        return (self._most - self._before) / 1024


def own_memory() -> int:
    """Resident kilobytes that are no file's."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found
    return int(found[1])


def row(what: str, rounds: list[Measured], count: int, path: Path) -> float:
    """Prints a line; returns turns per second."""
    seconds = statistics.median(one.seconds for one in rounds)
    size = path.stat().st_size / 1e6
    memory = max(one.megabytes for one in rounds)
    tail = f"   memory +{memory:.0f} MB" if memory else ""
    print(f"{what:20} {seconds:6.2f} s  {size / seconds:6.0f} MB/s  {count / seconds:9,.0f} turns/s{tail}")
    return count / seconds


def compare(folder: Path, database: Path, count: int, rounds: int) -> Comparison:
    script, log, copy = folder / "dump.sql", folder / "log.json", folder / "copy.db"
    print(f"-- {count:,} turns, {database.stat().st_size / 1e6:.0f} MB")
    exports = [(dump(database, script), exported(database, log)) for _ in range(rounds)]
    theirs = row(".dump", [one for one, _ in exports], count, script)
    ours = row("export", [one for _, one in exports], count, log)
    imports = [(read(script, copy), in_a_process(partial(load, log, copy))) for _ in range(rounds)]
    its = row(".read", [one for one, _ in imports], count, script)
    mine = row("import", [one for _, one in imports], count, log)
    grown = tuple(max(one.megabytes for _, one in each) for each in (exports, imports))
    return Comparison(ours / theirs, mine / its, grown)


def report(third: Comparison, whole: Comparison) -> None:
    print(verdict("export / .dump, turns per second", whole.exports, 0.9, at_least=True))
    print(f"{'import / .read, turns per second':48} {whole.imports:10.2f}")
    for what, less, more in zip(("export", "import"), third.memory, whole.memory, strict=True):
        print(verdict(f"{what}: memory for all, above that for a third, MB", more - less, 5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if SQLITE3 is None:
        print("There is no sqlite3 command (Debian package sqlite3): Python's iterdump and executescript stand in.")
    sizes = (given.turns // 3, given.turns)
    with tempfile.TemporaryDirectory() as name:
        databases = fill(Path(name) / "a.db", sizes)
        third, whole = (
            compare(Path(name), database, count, given.rounds if count == given.turns else 1)
            for count, database in zip(sizes, databases, strict=True)
        )
    report(third, whole)


if __name__ == "__main__":
    main()

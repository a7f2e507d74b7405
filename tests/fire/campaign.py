"""Kills the bot again and again while people write to it, then checks every promise on what is left.

`python -m tests.fire.campaign --kills 500 --seed 1` prints one line of counts and fails with the reason when a promise
was broken.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.fire.bot_process import PART_LENGTH, Config, answer_to
from tests.fire.chat_server import ChatServer
from tests.waiting import until

ROOT = Path(__file__).parents[2]
THREADS = 8
BACKLOG = 12
"""Unanswered messages that are kept waiting while there are kills left."""
LIVES = (12, 150, 900)
"""Boundaries after which a bot is killed at the latest: during recovery, in the middle, after some answers."""


@dataclass(slots=True)
class Report:
    """What happened: kills by where they hit, and what was answered."""

    kills: Counter[str] = field(default_factory=Counter)
    events: int = 0
    executed: int = 0
    repeated_while_unrecorded: int = 0


class Zygote:
    """Starts bots by forking; see bot_process."""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.fire.bot_process", stdin=-1, stdout=-1, cwd=ROOT
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()

    async def start(self, config: Config) -> int:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps(asdict(config))}\n".encode())
        pid: int = (await self._line())["pid"]
        return pid

    async def ended(self) -> int:
        """The exit status of the bot that was started last; -9 when it was killed."""
        status: int = (await self._line())["exit"]
        return status

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout
        line = await self._process.stdout.readline()
        assert line, "the zygote died"
        found: dict[str, Any] = json.loads(line)
        return found


class Campaign:
    """One database, one chat server, many lives of a bot."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._database = str(folder / "fire.db")
        self._random = random.Random(seed)
        self._server = ChatServer(seed)
        self.report = Report()

    async def run(self, kills: int, boundaries: tuple[str, ...] = ()) -> Report:
        """Kill `kills` times (and once at each named boundary), let it settle, check. Raises AssertionError."""
        async with self._server, Zygote() as zygote:
            for boundary in boundaries:
                await self._life(zygote, Config(self._database, self._server.url, 1, boundary))
            while self.report.kills.total() < kills + len(boundaries):
                await self._life(zygote, self._next_config())
            await self._settle(zygote)
        self._check()
        return self.report

    def _next_config(self) -> Config:
        kill_at = self._random.randint(1, self._random.choice(LIVES))
        return Config(self._database, self._server.url, kill_at)

    async def _life(self, zygote: Zygote, config: Config) -> None:
        self._write_messages(BACKLOG)
        recorded, executed = self._recorded(), len(self._server.executed)
        pid = await zygote.start(config)
        timer = asyncio.get_running_loop().call_later(self._random.uniform(0.05, 3.0), _kill, pid)
        status = await zygote.ended()
        timer.cancel()
        assert status == -signal.SIGKILL, f"the bot ended by itself: {status}"
        self.report.kills[config.boundary or "random"] += 1
        self._check_executions(recorded, executed)

    async def _settle(self, zygote: Zygote) -> None:
        """A last life without a kill answers what is left, a message at least, then ends in good order."""
        self._write_messages(1)
        recorded, executed = self._recorded(), len(self._server.executed)
        pid = await zygote.start(Config(self._database, self._server.url))
        await until(lambda: not self._server.unanswered and not self._open_turns())
        os.kill(pid, signal.SIGTERM)
        assert await zygote.ended() == 0
        self._check_executions(recorded, executed)

    def _write_messages(self, waiting: int) -> None:
        while self._server.unanswered < waiting:
            number = len(self._server.events)
            self._server.say(f"thread{number % THREADS}", f"question {number}")

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        if not Path(self._database).exists():
            return []
        with sqlite3.connect(self._database) as connection:
            found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
        connection.close()
        return found

    def _open_turns(self) -> int:
        return len(self._query("SELECT 1 FROM turns WHERE status IN ('queued', 'running')"))

    def _recorded(self) -> set[str]:
        """The names, as executions are named, of all recorded steps."""
        if not self._query("SELECT 1 FROM sqlite_master WHERE name = 'steps'"):
            return set()
        names: set[str] = set()
        models: Counter[str] = Counter()
        sql = "SELECT user_message, kind FROM steps JOIN turns ON turns.id = steps.turn ORDER BY turn, seq"
        for question, kind in self._query(sql):
            if kind == "result":
                names.add(f"gadget {question}")
            else:
                names.add(f"model {question} {models[question]}")
                models[question] += 1
        return names

    def _check_executions(self, recorded: set[str], since: int) -> None:
        again = recorded.intersection(self._server.executed[since:])
        assert not again, f"recorded, and executed again: {sorted(again)}"

    def _check(self) -> None:
        server = self._server
        self.report.events = len(server.events)
        self.report.executed = len(server.executed)
        self.report.repeated_while_unrecorded = len(server.executed) - len(set(server.executed))
        turns = self._query("SELECT id, event_key, user_message, status, attempt, error FROM turns ORDER BY id")
        assert sorted(key for _, key, *_ in turns) == sorted(server.events), "a message was lost or taken twice"
        failed = [turn for turn in turns if turn[3] != "answered"]
        assert not failed, f"turns that did not end with their answer: {failed}"
        assert self._query("PRAGMA integrity_check") == [("ok",)]
        for turn, _, question, *_ in turns:
            self._check_visible(turn, answer_to(question))
        self._check_order()

    def _check_visible(self, turn: int, answer: str) -> None:
        parts = sorted((m.part, m.text) for m in self._server.messages.values() if m.turn == turn)
        assert [part for part, _ in parts] == list(range(-(-len(answer) // PART_LENGTH))), f"{parts} for {answer!r}"
        assert "".join(text for _, text in parts) == answer

    def _check_order(self) -> None:
        for number in range(THREADS):
            seen = [m.turn for m in self._server.messages.values() if m.thread == f"thread{number}"]
            assert seen == sorted(seen), f"thread{number} was answered out of order: {seen}"


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it killed itself a moment ago
        os.kill(pid, signal.SIGKILL)


async def _main(kills: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = await Campaign(Path(folder), seed).run(kills)
    print(
        f"seed {seed}: {report.kills.total()} kills, {report.events} messages, each answered once and in order;"
        f" {report.executed} model calls and gadgets ran, {report.repeated_while_unrecorded} of them again because a"
        " kill came before their record; 0 recorded steps ran again"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.kills, arguments.seed))

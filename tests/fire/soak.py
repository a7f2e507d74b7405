"""Hours of a busy chat platform in minutes, against the real program: what every platform's soak has in common.

A soak asks questions in many threads, some of them told twice, makes trouble, kills the program and starts it again,
and checks in the end that each question was answered once and in its turn.
"""

import argparse
import asyncio
import logging
import os
import random
import signal
import sqlite3
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from tests.command import Command, answered_by
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script

WAITING = 150
"""Questions that are kept waiting for their answers."""
DUPLICATES = 0.2
KILLS = 3
ROUNDS = 4
"""How often each kind of trouble comes."""
LIMITS = ("MESSAGES_PER_MINUTE", "WORKSPACE_MESSAGES_PER_MINUTE", "TOKENS_PER_DAY", "WORKSPACE_TOKENS_PER_DAY")
VARIABLES = {"SECRET_AGENTS_LOG__LEVEL": "error"} | {f"SECRET_AGENTS_LIMITS__{name}": "0" for name in LIMITS}
"""One person asks everything, faster than people do."""
END_SECONDS = 10.0
LOOK_SECONDS = 0.1
PATIENCE = 120.0
"""Seconds after which something is not going to happen any more."""

Trouble = tuple[str, Callable[[], object]]


@dataclass(slots=True)
class Report:
    happened: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Crowd(Protocol):
    """The platform with the people on it who ask. A thread is named by a number from 0."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment in which the program runs there, and nowhere else."""
        ...

    async def open(self, stack: AsyncExitStack) -> None: ...

    def connection(self) -> Coroutine[Any, Any, None]:
        """Ends when the program, which is started after this call, has connected."""
        ...

    async def ask(self, thread: int, text: str) -> None:
        """Say something to the bot; the first question of a thread opens it."""
        ...

    def tell_again(self, thread: int, rng: random.Random) -> None:
        """Deliver some message of a thread once more."""
        ...

    def troubles(self) -> list[Trouble]: ...

    def answers(self, thread: int) -> list[str]:
        """What people see of the bot's answers, in order."""
        ...

    def problems(self) -> list[str]:
        """What the program did wrong besides."""
        ...


class Soak:
    """`async with` starts all but the bot; `run` asks, troubles, kills and checks."""

    def __init__(
        self, crowd: Crowd, folder: Path, *, messages: int, threads: int, seed: int, rounds: int = ROUNDS
    ) -> None:
        self._crowd = crowd
        self._database = folder / "data" / "secret-agents.db"
        self._messages = messages
        self._threads = threads
        self._random = random.Random(seed)
        self._rounds = rounds
        self._deaths = {messages * death // (KILLS + 1) for death in range(1, KILLS + 1)}
        self._closing = AsyncExitStack()
        self._ollama = FakeOllama(num_parallel=WAITING, answer=answer)
        self._folder = folder
        self._asked: list[list[str]] = []
        self.report = Report()

    async def __aenter__(self) -> Self:
        await self._closing.enter_async_context(self._ollama)
        await self._crowd.open(self._closing)
        variables = {**answered_by(self._ollama.host), **self._crowd.variables, **VARIABLES}
        self._command = Command(self._folder, variables)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._ollama.errors.clear()  # of bots that were killed in the middle of an answer
        await self._closing.aclose()

    async def run(self) -> Report:
        """Raises AssertionError when a promise was broken, TimeoutError when something never happens."""
        began = time.monotonic()
        troubles = self._planned()
        bot = await self._started()
        try:
            for number in range(self._messages):
                if number in self._deaths:
                    bot = await self._killed(bot)
                await self._ask(number)
                for name, trouble in troubles.get(number, []):
                    trouble()
                    self.report.happened[name] += 1
            await self._answered(self._messages)
            bot.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(bot.wait(), END_SECONDS) == 0
        finally:
            if bot.returncode is None:
                bot.kill()
                await bot.wait()
        self.report.seconds = time.monotonic() - began
        self._check()
        return self.report

    async def _started(self) -> Process:
        connecting = asyncio.create_task(self._crowd.connection())
        bot = await self._command.start("run", stdin=DEVNULL, stdout=DEVNULL)
        self._log = asyncio.create_task(_passed_on(bot))
        await asyncio.wait([connecting, self._log], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        assert connecting.done(), "the program does not connect"
        return bot

    async def _killed(self, bot: Process) -> Process:
        bot.kill()
        await bot.wait()
        self.report.happened["kills"] += 1
        return await self._started()

    async def _ask(self, number: int) -> None:
        await self._answered(number - WAITING)
        text = f"question {number}"
        thread = number if number < self._threads else self._random.randrange(self._threads)
        if thread == len(self._asked):
            self._asked.append([])
        async with asyncio.timeout(PATIENCE):
            await self._crowd.ask(thread, text)
        self._asked[thread].append(text)
        if self._random.random() < DUPLICATES:
            self._crowd.tell_again(
                self._random.choice([thread, self._random.randrange(len(self._asked))]), self._random
            )
            self.report.happened["messages told again"] += 1

    def _planned(self) -> dict[int, list[Trouble]]:
        """What goes wrong after which question."""
        planned: dict[int, list[Trouble]] = {}
        for trouble in self._crowd.troubles() * self._rounds:
            planned.setdefault(self._random.randrange(self._messages), []).append(trouble)
        return planned

    async def _answered(self, count: int) -> None:
        """Until so many questions are answered."""
        async with asyncio.timeout(PATIENCE):
            while count > 0 and self._count("status = 'answered'") < count:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(LOOK_SECONDS)

    def _count(self, condition: str) -> int:
        if not self._database.exists():
            return 0
        with closing(sqlite3.connect(self._database)) as connection:
            ((count,),) = connection.execute(f"SELECT count(*) FROM turns WHERE {condition}").fetchall()
            return int(count)

    def _check(self) -> None:
        assert self._count("status = 'answered'") == self._count("true") == self._messages
        problems = self._crowd.problems()
        assert not problems, "\n".join(problems)
        for thread, questions in enumerate(self._asked):
            seen, wanted = self._crowd.answers(thread), [f"You said: {each}" for each in questions]
            assert seen == wanted, f"in a thread {wanted} was expected and {seen} is there"


async def _passed_on(bot: Process) -> None:
    """What the bot logs."""
    assert bot.stderr is not None
    async for line in bot.stderr:
        os.write(2, line)


def answer(request: dict[str, Any]) -> Script:
    """The model repeats the last message, without who said it."""
    said: str = request["messages"][-1]["content"]
    return Script(text=("You said: ", said[said.index("question") :]))


async def _soaked(crowd: Crowd, messages: int, threads: int, seed: int) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        async with Soak(crowd, Path(folder), messages=messages, threads=threads, seed=seed) as soak:
            return await soak.run()


def main(make: Callable[[int], Crowd], description: str | None) -> None:
    """The command line of a platform's soak; `make` takes the seed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--threads", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # of the model's: bots are killed while it answers
    report = asyncio.run(_soaked(make(given.seed), given.messages, given.threads, given.seed))
    happened = ", ".join(f"{count} {name}" for name, count in sorted(report.happened.items()))
    print(
        f"seed {given.seed}: {given.messages} questions in {given.threads} threads, each answered once and in its"
        f" turn, in {report.seconds:.0f} s; {happened}"
    )

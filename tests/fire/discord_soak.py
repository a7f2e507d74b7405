"""Two hours of a busy Discord server in two minutes, against the real program.

`python -m tests.fire.discord_soak --messages 5000 --threads 100` prints one line of counts and fails with the reason
when a question was not answered exactly once, or not in its turn.
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
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.command import Command, answered_by
from tests.discord import in_discord
from tests.fakes.discord import Channel, FakeDiscord, Message
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"
WAITING = 150
"""Questions that are kept waiting for their answers."""
DUPLICATES = 0.2
KILLS = 3
ROUNDS = 4
"""How often each kind of trouble comes."""
LIMITS = ("MESSAGES_PER_MINUTE", "WORKSPACE_MESSAGES_PER_MINUTE", "TOKENS_PER_DAY", "WORKSPACE_TOKENS_PER_DAY")
SETTINGS = {"SECRET_AGENTS_LOG__LEVEL": "error"} | {f"SECRET_AGENTS_LIMITS__{name}": "0" for name in LIMITS}
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


class Soak:
    """`async with` starts all but the bot; `run` asks, troubles, kills and checks."""

    def __init__(self, folder: Path, *, messages: int, threads: int, seed: int, rounds: int = ROUNDS) -> None:
        self._database = folder / "data" / "secret-agents.db"
        self._messages = messages
        self._threads = threads
        self._random = random.Random(seed)
        self._rounds = rounds
        self._closing = AsyncExitStack()
        self._discord = FakeDiscord()
        self._ollama = FakeOllama(num_parallel=WAITING, answer=answer)
        self._folder = folder
        self._asked: dict[int, list[Message]] = {}
        self.report = Report()

    async def __aenter__(self) -> Self:
        await self._closing.enter_async_context(self._ollama)
        await self._discord.start()
        self._closing.push_async_callback(self._discord.stop)
        guild = self._discord.make_guild("HQ")
        self._general = self._discord.make_text_channel(guild, "general")
        self._alice = self._discord.make_user("alice", guild)
        self._command = Command(self._folder, answered_by(self._ollama.host) | in_discord(self._discord) | SETTINGS)
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
                if number and number % (self._messages // (KILLS + 1)) == 0:
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
        before = self._discord.counts.identifies
        bot = await self._command.start("run", stdin=DEVNULL, stdout=DEVNULL)
        self._log = asyncio.create_task(_passed_on(bot))
        await self._discord.wait_for(lambda: self._discord.counts.identifies > before, seconds=PATIENCE)
        return bot

    async def _killed(self, bot: Process) -> Process:
        bot.kill()
        await bot.wait()
        self.report.happened["kills"] += 1
        return await self._started()

    async def _ask(self, number: int) -> None:
        await self._answered(number - WAITING)
        text = f"question {number}"
        if number < self._threads:
            question = self._say(self._general, f"{self._discord.bot.mention} {text}")
            self._asked[question.id] = [question]
        else:
            thread = self._random.choice(list(self._asked))
            channels = self._discord.world.channels
            await self._discord.wait_for(lambda: thread in channels, seconds=PATIENCE)
            self._asked[thread].append(self._say(channels[thread], text))

    def _say(self, channel: Channel, text: str) -> Message:
        message = self._discord.say(channel, self._alice, text)
        if self._random.random() < DUPLICATES:
            thread = self._random.choice([[message], *self._asked.values()])
            self._discord.redeliver(self._random.choice(thread))
            self.report.happened["messages told again"] += 1
        return message

    def _planned(self) -> dict[int, list[Trouble]]:
        """What goes wrong after which question."""
        planned: dict[int, list[Trouble]] = {}
        for trouble in self._troubles() * self._rounds:
            planned.setdefault(self._random.randrange(self._messages), []).append(trouble)
        return planned

    def _troubles(self) -> list[Trouble]:
        discord = self._discord
        return [
            ("reconnects", lambda: discord.kick(op=7)),
            ("broken lines", discord.kick),
            ("invalid sessions", lambda: discord.kick(op=9)),
            ("lost sessions", lambda: discord.kick(op=9, resumable=False)),
            ("bursts of 429", lambda: discord.fail_next("POST", MESSAGES, status=429, times=5, retry_after=0.3)),
            ("bursts of 429", lambda: discord.fail_next("PATCH", MESSAGE, status=429, times=5, retry_after=0.3)),
            ("unheard answers", lambda: discord.fail_next("POST", MESSAGES, status=None, times=3, after_effect=True)),
            ("failures", lambda: discord.fail_next("PATCH", MESSAGE, status=503, times=3)),
        ]

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
        assert not self._discord.violations, "\n".join(self._discord.violations)
        assert not self._discord.messages(self._general, by=self._discord.bot)
        for thread, questions in self._asked.items():
            answers = self._discord.messages(self._discord.world.channels[thread], by=self._discord.bot)
            seen, wanted = [each.content for each in answers], [answer_to(each) for each in questions]
            assert seen == wanted, f"in a thread {wanted} was expected and {seen} is there"


async def _passed_on(bot: Process) -> None:
    """What the bot logs."""
    assert bot.stderr is not None
    async for line in bot.stderr:
        os.write(2, line)


def answer(request: dict[str, Any]) -> Script:
    """The model repeats the last message."""
    return Script(text=("You said: ", request["messages"][-1]["content"]))


def answer_to(question: Message) -> str:
    return f"You said: Alice: question {question.content.split()[-1]}"


async def _main(messages: int, threads: int, seed: int) -> None:
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # of the model's: bots are killed while it answers
    with tempfile.TemporaryDirectory() as folder:
        async with Soak(Path(folder), messages=messages, threads=threads, seed=seed) as soak:
            report = await soak.run()
    happened = ", ".join(f"{count} {name}" for name, count in sorted(report.happened.items()))
    print(
        f"seed {seed}: {messages} questions in {threads} threads, each answered once and in its turn, in"
        f" {report.seconds:.0f} s; {happened}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--threads", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.messages, arguments.threads, arguments.seed))

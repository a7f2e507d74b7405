"""Does anything grow? Tens of thousands of turns through the whole core, and what the process holds meanwhile.

    python -m benchmarks.soak [--turns N]

Fifty people talk to the real core (inbox, engine, worker, agent, delivery, SQLite) with a model and a chat platform in
this process that remember nothing. They ask, use gadgets, repeat events, stop answers, end missions, begin new ones
every ten messages, meet a model that fails and a platform that fails for a moment, or is gone. Every 5,000 turns, when
all is answered and the garbage collected: resident memory, tasks, file descriptors and the objects that the collector
knows. The slope is a least-squares line through the second half.
"""

import argparse
import asyncio
import gc
import itertools
import logging
import os
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.support.verdict import verdict
from bot.errors import ModelBusy, PlatformError, PlatformGone
from bot.models.model import (
    Capabilities,
    Delta,
    Finished,
    Health,
    Request,
    TextDelta,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from bot.platforms.platform import Final, Inbound, TurnRef
from storage import conversations
from storage.database import Connection
from tests.core import Core, running_core
from tests.fakes.stub_platform import StubPlatform, message

PEOPLE = 50
SAMPLE = 1_000
"""Turns between two measurements; every fifth is printed."""
MISSION = 10
"""Messages of a conversation."""
FAILURES = 2
"""How often the platform fails when there is trouble: while an answer grows, and when it is complete."""
KINDS = (
    "Hello", "use a gadget", "Hello there", "be stopped", "Hello", "use a gadget", "fail", "Hello there", "gone",
    "Hello", "Hello", "use a gadget", "Hello there", "be stopped", "Hello", "use a gadget", "fail", "Hello there",
    "trouble", "end",
)  # fmt: skip
"""What people say, in turn; what the model and the platform do depends on it."""
WORDS = ("The answer ", "is long enough ", "to be shown ", "while it grows.")


class ForgetfulModel:
    """Answers at once, by what the last message of the user says."""

    provider = "soak"
    name = "soak-1"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def capabilities(self) -> Capabilities:
        return Capabilities(tools=True, context_length=8192)

    async def health(self) -> Health:
        return Health("ready", "soak")

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        asked = next(each.text for each in reversed(request.messages) if isinstance(each, UserMessage))
        if "fail" in asked:
            raise ModelBusy
        if "use a gadget" in asked and not isinstance(request.messages[-1], ToolMessage):
            yield ToolCall("call_1", "shout", {"text": "hey"})
            yield Finished("tool_calls", prompt_tokens=10, completion_tokens=5)
            return
        for word in WORDS:
            yield TextDelta(word)
            await asyncio.sleep(0)
        if "be stopped" in asked:
            await asyncio.Event().wait()  # until the turn is stopped
        yield Finished("stop", prompt_tokens=10, completion_tokens=5)


class ForgetfulPlatform(StubPlatform):
    """Shows answers to nobody; knows of the turns that are waited for, and of no other."""

    def __init__(self) -> None:
        super().__init__(pace=0.0)
        self.waiting: dict[str, Waiting] = {}

    def reply(self, turn: TurnRef) -> "ForgetfulReply":  # type: ignore[override]  # another reply, the same protocol
        return ForgetfulReply(self.waiting[turn.event_key])


@dataclass(slots=True)
class Waiting:
    """A person waits for the end of a turn. `begun`: something of the answer was shown."""

    text: str
    begun: asyncio.Event
    ended: asyncio.Event
    failures: int = 0


class ForgetfulReply:
    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    async def post(self, part: int, text: str, *, key: str) -> str:
        if self._waiting.text == "gone":
            self._waiting.ended.set()
            raise PlatformGone
        if self._waiting.text == "trouble" and self._waiting.failures < FAILURES:
            self._waiting.failures += 1
            raise PlatformError
        return f"m{key}"

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        self._waiting.begun.set()
        return True

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        self._waiting.begun.set()

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        self._waiting.ended.set()


class Person:
    """Says one thing after another, and waits for the answer each time."""

    def __init__(self, core: Core[Any], platform: ForgetfulPlatform, number: int) -> None:
        self._core = core
        self._platform = platform
        self._thread = f"t{number}"
        self._said = itertools.count(number)  # so that people do not all say the same at once
        self._asked = itertools.count()

    async def talk(self, count: int) -> None:
        for _ in range(count):
            asked = next(self._asked)
            if asked % MISSION == 0:
                first = message("", asked, thread=self._thread)
                await self._core.commands.start(first.key, first.author)
            await self._say(message(KINDS[next(self._said) % len(KINDS)], asked, thread=self._thread))

    async def _say(self, inbound: Inbound) -> None:
        waiting = Waiting(inbound.text, asyncio.Event(), asyncio.Event())
        self._platform.waiting[inbound.event_key] = waiting
        admitted = await self._core.inbox.admit(inbound)
        if inbound.text.startswith("Hello"):
            assert (await self._core.inbox.admit(inbound)).duplicate
        conversation = await self._core.database.read(conversations.get, admitted.conversation)
        if inbound.text == "be stopped":
            await waiting.begun.wait()
            await self._core.commands.stop(conversation, inbound.key, inbound.author)
        if inbound.text == "end":
            await self._core.commands.end(conversation, inbound.key, inbound.author)
        await waiting.ended.wait()
        del self._platform.waiting[inbound.event_key]


@dataclass(frozen=True, slots=True)
class Sample:
    turns: int
    memory: int
    """Resident bytes."""
    tasks: int
    descriptors: int
    objects: int

    def __str__(self) -> str:
        held = f"{self.memory / 2**20:8.1f} MB {self.tasks:5} tasks {self.descriptors:5} descriptors"
        return f"{self.turns:8,} turns {held} {self.objects:9,} objects"


def sample(turns: int) -> Sample:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    memory = pages * os.sysconf("SC_PAGE_SIZE")
    return Sample(turns, memory, len(asyncio.all_tasks()), descriptors, len(gc.get_objects()))


def slope(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """Growth per turn, by least squares."""
    return statistics.linear_regression([each.turns for each in samples], [of(each) for each in samples]).slope


async def soak(folder: Path, count: int) -> list[Sample]:
    samples: list[Sample] = []
    platform = ForgetfulPlatform()
    async with running_core(folder / "db", ForgetfulModel(), platform) as core:
        people = [Person(core, platform, number) for number in range(PEOPLE)]
        for turns in range(SAMPLE, count + 1, SAMPLE):
            await asyncio.gather(*(person.talk(SAMPLE // PEOPLE) for person in people))
            while not core.engine.idle:  # noqa: ASYNC110 - the turns whose end nobody is told of
                await asyncio.sleep(0.01)
            core.calls.clear()
            samples.append(sample(turns))
            if turns % (5 * SAMPLE) == 0:
                print(samples[-1])
        print("turns:", ", ".join(f"{each} {status}" for status, each in await core.database.read(endings)))
    return samples


def endings(connection: Connection) -> list[tuple[str, int]]:
    """How many turns ended how."""
    return connection.execute("SELECT status, count(*) FROM turns GROUP BY status ORDER BY status").fetchall()


def report(samples: Sequence[Sample]) -> None:
    half = samples[len(samples) // 2 :]
    print(verdict("memory, bytes per turn", slope(half, lambda each: each.memory), 20))
    print(verdict("objects per 1,000 turns", 1000 * slope(half, lambda each: each.objects), 20))
    print(verdict("tasks, growth in the second half", half[-1].tasks - half[0].tasks, 0))
    print(verdict("descriptors, growth in the second half", half[-1].descriptors - half[0].descriptors, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=50_000)
    given = parser.parse_args()
    logging.disable(logging.ERROR)  # failures are part of it
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        samples = asyncio.run(soak(Path(folder), given.turns))
    report(samples)
    print(f"{given.turns / (time.perf_counter() - start):.0f} turns per second")


if __name__ == "__main__":
    main()

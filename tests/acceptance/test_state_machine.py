"""Inbox, worker and storage against a plain model: whatever people do, and whenever the process restarts."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.commands import Invocation
from bot.errors import UserError
from bot.models.model import Request
from bot.worker import TurnLimits
from storage.database import Connection
from tests.core import Core, running_core
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.fakes.stub_platform import ALICE, Channel, StubPlatform, message
from tests.waiting import until_found

T = TypeVar("T")
PATIENT = TurnLimits(seconds=20, attempts=1_000_000, window=10)
"""However often the process restarts here, no turn is given up for it."""
THREADS = st.sampled_from(["t1", "t2", "t3"])


@dataclass
class Expected:
    """A turn as the plain model knows it: its conversation, and the states it may end in."""

    conversation: str
    may_be: frozenset[str] = frozenset({"answered"})


@dataclass
class Place:
    """What the plain model knows of a thread."""

    active: str | None = None
    open_turns: list[int] = field(default_factory=list)


def turns_of(connection: Connection) -> dict[int, tuple[str, str, int]]:
    found = connection.execute(
        """SELECT turns.id, conversations.id, turns.status, coalesce(turns.finished_at, '') <> '' FROM turns
            JOIN conversations ON conversations.number = turns.conversation"""
    ).fetchall()
    return {turn: (conversation, status, closed) for turn, conversation, status, closed in found}


class Missions(RuleBasedStateMachine):
    """People talk, repeat themselves, stop, end and begin anew in three threads; the process restarts in between."""

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.channel = Channel()
        self.events: dict[int, tuple[str, int]] = {}
        self.turns: dict[int, Expected] = {}
        self.places = {thread: Place() for thread in ("t1", "t2", "t3")}
        self.do(self._start())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _start(self) -> None:
        self.gate = asyncio.Event()
        gate = self.gate

        def answer(_request: Request) -> Script:
            return [gate, "Fine."]

        self.stack = AsyncExitStack()
        platform = StubPlatform(self.channel)
        core = running_core(self.folder / "db", ScriptedModel(answer=answer), platform, turn_limits=PATIENT)
        self.core: Core[StubPlatform] = await self.stack.enter_async_context(core)

    @rule(thread=THREADS)
    def say(self, thread: str) -> None:
        number = len(self.events)
        admitted = self.do(self.core.inbox.admit(message(f"message {number}", number, thread=thread)))
        place = self.places[thread]
        assert not admitted.duplicate
        assert place.active in {None, admitted.conversation_id}
        place.active = admitted.conversation_id
        place.open_turns.append(admitted.turn)
        self.events[admitted.turn] = (thread, number)
        self.turns[admitted.turn] = Expected(admitted.conversation_id)

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        turn = data.draw(st.sampled_from(sorted(self.events)))
        thread, number = self.events[turn]
        again = self.do(self.core.inbox.admit(message("anything", number, thread=thread)))
        assert (again.turn, again.duplicate) == (turn, True)

    @rule(thread=THREADS)
    def stop(self, thread: str) -> None:
        place = self._command("stop", thread)
        if place and place.open_turns:
            self.turns[place.open_turns.pop(0)].may_be = frozenset({"stopped"})

    @rule(thread=THREADS)
    def end(self, thread: str) -> None:
        place = self._command("end", thread)
        if place:
            self._ended(place)

    @rule(thread=THREADS)
    def new(self, thread: str) -> None:
        place = self.places[thread]
        started = self.do(self.core.commands.start(message("", thread=thread).key, ALICE))
        self._ended(place)
        place.active = started.id

    def _ended(self, place: Place) -> None:
        for turn in place.open_turns:
            self.turns[turn].may_be = frozenset({"stopped", "cancelled"})
        place.open_turns.clear()
        place.active = None

    def _command(self, name: str, thread: str) -> Place | None:
        """Where the mission is that the command was about: here, or, where none is active, in another thread."""
        asked = message("", thread=thread)
        try:
            answer = self.do(self.core.commands.run(Invocation(name, {}, asked.key, ALICE)))
        except UserError:
            assert all(place.active is None for place in self.places.values())
            return None
        assert answer.conversation is not None
        (meant,) = [place for place in self.places.values() if place.active == answer.conversation.id]
        assert self.places[thread].active in {None, meant.active}
        return meant

    @rule()
    def restart(self) -> None:
        """Cut off in the middle of everything: tasks are cancelled where they are."""
        for task in list(self.core.engine._tasks.values()):
            task.cancel()
        self.do(self.stack.aclose())
        self.do(self._start())

    @rule()
    def settle(self) -> None:
        """The model answers; everything open is closed, and everything is as the plain model says."""
        self.gate.set()
        found = self.do(
            until_found(
                lambda: self.core.database.read(turns_of), lambda turns: all(closed for *_, closed in turns.values())
            )
        )
        assert set(found) == set(self.turns)
        for turn, (conversation, status, _) in found.items():
            assert conversation == self.turns[turn].conversation
            assert status in self.turns[turn].may_be, (turn, status)
        for place in self.places.values():
            place.open_turns.clear()
        self.gate.clear()

    @invariant()
    def everybody_sees_each_answer_once(self) -> None:
        if hasattr(self, "channel"):
            shown = [posted.turn for posted in self.channel.messages.values()]
            assert len(shown) == len(set(shown))

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        try:
            self.settle()
        finally:  # an open database's threads would keep the failed run from ending
            self.do(self.stack.aclose())
            self.loop.close()
            shutil.rmtree(self.folder)


TestMissions = Missions.TestCase
TestMissions.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

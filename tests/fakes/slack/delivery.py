"""Handing events, commands and clicks to the app: attempts, the three seconds, retries at once, after 1 and 5 minutes.

Source: https://docs.slack.dev/apis/events-api/#retries. Only events are repeated; a command or a click that nobody
acknowledges fails in front of its user.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tests.fakes.slack.changes import PATIENCE, Changes
from tests.fakes.slack.clock import Clock
from tests.fakes.slack.refusals import Json

Kind = Literal["events_api", "slash_commands", "interactive"]
RETRY_AFTER = (0.0, 60.0, 300.0)
"""Slack's seconds before each repetition."""


class Unacknowledged(Exception):
    """The app did not acknowledge; the message is the retry reason. `final`: it asked not to be tried again."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


@dataclass(slots=True)
class Attempt:
    """One try. `seconds` is how long the acknowledgement took, None without one; `status` is HTTP's."""

    number: int
    reason: str
    sent_at: float = 0.0
    seconds: float | None = None
    status: int | None = None
    body: Json | str | None = None
    failure: str | None = None


@dataclass(slots=True, eq=False)
class Delivery:
    """`event_id` is empty for commands and clicks. `lost`: Slack gave up."""

    kind: Kind
    team_id: str
    payload: Json
    event_id: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    acknowledged: bool = False
    lost: bool = False

    @property
    def event_type(self) -> str:
        return str(self.payload["event"]["type"]) if self.kind == "events_api" else self.kind


class Transport(Protocol):
    """`late` is what a retry's reason calls an acknowledgement that did not come in time."""

    late: str

    async def send(self, delivery: Delivery, attempt: Attempt) -> None:
        """Send it and fill in how it was answered; raises Unacknowledged."""
        ...


class Dispatcher:
    """Everything on its way to the app. `duplicate_share` of the events is sent twice although acknowledged."""

    def __init__(self, clock: Clock, changes: Changes, rng: random.Random, transport: Transport) -> None:
        self.transport = transport
        self.deliveries: list[Delivery] = []
        self.duplicate_share = 0.0
        self._clock = clock
        self._changes = changes
        self._rng = rng
        self._tasks: set[asyncio.Task[None]] = set()

    def dispatch(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        self._start(delivery, 0)
        if delivery.kind == "events_api" and self._rng.random() < self.duplicate_share:
            self._start(delivery, 1)
        return delivery

    def redeliver(self, delivery: Delivery) -> None:
        """Send an event again although it was acknowledged, as Slack now and then does."""
        self._start(delivery, len(delivery.attempts))

    async def settled(self, *, seconds: float = PATIENCE) -> None:
        """Wait until nothing is on its way any more, retries included."""
        await self._changes.until(lambda: not self._tasks, seconds=seconds)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, delivery: Delivery, number: int) -> None:
        task = asyncio.create_task(self._deliver(delivery, number))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changes.tell()
        if not task.cancelled():
            task.result()

    async def _deliver(self, delivery: Delivery, first: int) -> None:
        reason = "" if first == 0 else self.transport.late
        waits = RETRY_AFTER if delivery.kind == "events_api" else ()
        for number, wait in enumerate((0.0, *waits), first):
            await self._clock.sleep(wait)
            failure = await self._attempt(delivery, Attempt(number, reason))
            if failure is None:
                return
            reason = str(failure)
            if failure.final:
                break
        delivery.lost = True

    async def _attempt(self, delivery: Delivery, attempt: Attempt) -> Unacknowledged | None:
        """None when it was acknowledged, else why not."""
        failure: Unacknowledged | None = None
        attempt.sent_at = time.monotonic()
        delivery.attempts.append(attempt)
        try:
            await self.transport.send(delivery, attempt)
        except Unacknowledged as why:
            failure, attempt.failure = why, str(why)
        else:
            attempt.seconds = time.monotonic() - attempt.sent_at
            delivery.acknowledged = True
        self._changes.tell()
        return failure

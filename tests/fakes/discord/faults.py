"""Failures that a test asks for: Discord in trouble, before or after it did what it was asked."""

import asyncio
from dataclasses import dataclass, field

from tests.fakes.discord.errors import CODES
from tests.fakes.discord.state import Json


@dataclass(slots=True)
class Fault:
    """`status` None breaks the connection. `after_effect`: the call is carried out, but the client never hears so."""

    status: int | None
    code: int = 0
    times: int = 1
    after_effect: bool = False
    retry_after: float = 0.1

    def body(self) -> Json:
        message = CODES[self.code][1] if self.code else f"{self.status}: Something is wrong"
        return {"message": message, "code": self.code}


class Hold:
    """A request that waits in the server until the test lets it go on. `channel`: only one about this."""

    def __init__(self, channel: str = "") -> None:
        self.channel = channel
        self.reached = asyncio.Event()
        self._go = asyncio.Event()

    def release(self) -> None:
        self._go.set()

    async def wait(self) -> None:
        self.reached.set()
        await self._go.wait()


@dataclass(slots=True)
class Faults:
    _planned: dict[tuple[str, str], list[Fault]] = field(default_factory=dict)
    _holds: dict[tuple[str, str], list[Hold]] = field(default_factory=dict)
    _every_hold: list[Hold] = field(default_factory=list)

    def plan(self, method: str, route: str, fault: Fault) -> None:
        self._planned.setdefault((method, route), []).append(fault)

    def take(self, method: str, route: str) -> Fault | None:
        """The fault of this request, if any; it is used up."""
        waiting = self._planned.get((method, route), [])
        if not waiting:
            return None
        fault = waiting[0]
        fault.times -= 1
        if fault.times <= 0:
            waiting.pop(0)
        return fault

    def hold(self, method: str, route: str, channel: str = "") -> Hold:
        hold = Hold(channel)
        self._holds.setdefault((method, route), []).append(hold)
        self._every_hold.append(hold)
        return hold

    def take_hold(self, method: str, route: str, channel: str) -> Hold | None:
        waiting = self._holds.get((method, route), [])
        found = next((each for each in waiting if each.channel in ("", channel)), None)
        if found is not None:
            waiting.remove(found)
        return found

    def release_all(self) -> None:
        for hold in self._every_hold:
            hold.release()

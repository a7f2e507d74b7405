"""A chat platform in memory, as strict as a real one: sends are deduplicated by key, edits need a message."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.commands import Commands
from bot.inbox import Inbox
from bot.platforms.platform import ApprovalRef, Author, ConversationKey, Final, Inbound, TurnRef


@dataclass(slots=True)
class Posted:
    """One visible message, with every text it ever had."""

    turn: int
    part: int
    texts: list[str]

    @property
    def text(self) -> str:
        return self.texts[-1]


@dataclass(slots=True)
class Channel:
    """What people see of the stub platform; shared by its connections before and after a crash."""

    messages: dict[str, Posted] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    finals: list[tuple[int, Final]] = field(default_factory=list)
    questions: dict[int, int] = field(default_factory=dict)
    """Approvals that were asked for, and their turns."""
    faults: list[Exception] = field(default_factory=list)
    """Raised, one per call, by the next calls."""

    def answers(self) -> list[str]:
        """The visible texts in the order they were posted."""
        return [posted.text for posted in self.messages.values()]


class StubPlatform:
    """A Platform over a Channel. `pace` inf shows only finished answers."""

    name = "stub"

    def __init__(self, channel: Channel | None = None, *, pace: float = 0.0, limit: int = 10_000) -> None:
        self.channel = channel or Channel()
        self.pace = pace
        self._limit = limit
        self._numbers = itertools.count(len(self.channel.messages) + 1)
        self.finished = asyncio.Condition()

    def attach(self, inbox: Inbox, commands: Commands) -> None:
        self.inbox, self.commands = inbox, commands

    def reply(self, turn: TurnRef) -> "StubReply":
        return StubReply(self, turn)

    def split(self, text: str) -> list[str]:
        return [text[start : start + self._limit] for start in range(0, len(text), self._limit)] or [""]

    def preview(self, text: str) -> str:
        return text[: self._limit]

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def wait_for(self, count: int) -> None:
        """Until `count` turns were shown to their end."""
        async with self.finished:
            await self.finished.wait_for(lambda: len(self.channel.finals) >= count)

    def next_id(self) -> str:
        return f"m{next(self._numbers)}"


class StubReply:
    def __init__(self, platform: StubPlatform, turn: TurnRef) -> None:
        self._platform = platform
        self._channel = platform.channel
        self._turn = turn
        self._status = ""

    async def post(self, part: int, text: str, *, key: str) -> str:
        await self._call()
        if key not in self._channel.by_key:
            remote_id = self._platform.next_id()
            self._channel.by_key[key] = remote_id
            self._channel.messages[remote_id] = Posted(self._turn.turn, part, [text])
        return self._channel.by_key[key]

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        if status != self._status:
            self._channel.statuses.append(status)
        self._status = status
        await self.edit(0, remote_id, text)
        return True

    async def ask(self, remote_id: str, text: str, approval: ApprovalRef) -> None:
        await self.edit(0, remote_id, text)
        self._channel.questions[approval.id] = self._turn.turn

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        await self._call()
        message = self._channel.messages[remote_id]
        assert message.part == part
        if text != message.text:
            message.texts.append(text)

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        await self._call()
        assert all(remote_id in self._channel.messages for remote_id in remote_ids)
        self._channel.finals.append((self._turn.turn, final))
        async with self._platform.finished:
            self._platform.finished.notify_all()

    async def _call(self) -> None:
        await asyncio.sleep(0)  # a real call gives others a turn, too
        if self._channel.faults:
            raise self._channel.faults.pop(0)


ALICE = Author("u1", "Alice")


def message(text: str, number: int = 1, *, thread: str = "t1", author: Author = ALICE, shared: bool = False) -> Inbound:
    """A message on the stub platform; `number` makes its event key."""
    return Inbound(ConversationKey("stub", "w", "c", thread), author, text, f"stub:{thread}:{number}", shared=shared)

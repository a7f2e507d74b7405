"""A core in which a turn waits until somebody decides whether a gadget may run."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.commands import Invocation
from bot.models.model import ToolCall
from bot.platforms.platform import Author, ConversationKey
from storage import approvals
from storage.approvals import Approval
from storage.database import Connection
from tests.core import BOSS, TURN_LIMITS, Core, launch, running_core, shout
from tests.fakes.scripted_model import Item, ScriptedModel, echo
from tests.fakes.stub_platform import ALICE, Channel, StubPlatform, message
from tests.waiting import until, until_found

HERE = ConversationKey("stub", "w", "c", "t1")
BOB, CHIEF, NAMED = Author("u2", "Bob"), Author("u3", "Tanner", admin=True), Author(BOSS, "M")


def call(target: str, number: int = 1) -> ToolCall:
    return ToolCall(f"c{number}", "launch", {"target": target})


CALL = call("moon")


@dataclass(slots=True)
class Paused:
    """A core in which a turn of Alice's waits for an approval."""

    core: Core[StubPlatform]
    model: ScriptedModel
    path: Path

    @property
    def channel(self) -> Channel:
        return self.core.platform.channel

    @property
    def asked(self) -> list[int]:
        return list(self.channel.questions)

    async def waiting(self) -> Approval:
        """The question that waits, as soon as one is seen."""
        found = await until_found(lambda: self.core.database.read(approvals.waiting, 1), lambda asked: asked)
        assert found is not None
        await until(lambda: found.id in self.channel.questions)
        return found

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.core.database.read(_rows, sql)

    async def closed(self, *statuses: str) -> list[str]:
        """The answers, as soon as the turns have ended so."""
        sql = "SELECT status FROM turns WHERE finished_at IS NOT NULL ORDER BY id"
        await until_found(lambda: self.rows(sql), lambda found: [row[0] for row in found] == list(statuses))
        return self.channel.answers()

    async def verdicts(self) -> list[Any]:
        return [row[0] for row in await self.rows("SELECT verdict FROM approvals ORDER BY id")]

    async def decide(self, act: Any = "approve", author: Author = ALICE, key: ConversationKey = HERE) -> bool:
        asked = await self.waiting()
        return (await self.core.commands.decide(asked.id, act, key, author)).counts

    async def command(self, name: str, author: Author = ALICE) -> str:
        return (await self.core.commands.run(Invocation(name, {}, HERE, author))).text


def _rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(sql).fetchall()]


@asynccontextmanager
async def running(
    path: Path,
    *scripts: Sequence[Item],
    platform: StubPlatform | None = None,
    seconds: float = 600.0,
    **more: Any,
) -> AsyncIterator[Paused]:
    model = ScriptedModel(*scripts, answer=echo)
    limits = replace(TURN_LIMITS, approval_seconds=seconds)
    options: dict[str, Any] = {"gadgets": (launch, shout), "turn_limits": limits} | more
    async with running_core(path / "db", model, platform, **options) as core:
        yield Paused(core, model, path)


@asynccontextmanager
async def paused(path: Path, *scripts: Sequence[Item], **options: Any) -> AsyncIterator[Paused]:
    """Alice has said "go", and the model wants to launch at the moon."""
    async with running(path, [CALL], *scripts, **options) as at:
        await at.core.inbox.admit(message("go"))
        await at.waiting()
        yield at

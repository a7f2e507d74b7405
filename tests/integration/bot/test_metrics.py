"""The figures after turns of every kind, read as Prometheus reads them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bot.errors import ModelBroken, PlatformError, PlatformGone
from bot.models.model import Finished, ToolCall
from bot.observing.exposition import Exposition
from bot.observing.metrics import Metrics
from storage import turns
from storage.sqlite import SQLiteDatabase
from tests.core import Core, running_core
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message
from tests.storage_builders import message as new_turn
from tests.waiting import PATIENCE, until

SHOUT = ToolCall("c1", "shout", {"text": "hey"})
MADE_UP = ToolCall("c2", "made_up_by_the_model", {})
BROKEN = ModelBroken("out of memory")
STUB = {"platform": "stub"}


@dataclass(slots=True)
class Running:
    core: Core[StubPlatform]
    model: ScriptedModel
    metrics: Metrics

    async def ask(self, count: int = 1) -> None:
        """So many questions, seen to their end."""
        for number in range(count):
            await self.core.inbox.admit(message("hello", number))
        await until(lambda: self.ended == count)

    @property
    def ended(self) -> float:
        return sum(total for _, total in self.metrics.turns.totals())

    async def told(self) -> str:
        return (await Exposition(self.metrics, self.core.database, lambda: {"discord": False}).text()).decode()

    async def value(self, name: str, labels: dict[str, str] | None = None) -> float | None:
        for family in text_string_to_metric_families(await self.told()):
            for sample in family.samples:
                if sample.name == f"secret_agents_{name}" and sample.labels == (labels or {}):
                    return float(sample.value)
        return None


@asynccontextmanager
async def running(path: Path, *scripts: Script) -> AsyncIterator[Running]:
    metrics, model = Metrics(), ScriptedModel(*scripts)
    metrics.expect(["stub"])
    async with running_core(path / "db", model, metrics=metrics) as core:
        yield Running(core, model, metrics)


async def test_turns_are_counted_by_platform_and_outcome(tmp_path: Path) -> None:
    async with running(tmp_path, ["Hi."], ["Hi again."], [BROKEN]) as bot:
        await bot.ask(3)
        assert await bot.value("turns_total", STUB | {"outcome": "answered"}) == 2
        assert await bot.value("turns_total", STUB | {"outcome": "failed"}) == 1
        assert await bot.value("turns_total", STUB | {"outcome": "stopped"}) == 0


async def test_every_stage_of_a_turn_is_timed(tmp_path: Path) -> None:
    async with running(tmp_path, [SHOUT], ["HEY."]) as bot:
        await bot.ask()
        expected = {"queued": 1, "first_post": 1, "gadget": 1, "delivery": 1, "turn": 1}
        for stage, count in (expected | {"model_first_token": 2, "model": 2}).items():
            assert await bot.value("stage_seconds_count", {"stage": stage}) == count, stage
            assert await bot.value("stage_seconds_bucket", {"stage": stage, "le": "+Inf"}) == count, stage


async def test_the_model_is_counted_by_provider_with_its_tokens(tmp_path: Path) -> None:
    async with running(tmp_path, ["Hi.", Finished("stop", 120, 7)], [BROKEN]) as bot:
        await bot.ask(2)
        scripted = {"provider": "scripted"}
        assert await bot.value("model_tokens_total", scripted | {"kind": "prompt"}) == 120
        assert await bot.value("model_tokens_total", scripted | {"kind": "completion"}) == 7
        assert await bot.value("model_seconds_count", scripted | {"result": "ok"}) == 1
        assert await bot.value("model_seconds_count", scripted | {"result": "ModelBroken"}) == 1


async def test_gadgets_are_counted_by_name_and_a_made_up_name_is_no_label(tmp_path: Path) -> None:
    async with running(tmp_path, [SHOUT, MADE_UP], ["HEY."]) as bot:
        await bot.ask()
        assert await bot.value("gadget_calls_total", {"gadget": "shout", "result": "ok"}) == 1
        assert MADE_UP.name not in await bot.told()


async def test_a_gadget_that_fails_is_counted_so(tmp_path: Path) -> None:
    async with running(tmp_path, [ToolCall("c1", "shout", {})], ["Sorry."]) as bot:
        await bot.ask()
        assert await bot.value("gadget_calls_total", {"gadget": "shout", "result": "retry"}) == 1


async def test_failures_of_a_platform_are_counted(tmp_path: Path) -> None:
    async with running(tmp_path, ["Hi."]) as bot:
        bot.core.platform.channel.faults += [PlatformError("try again"), PlatformGone("it is gone")]
        await bot.ask()
        assert await bot.value("platform_errors_total", STUB | {"kind": "error"}) == 1
        assert await bot.value("platform_errors_total", STUB | {"kind": "gone"}) == 1
        assert await bot.value("platform_connected", {"platform": "discord"}) == 0


async def test_the_database_is_told_of(tmp_path: Path) -> None:
    async with running(tmp_path, ["Hi."]) as bot:
        await bot.ask()
        units, batches = [await bot.value(f"database_batch_units_{each}") for each in ("sum", "count")]
        assert units is not None
        assert batches is not None
        assert units >= batches >= 3
        assert await bot.value("database_errors_total") == 0
        assert await bot.value("database_up") == 1


async def test_what_waits_is_told_with_the_age_of_the_oldest(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with running(tmp_path, [gate, "Hi."], ["Hi."]) as bot:
        assert (await bot.value("open_turns"), await bot.value("oldest_open_turn_seconds")) == (0, 0)
        for number in range(2):
            await bot.core.inbox.admit(message("hello", number))
        oldest = await bot.value("oldest_open_turn_seconds")
        assert await bot.value("open_turns") == 2
        assert oldest is not None
        assert 0 <= oldest < PATIENCE
        gate.set()
        await until(lambda: bot.ended == 2)


async def test_a_database_that_cannot_be_read_is_told_as_down(tmp_path: Path) -> None:
    metrics, database = Metrics(), SQLiteDatabase(str(tmp_path / "closed.db"))
    text = (await Exposition(metrics, database).text()).decode()
    assert "secret_agents_database_up 0.0" in text
    assert "secret_agents_open_turns" not in text


async def test_the_database_is_asked_once_however_many_ask(tmp_path: Path) -> None:
    async with running(tmp_path) as bot:
        exposition = Exposition(bot.metrics, bot.core.database, fresh_seconds=PATIENCE)
        first = await exposition.text()
        await bot.core.database.write(turns.admit, new_turn("stub:unseen"))
        assert b"secret_agents_open_turns 0.0" in first
        assert b"secret_agents_open_turns 0.0" in await exposition.text()


async def test_nobody_can_be_recognised_in_the_figures(tmp_path: Path) -> None:
    async with running(tmp_path, ["Hi, Alice."]) as bot:
        await bot.ask()
        told = await bot.told()
    assert "process_resident_memory_bytes" in told
    assert "process_open_fds" in told
    families = text_string_to_metric_families(told)
    labels = {name for family in families for sample in family.samples for name in sample.labels}
    assert labels == {"platform", "outcome", "stage", "le", "provider", "result", "kind"}
    assert not [word for word in ('"u1"', "Alice", "hello", '"t1"', '"c"') if word in told]

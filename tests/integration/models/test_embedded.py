"""The embedded model: its life with a worker process that plays a model, and the real thing where its weights are."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.errors import ModelBroken, ModelError, ModelNotReady, ModelRefused, ModelSilent
from bot.models.embedded import EmbeddedModel
from bot.models.hub import Patience
from bot.models.model import (
    Collected,
    Delta,
    Finished,
    Message,
    Notice,
    Request,
    SystemMessage,
    TextDelta,
    UserMessage,
)
from bot.models.weights import LARGE, SMALL, Sources, cache_dir, installed
from tests.fakes.model_hub import ModelHub
from tests.fakes.tiny_weights import CONTENT, TINY
from tests.waiting import until, until_found

FAKE = Path(__file__).parents[2] / "fakes" / "llama_worker.py"
SCHEMA = {"type": "array", "items": {"enum": ["yes", "no"]}, "minItems": 1, "maxItems": 1}


def asks(text: str, **more: Any) -> Request:
    return Request((UserMessage(text),), num_ctx=512, max_tokens=32, **more)


async def collect(model: EmbeddedModel, request: Request) -> Collected:
    collected = Collected()
    async with aclosing(model.stream(request)) as deltas:
        async for delta in deltas:
            collected.add(delta)
    return collected


async def collect_rest(stream: AsyncGenerator[Delta, None]) -> list[Delta]:
    return [delta async for delta in stream]


async def notices(model: EmbeddedModel, request: Request) -> list[str]:
    async with aclosing(model.stream(request)) as deltas:
        return [delta.text async for delta in deltas if isinstance(delta, Notice)]


async def ready(model: EmbeddedModel) -> None:
    await until_found(model.health, lambda health: health.state == "ready", seconds=100)


class Played:
    """A model whose worker is played, its weights in place; `record` is what the worker was told."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession) -> None:
        self.folder = folder
        self.http = http
        self.record = folder / "record"

    @asynccontextmanager
    async def open(self, loading: str = "", **more: Any) -> AsyncIterator[EmbeddedModel]:
        (self.folder / TINY.file_name).write_bytes(CONTENT)
        async with self.model(loading, **more) as model:
            yield model

    def model(self, loading: str = "", **more: Any) -> EmbeddedModel:
        worker = (sys.executable, str(FAKE), str(self.record), loading)
        return EmbeddedModel(self.http, weights=TINY, cache_dir=self.folder, worker=worker, **more)

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.record.read_text().splitlines()]


@pytest.fixture
def played(tmp_path: Path, http: aiohttp.ClientSession) -> Played:
    return Played(tmp_path, http)


class TestAnswering:
    async def test_answer_ends_with_the_token_counts(self, played: Played) -> None:
        async with played.open() as model:
            answer = await collect(model, asks("say good evening"))
        assert (answer.text, answer.finished) == ("good evening ", Finished("stop", 7, 2))

    async def test_decisions_and_answers_keep_their_own_prompt_cache(self, played: Played) -> None:
        async with played.open() as model:
            await collect(model, asks("say a", schema=SCHEMA))
            await collect(model, asks("say b"))
        assert [told["body"]["id_slot"] for told in played.told()] == [0, 1]

    async def test_prompt_is_read_ahead_into_the_cache_of_decisions(self, played: Played) -> None:
        prefix: tuple[Message, ...] = (SystemMessage("Decide."), UserMessage("say"))
        async with played.open(prewarm=prefix) as model:
            await ready(model)
        (told,) = played.told()
        assert (told["body"]["id_slot"], told["body"]["max_tokens"]) == (0, 1)
        assert [message["content"] for message in told["body"]["messages"]] == ["Decide.", "say"]

    async def test_long_prompt_tells_how_far_it_is_read(self, played: Played) -> None:
        async with played.open() as model:
            await ready(model)
            assert await notices(model, asks("read")) == ["reading: 0 %", "reading: 50 %"]

    async def test_prompt_beyond_the_window_is_refused(self, played: Played) -> None:
        async with played.open() as model:
            with pytest.raises(ModelRefused, match="exceeds the available"):
                await collect(model, asks("too long"))
            assert (await collect(model, asks("say next"))).text == "next "

    async def test_answer_without_an_end_is_not_taken_for_one(self, played: Played) -> None:
        async with played.open() as model:
            with pytest.raises(ModelSilent):
                await collect(model, asks("break off"))

    async def test_native_tools_are_not_promised(self, played: Played) -> None:
        capabilities = await played.model(num_ctx=2048).capabilities()
        assert (capabilities.tools, capabilities.context_length) == (False, 2048)


class TestQueue:
    async def test_next_question_is_told_how_many_are_ahead(self, played: Played) -> None:
        async with played.open() as model:
            await ready(model)
            running = model.stream(asks("wait"))
            assert await anext(running) == TextDelta("Well")
            waiting = [model.stream(asks(f"say {n}")) for n in range(2)]
            said = [await anext(stream) for stream in waiting]
            await running.aclose()
            answers = [[delta async for delta in stream] for stream in waiting]
        assert said == [Notice("queued: 1 question ahead of yours"), Notice("queued: 2 questions ahead of yours")]
        assert [[d.text for d in answer if isinstance(d, TextDelta)] for answer in answers] == [["0 "], ["1 "]]

    async def test_closed_stream_stops_the_generation_before_the_next_one(self, played: Played) -> None:
        async with played.open() as model:
            running = model.stream(asks("wait"))
            await until_found(lambda: anext(running), lambda delta: isinstance(delta, TextDelta))
            await running.aclose()
            assert (await collect(model, asks("say next"))).text == "next "
        assert [told.get("generate") or -told["stop"] for told in played.told()] == [1, -1, 2]

    async def test_cancelled_question_leaves_the_queue(self, played: Played) -> None:
        async with played.open() as model:
            await ready(model)
            running = model.stream(asks("wait"))
            await anext(running)
            second, third = model.stream(asks("say second")), model.stream(asks("say third"))
            assert await anext(second) == Notice("queued: 1 question ahead of yours")
            assert await anext(third) == Notice("queued: 2 questions ahead of yours")
            gone = asyncio.create_task(collect_rest(second))
            await asyncio.sleep(0)
            gone.cancel()
            assert await anext(third) == Notice("queued: 1 question ahead of yours")
            await running.aclose()
            assert TextDelta("third ") in [delta async for delta in third]


class TestLoading:
    async def test_opening_returns_at_once_and_a_question_waits_for_the_model(self, played: Played) -> None:
        async with played.open("waits") as model:
            stream = model.stream(asks("say hello"))
            deltas: list[Delta] = [await anext(stream)]
            assert (await model.health()).state == "loading"
            played.record.with_suffix(".go").touch()
            deltas += [delta async for delta in stream]
        assert isinstance(deltas[0], Notice)
        assert [delta.text for delta in deltas if isinstance(delta, TextDelta)] == ["hello "]

    async def test_download_is_told_to_the_waiting_question(self, played: Played) -> None:
        async with ModelHub(CONTENT, stall_after=100).running() as hub:
            sources = Sources(hub.url, ("--no-index",), Patience(retry=0))
            async with played.model(sources=sources) as model:
                stream = model.stream(asks("say hello"))
                told = await until_found(lambda: anext(stream), lambda delta: "37 %" in getattr(delta, "text", ""))
                await stream.aclose()
        assert told == Notice("downloading the language model: 37 %")

    async def test_missing_weights_name_the_command_that_fetches_them(self, played: Played) -> None:
        async with played.model(fetch=False) as model:
            with pytest.raises(ModelNotReady, match="secret-agents model pull"):
                await collect(model, asks("say hello"))
            assert (await model.health()).state == "failed"

    @pytest.mark.parametrize(
        ("loading", "why"), [("fails", "not a GGUF file"), ("dies", "out of memory"), ("babbles", "Hello!")]
    )
    async def test_failed_load_says_why(self, played: Played, loading: str, why: str) -> None:
        async with played.open(loading) as model:
            with pytest.raises(ModelNotReady, match=why):
                await collect(model, asks("say hello"))
            assert why in (await model.health()).detail

    async def test_aborted_process_is_an_error_for_one_and_a_new_process_for_the_next(self, played: Played) -> None:
        async with played.open() as model:
            with pytest.raises(ModelBroken, match=r"SIGABRT; GGML_ASSERT\(false\) failed"):
                await collect(model, asks("die"))
            assert (await collect(model, asks("say again"))).text == "again "

    @pytest.mark.parametrize("doing", ["wait", "say hello"])
    async def test_closing_ends_the_process_whatever_it_does(self, played: Played, doing: str) -> None:
        async with played.open() as model:
            stream = model.stream(asks(doing))
            await until_found(lambda: anext(stream), lambda delta: isinstance(delta, TextDelta))
            pid = worker_of(model)
        await until(lambda: not Path(f"/proc/{pid}").exists())
        with pytest.raises(ModelError):
            await collect(model, asks("say hello"))

    async def test_closing_while_the_process_loads_does_not_wait_for_it(self, played: Played) -> None:
        async with played.open("waits") as model:
            await until(lambda: model._process and model._process._process)
            pid = worker_of(model)
        await until(lambda: not Path(f"/proc/{pid}").exists())

    async def test_no_folder_is_left_in_the_temporary_directory(
        self, played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "tmp").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
        async with played.open() as model:
            await ready(model)
            assert list((tmp_path / "tmp").iterdir()) == []


def worker_of(model: EmbeddedModel) -> int:
    process = model._process
    assert process is not None
    assert process._process is not None
    return process._process.pid


REAL = next((weights for weights in (SMALL, LARGE) if (cache_dir() / weights.file_name).exists()), None)


@pytest.mark.skipif(REAL is None, reason=f"no weights in {cache_dir()}: `secret-agents model pull` fetches them")
class TestRealModel:
    """One model for each test would take seconds each, so one test asks several things of it."""

    async def test_it_decides_answers_stops_and_idles(self, http: aiohttp.ClientSession) -> None:
        assert REAL is not None
        assert await asyncio.to_thread(installed, REAL, cache_dir())
        async with EmbeddedModel(http, weights=REAL, num_ctx=1024, fetch=False) as model:
            await ready(model)
            await self._obeys_a_schema(model)
            await self._stops(model)
            await self._idles(worker_of(model))
            assert listening(worker_of(model)) == []

    async def _obeys_a_schema(self, model: EmbeddedModel) -> None:
        answer = await collect(model, asks("Is water wet? Answer at length.", schema=SCHEMA))
        assert json.loads(answer.text) in (["yes"], ["no"])
        assert answer.finished is not None
        assert answer.finished.prompt_tokens > answer.finished.completion_tokens > 0

    async def _stops(self, model: EmbeddedModel) -> None:
        story = Request((UserMessage("Write a story of a thousand words."),), num_ctx=1024, max_tokens=900)
        stream = model.stream(story)
        await until_found(lambda: anext(stream), lambda delta: isinstance(delta, TextDelta))
        await stream.aclose()
        assert (await collect(model, asks("Say hello."))).text

    async def _idles(self, pid: int) -> None:
        """A polling thread pool would burn a second of processor time in each second."""
        before = processor_seconds(pid)
        await asyncio.sleep(0.5)
        assert processor_seconds(pid) - before < 0.1


def listening(pid: int) -> list[str]:
    """The process's TCP sockets: llama.cpp's HTTP server would be one."""
    lines = Path(f"/proc/{pid}/net/tcp").read_text("ascii").splitlines()[1:]
    mine = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    return [line for line in lines if f"socket:[{line.split()[9]}]" in mine]


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))

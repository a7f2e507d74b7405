"""OllamaModel over real sockets against a server that speaks Ollama's wire."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.errors import (
    ModelBroken,
    ModelBusy,
    ModelError,
    ModelNotFound,
    ModelRefused,
    ModelSilent,
    ModelUnreachable,
)
from bot.models.model import (
    AssistantMessage,
    Capabilities,
    Collected,
    Finished,
    Message,
    Notice,
    Request,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from bot.models.ollama import OllamaModel
from bot.models.ollama_server import installed, probe
from tests.fakes.ollama import QUEUE_FULL, FakeOllama, Installed
from tests.fakes.scripted import Script
from tests.pictures import GIF, png

WORDS = ("The ", "quick ", "brown ", "fox ", "— ", "🦊")
SCHEMA = {
    "type": "object",
    "properties": {"stops": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object"}]}}},
    "required": ["stops"],
}
PLAIN = Installed("plain:1b", ("completion",), 2048, "llama")


def ask(*messages: Message, **more: Any) -> Request:
    return Request(messages or (UserMessage("hi"),), num_ctx=4096, max_tokens=100, **more)


async def collect(model: OllamaModel, request: Request | None = None, into: Collected | None = None) -> Collected:
    collected = into or Collected()
    async with aclosing(model.stream(request or ask())) as deltas:
        async for delta in deltas:
            collected.add(delta)
    return collected


@pytest.fixture
async def fake() -> AsyncIterator[FakeOllama]:
    async with FakeOllama(models=[Installed(), PLAIN]) as server:
        yield server


@pytest.fixture
async def model(http: aiohttp.ClientSession, fake: FakeOllama) -> AsyncIterator[OllamaModel]:
    async with quick(http, fake.host) as opened:
        yield opened


def quick(http: aiohttp.ClientSession, host: str, name: str = "qwen3:8b", **more: Any) -> OllamaModel:
    limits: dict[str, Any] = {"first_token_seconds": 20, "idle_seconds": 20, "answer_chars": 20_000} | more
    return OllamaModel(http, host=host, name=name, **limits)


async def test_an_answer_is_thinking_text_and_counts(fake: FakeOllama, model: OllamaModel) -> None:
    fake.queue(Script(thinking=("Hm", "m."), text=WORDS, prompt_tokens=31, completion_tokens=9))
    answer = await collect(model)
    assert (answer.thinking, answer.text) == ("Hmm.", "".join(WORDS))
    assert answer.finished == Finished("stop", 31, 9)


async def test_what_arrives_together_is_one_delta(fake: FakeOllama, model: OllamaModel) -> None:
    one_write = "".join(json.dumps({"message": {"content": word}, "done": False}) + "\n" for word in WORDS)
    fake.queue(Script(raw=one_write + json.dumps({"done": True}) + "\n"))
    async with aclosing(model.stream(ask())) as deltas:
        assert [delta async for delta in deltas] == [TextDelta("".join(WORDS)), Finished("stop")]


async def test_a_request_is_what_the_server_expects(fake: FakeOllama, model: OllamaModel) -> None:
    await collect(model, ask(tools=(ToolSpec("route", "Plan.", SCHEMA),)))
    await collect(model)
    with_tools, without = fake.requests
    assert with_tools["tools"][0]["function"]["parameters"] == SCHEMA
    assert with_tools["think"] is False
    assert without["options"] == {"num_ctx": 4096, "num_predict": 100, "temperature": 0.0}


async def test_a_schema_constrains_the_answer(fake: FakeOllama, model: OllamaModel) -> None:
    fake.queue(Script(text=('{"stops":', " []}")))
    assert json.loads((await collect(model, ask(schema=SCHEMA))).text) == {"stops": []}
    assert fake.requests[0]["format"] == SCHEMA


async def test_a_tool_call_makes_the_round_trip(fake: FakeOllama, model: OllamaModel) -> None:
    wanted = [{"id": "call_x", "name": "route", "arguments": {"stops": [{"name": "Oslo"}]}}]
    fake.queue(Script(text=("Let me see.",), tool_calls=wanted), Script(text=("Done.",)))
    first = await collect(model, ask(tools=(ToolSpec("route", "Plan.", SCHEMA),)))
    assert first.calls == [ToolCall("call_x", "route", {"stops": [{"name": "Oslo"}]})]
    assert first.finished is not None
    assert first.finished.reason == "tool_calls"
    said = AssistantMessage(first.text, tuple(first.calls))
    await collect(model, ask(UserMessage("hi"), said, ToolMessage("call_x", "route", "1 h")))
    assert fake.requests[1]["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [{"id": "call_x", "function": {"name": "route", "arguments": {"stops": [{"name": "Oslo"}]}}}],
        },
        {"role": "tool", "tool_name": "route", "tool_call_id": "call_x", "content": "1 h"},
    ]


async def test_calls_without_id_get_one_each(fake: FakeOllama, model: OllamaModel) -> None:
    fake.queue(Script(tool_calls=[{"id": None, "name": name, "arguments": {}} for name in ("a", "b")]))
    assert [call.id for call in (await collect(model)).calls] == ["call_1", "call_2"]


async def test_capabilities_are_asked_for_once(fake: FakeOllama, model: OllamaModel) -> None:
    expected = Capabilities(tools=True, thinking=True, context_length=40960)
    assert [await model.capabilities(), await model.capabilities()] == [expected, expected]
    await collect(model)
    assert fake.calls.count("/api/show") == 1


async def test_a_model_that_cannot_think_is_not_told_about_it(http: aiohttp.ClientSession, fake: FakeOllama) -> None:
    async with quick(http, fake.host, PLAIN.name, keep_alive="10m") as plain:
        await collect(plain)
        assert await plain.capabilities() == Capabilities(context_length=2048)
    assert "think" not in fake.requests[0]
    assert fake.requests[0]["keep_alive"] == "10m"


async def test_a_missing_capability_is_refused_in_the_servers_words(
    http: aiohttp.ClientSession, fake: FakeOllama
) -> None:
    async with quick(http, fake.host, PLAIN.name) as plain:
        with pytest.raises(ModelRefused, match=r"plain:1b does not support tools"):
            await collect(plain, ask(tools=(ToolSpec("route", "Plan.", SCHEMA),)))


FAULTS = [
    pytest.param(Script(hang=True), ModelSilent, id="never begins"),
    pytest.param(Script(text=WORDS, stall_after=3), ModelSilent, id="falls silent"),
    pytest.param(Script(text=WORDS, end_after=3), ModelSilent, id="ends early"),
    pytest.param(Script(text=WORDS, cut_at=200), ModelSilent, id="is cut off"),
    pytest.param(Script(text=WORDS, cut_at=1), ModelSilent, id="is cut off at once"),
    pytest.param(Script(text=WORDS, error="out of memory"), ModelBroken, id="reports an error while streaming"),
    pytest.param(Script(text=("word ",), endless=True), ModelBroken, id="never ends"),
    pytest.param(Script(raw="<html>hello</html>\n"), ModelBroken, id="is no JSON"),
    pytest.param(Script(raw="<html>hello</html>"), ModelBroken, id="is no JSON and no line"),
    pytest.param(Script(raw='{"message": {"content": 5}}\n'), ModelBroken, id="has wrong types"),
    pytest.param(Script(raw="[" * 100_000 + "\n"), ModelBroken, id="is nested too deep"),
    pytest.param(Script(raw="x" * (5 * 1024 * 1024)), ModelBroken, id="is one line without end"),
    pytest.param(Script(raw=""), ModelSilent, id="is empty"),
    pytest.param(QUEUE_FULL, ModelBusy, id="has a full queue"),
    pytest.param(Script(status=500, error="llama runner process has terminated"), ModelBroken, id="crashes"),
    pytest.param(Script(status=400, error="invalid"), ModelRefused, id="refuses"),
    pytest.param(Script(status=404, error="model 'x' not found"), ModelNotFound, id="lost the model"),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
async def test_every_fault_is_one_error_and_the_next_request_works(
    http: aiohttp.ClientSession, fake: FakeOllama, model: OllamaModel, fault: Script, kind: type[ModelError]
) -> None:
    silent = fault.hang or fault.stall_after is not None
    impatient = quick(http, fake.host, first_token_seconds=0.3, idle_seconds=0.3) if silent else model
    fake.queue(fault)
    async with asyncio.timeout(20), impatient:
        with pytest.raises(kind, match=r"^ollama qwen3:8b: ") as caught:
            await collect(impatient)
    assert " ".join((fault.error or "").split()) in str(caught.value)
    assert (await collect(model)).text == "OK"


async def test_a_stale_connection_is_not_an_error(fake: FakeOllama, model: OllamaModel) -> None:
    """A server may close a kept-alive connection at the very moment the next request goes out on it."""
    fake.queue(Script(drop=True))
    assert (await collect(model)).text == "OK"
    assert fake.requests[0] == fake.requests[1]


async def test_a_server_that_always_hangs_up_is_silent(fake: FakeOllama, model: OllamaModel) -> None:
    fake.queue(Script(drop=True), Script(drop=True))
    with pytest.raises(ModelSilent, match="the connection was lost"):
        await collect(model)
    assert (await collect(model)).text == "OK"


async def test_text_before_a_fault_is_not_lost(fake: FakeOllama, model: OllamaModel) -> None:
    so_far = Collected()
    fake.queue(Script(text=WORDS, error="out of memory"))
    with pytest.raises(ModelBroken):
        await collect(model, into=so_far)
    assert so_far.text == "".join(WORDS)


async def test_a_stream_cut_anywhere_is_a_prefix_and_an_error(fake: FakeOllama, model: OllamaModel) -> None:
    whole = Script(text=WORDS, tool_calls=[{"name": "route", "arguments": {"stops": ["Oslo"]}}])
    size = await recorded_size(fake, model, whole)
    for cut in range(size):
        so_far = Collected()
        fake.queue(Script(text=whole.text, tool_calls=whole.tool_calls, cut_at=cut))
        with pytest.raises(ModelSilent):
            await collect(model, into=so_far)
        assert "".join(WORDS).startswith(so_far.text)
        assert so_far.finished is None
    assert (await collect(model)).text == "OK"


async def recorded_size(fake: FakeOllama, model: OllamaModel, script: Script) -> int:
    """The bytes of an answer without its last line end, which completes it."""
    fake.queue(script)
    await collect(model)
    return fake.sent_bytes - 1


async def test_a_large_image_arrives_whole(http: aiohttp.ClientSession) -> None:
    image = png() + bytes(2 * 1024 * 1024)
    async with (
        FakeOllama(models=[Installed(capabilities=("completion", "vision"))]) as fake,
        quick(http, fake.host) as model,
    ):
        assert (await model.capabilities()).vision
        await collect(model, ask(UserMessage("what is this?", (image,))))
    assert base64.b64decode(fake.requests[0]["messages"][0]["images"][0]) == image


async def test_a_picture_the_server_cannot_decode_is_the_servers_failure(http: aiohttp.ClientSession) -> None:
    async with (
        FakeOllama(models=[Installed(capabilities=("completion", "vision"))]) as fake,
        quick(http, fake.host) as model,
    ):
        with pytest.raises(ModelBroken, match="image: unknown format"):
            await collect(model, ask(UserMessage("what is this?", (png(), GIF))))
        assert (await collect(model, ask(UserMessage("and now?", (png(),))))).text == "OK"


@pytest.mark.parametrize("sees", [True, False])
async def test_whether_a_model_sees_is_the_settings_word_over_the_servers(
    http: aiohttp.ClientSession, fake: FakeOllama, sees: bool
) -> None:
    async with quick(http, fake.host, vision=sees) as model:
        told = Capabilities(tools=True, vision=sees, thinking=True, context_length=40960)
        assert await model.capabilities() == told
        assert (await model.health()).state == "ready"
        assert await model.capabilities() == told


async def test_a_dripping_stream_is_whole(fake: FakeOllama, model: OllamaModel) -> None:
    fake.queue(Script(text=WORDS, drip=1))
    assert (await collect(model)).text == "".join(WORDS)


async def test_half_an_emoji_does_not_break_an_answer(fake: FakeOllama, model: OllamaModel) -> None:
    line = '{"message":{"content":"a\\ud83e"},"done":false}\n{"message":{"content":"b"},"done":true}\n'
    fake.queue(Script(raw=line))
    assert (await collect(model)).text == "a?b"


async def test_a_missing_model_says_how_to_install_it(http: aiohttp.ClientSession, fake: FakeOllama) -> None:
    async with quick(http, fake.host, "llama9") as missing:
        with pytest.raises(ModelNotFound, match="ollama pull llama9"):
            await collect(missing)
        health = await missing.health()
    assert health.state == "failed"
    assert "ollama pull llama9" in health.detail


async def test_a_server_that_is_not_there_is_unreachable(http: aiohttp.ClientSession, closed_port: int) -> None:
    async with quick(http, f"127.0.0.1:{closed_port}") as absent:
        with pytest.raises(ModelUnreachable, match="ollama qwen3:8b: cannot be reached"):
            await collect(absent)
        health = await absent.health()
    assert health.state == "failed"
    assert "ollama serve" in health.detail


async def test_a_server_that_went_away_is_unreachable_until_it_is_back(http: aiohttp.ClientSession) -> None:
    async with FakeOllama() as first:
        model = quick(http, first.host)
        await collect(model)
    with pytest.raises(ModelUnreachable):
        await collect(model)
    async with FakeOllama(port=first.port):
        assert (await collect(model)).text == "OK"
    await model.__aexit__()


async def test_closing_the_stream_closes_the_connection(fake: FakeOllama, model: OllamaModel) -> None:
    fake.queue(Script(text=("word ",), endless=True, delay=0.001))
    deltas = model.stream(ask())
    assert isinstance(await anext(deltas), TextDelta)
    await deltas.aclose()
    await asyncio.wait_for(fake.disconnected.wait(), 5)


@pytest.mark.parametrize("script", [Script(hang=True), Script(text=WORDS, stall_after=1)])
async def test_cancelling_the_task_closes_the_connection(fake: FakeOllama, model: OllamaModel, script: Script) -> None:
    fake.queue(script)
    task = asyncio.create_task(collect(model))
    await asyncio.wait_for(fake.arrived.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(fake.disconnected.wait(), 5)


async def test_a_finished_stream_gives_its_connection_back(fake: FakeOllama, model: OllamaModel) -> None:
    await model.capabilities()
    fake.connections.clear()
    for _ in range(3):
        await collect(model)
    assert len(fake.connections) == 1
    assert fake.disconnects == 0


async def test_a_slow_start_is_announced_once(http: aiohttp.ClientSession, fake: FakeOllama) -> None:
    async with quick(http, fake.host, notice_seconds=0.05) as model:
        fake.queue(Script(text=WORDS, delay=0.2))
        async with aclosing(model.stream(ask())) as deltas:
            seen = [type(delta) async for delta in deltas]
    assert seen[0] is Notice
    assert seen.count(Notice) == 1


async def test_a_request_behind_another_is_announced(http: aiohttp.ClientSession, fake: FakeOllama) -> None:
    async with quick(http, fake.host, notice_seconds=0.05, first_token_seconds=10) as model:
        fake.queue(Script(text=("word ",), endless=True, delay=0.01))
        first = model.stream(ask())
        assert isinstance(await anext(first), TextDelta)
        second = model.stream(ask())
        assert "busy with another question" in str(await anext(second))
        await first.aclose()
        assert await anext(second) == TextDelta("OK")
        await second.aclose()


async def test_two_hundred_streams_do_not_wait_for_each_other(http: aiohttp.ClientSession) -> None:
    together = asyncio.Barrier(200)

    async def one(model: OllamaModel) -> str:
        text = ""
        async with aclosing(model.stream(ask())) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta) and not text:
                    await together.wait()
                text += delta.text if isinstance(delta, TextDelta) else ""
        return text

    async with FakeOllama(num_parallel=200, answer=lambda _: Script(text=WORDS)) as fake:
        model = quick(http, fake.host, first_token_seconds=30, idle_seconds=30)
        async with model, asyncio.timeout(60):
            texts = await asyncio.gather(*(one(model) for _ in range(200)))
    assert set(texts) == {"".join(WORDS)}


async def test_health_of_an_installed_model_is_ready(model: OllamaModel) -> None:
    assert (await model.health()).state == "ready"


async def test_a_probe_tells_the_version(http: aiohttp.ClientSession, fake: FakeOllama, closed_port: int) -> None:
    assert await probe(http, fake.host) == "0.13.5"
    assert await probe(http, f"127.0.0.1:{closed_port}") is None
    assert await probe(http, "no such scheme://") is None


@asynccontextmanager
async def another_server(status: int, text: str) -> AsyncIterator[str]:
    """The address of a server that is no Ollama: it says the same to every question."""

    async def say(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", say)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (200, "<html>hello</html>", ModelBroken),
        (200, '["hello"]', ModelBroken),
        (200, '{"model_info": 5}', ModelBroken),
        (404, "404 page not found", ModelNotFound),
        (401, "who are you?", ModelRefused),
        (502, "bad gateway", ModelBroken),
    ],
)
async def test_a_server_that_is_no_ollama_is_found_out(
    http: aiohttp.ClientSession, status: int, text: str, kind: type[ModelError]
) -> None:
    async with another_server(status, text) as host, quick(http, host) as model:
        assert await probe(http, host) is None
        with pytest.raises(kind, match="ollama qwen3:8b: "):
            await model.capabilities()
        assert (await model.health()).state == "failed"


async def test_a_consumer_may_take_longer_than_the_model_may_be_silent(http: aiohttp.ClientSession) -> None:
    """The other stream's timeout is the proof that more than the idle time passed between the two reads."""
    async with FakeOllama(num_parallel=2) as fake, quick(http, fake.host, idle_seconds=0.2) as model:
        fake.queue(Script(text=WORDS, drip=1), Script(text=WORDS, stall_after=1))
        async with aclosing(model.stream(ask())) as deltas:
            text = str(getattr(await anext(deltas), "text", ""))
            with pytest.raises(ModelSilent, match="fell silent"):
                await collect(model)
            text += "".join([delta.text async for delta in deltas if isinstance(delta, TextDelta)])
    assert text == "".join(WORDS)


async def test_installed_models_are_listed(fake: FakeOllama, closed_port: int) -> None:
    assert await installed(fake.host) == ["qwen3:8b", "plain:1b"]
    with pytest.raises(ModelUnreachable):
        await installed(f"127.0.0.1:{closed_port}")


async def test_the_fake_serves_as_a_program(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    play = tmp_path / "play.json"
    rules = [{"contains": "weather", "structured": False, "script": {"text": ["Rain."]}}]
    play.write_text(json.dumps({"queue": [{"text": ["First."]}], "rules": rules, "default": {"text": ["Else."]}}))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.ollama",
        "--script",
        str(play),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ},
    )
    assert process.stdout is not None
    host = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    try:
        async with quick(http, host) as model:
            texts = [(await collect(model, ask(UserMessage(text)))).text for text in ("a", "the weather?", "b")]
    finally:
        process.kill()
        await process.wait()
    assert texts == ["First.", "Rain.", "Else."]

"""OpenAIModel over real sockets against a strict server of chat completions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest

from bot.errors import (
    ConfigurationError,
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
from bot.models.openai import OpenAIModel
from tests.fakes.openai import FakeOpenAI
from tests.fakes.scripted import Script
from tests.pictures import GIF, JPEG_HEAD, WEBP_HEAD, png

WORDS = ("The ", "quick ", "brown ", "fox ", "— ", "🦊")
KEY = "sk-test-0123456789"


def ask(*messages: Message, **more: Any) -> Request:
    return Request(messages or (UserMessage("hi"),), num_ctx=4096, max_tokens=100, **more)


async def collect(model: OpenAIModel, request: Request | None = None, into: Collected | None = None) -> Collected:
    collected = into or Collected()
    async with aclosing(model.stream(request or ask())) as deltas:
        async for delta in deltas:
            collected.add(delta)
    return collected


def quick(http: aiohttp.ClientSession, base_url: str, key: str | None = KEY, **more: Any) -> OpenAIModel:
    limits: dict[str, Any] = {"first_token_seconds": 20, "idle_seconds": 20, "answer_chars": 20_000}
    return OpenAIModel(http, base_url=base_url, api_key=key, **({"name": "test-model"} | limits | more))


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(api_key=KEY) as server:
        yield server


@pytest.fixture
async def model(http: aiohttp.ClientSession, fake: FakeOpenAI) -> AsyncIterator[OpenAIModel]:
    async with quick(http, fake.base_url) as opened:
        yield opened


async def test_an_answer_is_thinking_text_and_counts(fake: FakeOpenAI, model: OpenAIModel) -> None:
    fake.queue(Script(thinking=("Hm", "m."), text=WORDS, prompt_tokens=31, completion_tokens=9))
    answer = await collect(model)
    assert (answer.thinking, answer.text) == ("Hmm.", "".join(WORDS))
    assert answer.finished == Finished("stop", 31, 9)


async def test_a_server_that_tells_no_usage_ends_well(http: aiohttp.ClientSession) -> None:
    async with FakeOpenAI(usage=False) as fake:
        fake.queue(Script(text=WORDS, reason="length"))
        assert (await collect(quick(http, fake.base_url))).finished == Finished("length")


async def test_a_server_that_never_says_done_ends_well(fake: FakeOpenAI, model: OpenAIModel) -> None:
    fake.queue(Script(raw='data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'))
    assert (await collect(model)).text == "x"


async def test_a_server_that_keeps_silent_after_the_end_ends_well(fake: FakeOpenAI, model: OpenAIModel) -> None:
    fake.queue(Script(text=("x",), stall_after=3))
    answer = await collect(model)
    assert (answer.text, answer.finished) == ("x", Finished("stop"))


async def test_a_tool_call_makes_the_round_trip(fake: FakeOpenAI, model: OpenAIModel) -> None:
    schema = {"type": "object", "properties": {"stops": {"type": "array", "items": {"type": "object"}}}}
    request = ask(tools=(ToolSpec("route", "Plan.", schema),))
    arguments = {"stops": [{"name": "Oslo"}, {"name": "Malmö"}]}
    wanted = [{"id": name, "name": "route", "arguments": arguments} for name in ("a1", "b2")]
    fake.queue(Script(tool_calls=wanted), Script(text=("Done.",)))
    first = await collect(model, request)
    assert first.calls == [ToolCall("a1", "route", arguments), ToolCall("b2", "route", arguments)]
    assert first.finished == Finished("tool_calls", 11, 7)
    results = [ToolMessage(call.id, call.name, "1 h") for call in first.calls]
    await collect(model, ask(UserMessage("hi"), AssistantMessage("", tuple(first.calls)), *results))
    assert fake.requests[0]["tools"][0]["function"]["parameters"] == schema
    assert [message.get("tool_call_id") for message in fake.requests[1]["messages"]] == [None, None, "a1", "b2"]


FAULTS = [
    pytest.param(Script(hang=True), ModelSilent, id="never begins"),
    pytest.param(Script(text=WORDS, stall_after=3), ModelSilent, id="falls silent"),
    pytest.param(Script(text=WORDS, end_after=3), ModelSilent, id="ends early"),
    pytest.param(Script(text=WORDS, cut_at=300), ModelSilent, id="is cut off"),
    pytest.param(Script(text=WORDS, error="out of memory"), ModelBroken, id="reports an error while streaming"),
    pytest.param(Script(text=("word ",), endless=True), ModelBroken, id="never ends"),
    pytest.param(Script(raw="data: hello\n\n"), ModelBroken, id="is no JSON"),
    pytest.param(Script(raw="<html>hello</html>\n"), ModelSilent, id="is no event stream"),
    pytest.param(Script(raw='{"error": {"message": "no"}}\n'), ModelBroken, id="is an error without an event"),
    pytest.param(Script(raw='data: {"choices": 5}\n\n'), ModelBroken, id="has wrong types"),
    pytest.param(Script(raw="data: " + "x" * (5 * 1024 * 1024)), ModelBroken, id="is one line without end"),
    pytest.param(Script(raw=": ping\n\n" * 9, stall_after=1), ModelSilent, id="sends nothing but comments"),
    pytest.param(Script(status=429, error="slow down"), ModelBusy, id="limits the rate"),
    pytest.param(Script(status=503, error="Loading model"), ModelBusy, id="is loading"),
    pytest.param(Script(status=500, error="oops"), ModelBroken, id="crashes"),
    pytest.param(Script(status=413, error="too long"), ModelRefused, id="refuses"),
    pytest.param(Script(status=301, error="moved"), ModelBroken, id="is elsewhere"),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
async def test_every_fault_is_one_error_and_the_next_request_works(
    http: aiohttp.ClientSession, fake: FakeOpenAI, model: OpenAIModel, fault: Script, kind: type[ModelError]
) -> None:
    silent = fault.hang or fault.stall_after is not None
    impatient = quick(http, fake.base_url, first_token_seconds=0.3, idle_seconds=0.3) if silent else model
    fake.queue(fault)
    async with asyncio.timeout(20), impatient:
        with pytest.raises(kind, match=r"^openai test-model: ") as caught:
            await collect(impatient)
    assert (fault.error or "") in str(caught.value)
    assert (await collect(model)).text == "OK"


async def test_a_stream_cut_anywhere_is_a_prefix_and_an_error_or_the_end(fake: FakeOpenAI, model: OpenAIModel) -> None:
    """After `finish_reason` nothing is missing but counts, so that a cut there is no loss."""
    fake.queue(Script(text=WORDS))
    await collect(model)
    for cut in range(fake.sent_bytes):
        so_far = Collected()
        fake.queue(Script(text=WORDS, cut_at=cut))
        try:
            await collect(model, into=so_far)
        except ModelSilent:
            assert so_far.finished is None
            assert "".join(WORDS).startswith(so_far.text)
        else:
            assert so_far.text == "".join(WORDS)
    assert (await collect(model)).text == "OK"


async def test_a_wrong_key_is_refused_and_never_repeated(http: aiohttp.ClientSession, fake: FakeOpenAI) -> None:
    wrong = quick(http, fake.base_url, "sk-wrong-key")
    with pytest.raises(ModelRefused, match="Incorrect API key") as caught:
        await collect(wrong)
    with pytest.raises(ModelRefused) as asked:
        await wrong.capabilities()
    health = await wrong.health()
    assert health.state == "failed"
    assert not any("sk-wrong-key" in text for text in (str(caught.value), str(asked.value), health.detail))


async def test_another_name_is_not_found(http: aiohttp.ClientSession, fake: FakeOpenAI) -> None:
    with pytest.raises(ModelNotFound, match=r"`gpt-9` does not exist.*check \[model\] name"):
        await collect(quick(http, fake.base_url, name="gpt-9"))


async def test_a_server_that_is_not_there_is_unreachable(http: aiohttp.ClientSession, closed_port: int) -> None:
    absent = quick(http, f"http://127.0.0.1:{closed_port}/v1")
    with pytest.raises(ModelUnreachable):
        await collect(absent)
    with pytest.raises(ModelUnreachable):
        await absent.capabilities()
    assert (await absent.health()).state == "failed"


@pytest.mark.parametrize("cards", [True, False], ids=["own card", "list"])
@pytest.mark.parametrize(
    ("card", "window"),
    [
        ({"context_length": 8192}, 8192),
        ({"max_model_len": 4096}, 4096),
        ({"meta": {"n_ctx_train": 32768}}, 32768),
        ({"meta": {"n_ctx_train": 32768, "n_ctx": 2048}}, 2048),
        ({}, 0),
        ({"context_length": "many"}, 0),
    ],
)
async def test_the_window_is_what_the_server_tells(
    http: aiohttp.ClientSession, card: dict[str, Any], window: int, cards: bool
) -> None:
    async with FakeOpenAI(card=card, cards=cards) as fake:
        model = quick(http, fake.base_url, vision=True)
        assert await model.capabilities() == Capabilities(tools=True, vision=True, context_length=window)
        assert (await model.health()).state == "ready"


@pytest.mark.parametrize("cards", [True, False], ids=["own card", "list"])
@pytest.mark.parametrize(
    ("card", "setting", "sees"),
    [
        ({"architecture": {"input_modalities": ["text", "image"]}}, None, True),
        ({"architecture": {"input_modalities": ["text"]}}, None, False),
        ({"architecture": {"input_modalities": ["text"]}}, True, True),
        ({"architecture": {"input_modalities": ["text", "image"]}}, False, False),
        ({"architecture": "qwen2vl"}, None, False),
        ({"architecture": {"input_modalities": "image"}}, None, False),
        ({}, None, False),
        ({}, True, True),
    ],
)
async def test_whether_a_model_sees_is_the_settings_word_or_else_the_servers(
    http: aiohttp.ClientSession, card: dict[str, Any], setting: bool | None, sees: bool, cards: bool
) -> None:
    async with FakeOpenAI(card={"context_length": 8192, **card}, cards=cards) as fake:
        model = quick(http, fake.base_url, vision=setting)
        assert await model.capabilities() == Capabilities(tools=True, vision=sees, context_length=8192)


@pytest.mark.parametrize("image", [png(), JPEG_HEAD, GIF, WEBP_HEAD], ids=["png", "jpeg", "gif", "webp"])
async def test_a_picture_is_what_its_data_url_says(http: aiohttp.ClientSession, image: bytes) -> None:
    async with FakeOpenAI(vision=True) as fake:
        assert (await collect(quick(http, fake.base_url), ask(UserMessage("?", (image, png()))))).text == "OK"


async def test_a_server_that_takes_no_pictures_says_so(fake: FakeOpenAI, model: OpenAIModel) -> None:
    with pytest.raises(ModelBroken, match="image input is not supported"):
        await collect(model, ask(UserMessage("?", (png(),))))


async def test_closing_the_stream_closes_the_connection(fake: FakeOpenAI, model: OpenAIModel) -> None:
    fake.queue(Script(text=("word ",), endless=True, delay=0.001))
    deltas = model.stream(ask())
    assert isinstance(await anext(deltas), TextDelta)
    await deltas.aclose()
    await asyncio.wait_for(fake.disconnected.wait(), 5)


async def test_a_slow_start_is_announced_once(http: aiohttp.ClientSession, fake: FakeOpenAI) -> None:
    fake.queue(Script(text=WORDS, delay=0.1))
    async with aclosing(quick(http, fake.base_url, notice_seconds=0.02).stream(ask())) as deltas:
        seen = [type(delta) async for delta in deltas]
    assert seen[0] is Notice
    assert seen.count(Notice) == 1


@pytest.mark.parametrize("base_url", ["", "api.openai.com/v1", "ftp://x", "http://", "http://[::1"])
async def test_an_address_without_scheme_names_the_setting(http: aiohttp.ClientSession, base_url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^\[openai\] base_url: "):
        quick(http, base_url)


async def test_a_password_in_the_address_is_refused_without_showing_it(http: aiohttp.ClientSession) -> None:
    with pytest.raises(ConfigurationError, match=r"^\[openai\] base_url: ") as caught:
        quick(http, "https://spy:hush@api.example.org/v1")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
async def test_a_key_that_cannot_be_one_is_refused_without_showing_it(http: aiohttp.ClientSession, key: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY") as caught:
        quick(http, "http://127.0.0.1", key)
    assert key not in str(caught.value)

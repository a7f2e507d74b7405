"""The fake is worth something only if Ollama's own client takes it for the real one, and if it is strict."""

from typing import Any

import aiohttp
import ollama
import pytest

from tests.fakes.ollama import FakeOllama, Installed
from tests.fakes.scripted import Script

QUESTION = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "a", "parameters": {"type": "object", "properties": {}}}}


async def test_the_official_client_talks_to_it() -> None:
    async with FakeOllama(pullable=["llama9"]) as fake, ollama.AsyncClient(fake.host, timeout=10) as client:
        fake.queue(Script(thinking=("Hm",), text=("a", "b")), Script(text=("a", "b")))
        whole = await client.chat("qwen3:8b", QUESTION)
        parts = [part.message.content async for part in await client.chat("qwen3:8b", QUESTION, stream=True)]
        pulled = [step.status async for step in await client.pull("llama9", stream=True)]
        names = [model.model for model in (await client.list()).models]
        loaded = [model.model for model in (await client.ps()).models]
    assert (whole.message.content, whole.message.thinking) == ("ab", "Hm")
    assert parts == ["a", "b", ""]
    assert (pulled[0], pulled[-1]) == ("pulling manifest", "success")
    assert names == ["qwen3:8b", "llama9:latest"]
    assert loaded == ["qwen3:8b"]


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"model": "llama9"}, 404, "model 'llama9' not found"),
        ({"model": "plain", "think": True}, 400, '"plain" does not support thinking'),
        ({"model": "plain", "tools": [TOOL]}, 400, "does not support tools"),
    ],
)
async def test_it_refuses_what_ollama_refuses(more: dict[str, Any], status: int, words: str) -> None:
    async with (
        FakeOllama(models=[Installed("plain", ("completion",))]) as fake,
        ollama.AsyncClient(fake.host, timeout=10) as client,
    ):
        with pytest.raises(ollama.ResponseError, match=words) as caught:
            await client.chat(**({"messages": QUESTION} | more))
    assert caught.value.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {"model": "qwen3:8b", "messages": QUESTION, "num_ctx": 4096},
        {"model": "qwen3:8b", "messages": [{"role": "user", "text": "hi"}]},
        {"model": "qwen3:8b", "messages": QUESTION, "options": {"num_ctx": "4096"}},
        {"messages": QUESTION},
    ],
)
async def test_a_clients_mistake_fails_the_test(http: aiohttp.ClientSession, body: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="/api/chat"):
        async with FakeOllama() as fake, http.post(f"{fake.url}/api/chat", json=body) as response:
            assert response.status == 400


async def test_a_script_that_breaks_the_asked_format_fails_the_test(http: aiohttp.ClientSession) -> None:
    body = {"model": "qwen3:8b", "messages": QUESTION, "format": {"type": "object"}}
    with pytest.raises(AssertionError, match="a format was asked for"):
        async with (
            FakeOllama(answer=lambda _: Script(text=("no",))) as fake,
            http.post(f"{fake.url}/api/chat", json=body) as response,
        ):
            assert response.status == 200

"""An Ollama server apart from the chat: its address, whether it answers, which models it has and what they can do.

The `ollama` package does this part. It is imported when first used, in a thread: the import and the building of its
HTTP client would hold the event loop for a noticeable time.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.addresses import ollama_url
from bot.errors import ModelBroken, ModelError, ModelSilent, ModelUnreachable
from bot.models.model import Capabilities
from bot.models.peer import Peer

if TYPE_CHECKING:
    from ollama import AsyncClient

PROBE_SECONDS = 1.0
ASK_SECONDS = 10.0
"""For questions that need no model in memory: show, list."""


class _Version(msgspec.Struct):
    version: str


async def probe(http: ClientSession, host: str) -> str | None:
    """The version of the Ollama at `host`, or None if none answers within a second. Never raises."""
    try:
        timeout = ClientTimeout(total=PROBE_SECONDS)
        async with http.get(f"{ollama_url(host)}/api/version", timeout=timeout) as response:
            return msgspec.json.decode(await response.read(), type=_Version).version
    except (ClientError, TimeoutError, OSError, ValueError):
        return None


async def installed(host: str) -> list[str]:
    """The names of the models on the server, e.g. `qwen3:8b`, newest first. Raises ModelError."""
    server = OllamaServer(ollama_url(host), Peer("ollama", "(all models)", "is this address really an Ollama?"))
    try:
        return await server.models()
    finally:
        await server.close()


class OllamaServer:
    """The `ollama` package's client, built once, with its timeouts set and its errors translated."""

    def __init__(self, url: str, peer: Peer, *, seconds: float = ASK_SECONDS) -> None:
        self._url = url
        self._peer = peer
        self._seconds = seconds
        self._client: AsyncClient | None = None
        self._building = asyncio.Lock()

    async def show(self, model: str) -> Capabilities:
        """What the model can do. Raises ModelError."""
        client = await self.open()
        try:
            async with asyncio.timeout(self._seconds):
                shown = await client.show(model)
        except Exception as error:
            raise self._translated(error) from error
        names = shown.capabilities or []
        return Capabilities(
            tools="tools" in names,
            vision="vision" in names,
            thinking="thinking" in names,
            context_length=_context_length(shown.modelinfo or {}),
        )

    async def models(self) -> list[str]:
        client = await self.open()
        try:
            async with asyncio.timeout(self._seconds):
                listed = await client.list()
        except Exception as error:
            raise self._translated(error) from error
        return [entry.model for entry in listed.models if entry.model]

    async def open(self) -> "AsyncClient":
        async with self._building:
            if self._client is None:
                self._client = await asyncio.to_thread(_build, self._url, self._seconds)
            return self._client

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call] # the package leaves it untyped

    def _translated(self, error: Exception) -> ModelError:
        import httpx  # noqa: PLC0415 - see the module's docstring
        import ollama  # noqa: PLC0415

        if isinstance(error, ollama.ResponseError):
            return self._peer.refusal(error.status_code, error.error.encode())
        if isinstance(error, ValueError | TypeError | AttributeError):  # not what the package expects to read
            return self._peer.error(ModelBroken, f"sent what is not its protocol ({error})")
        if isinstance(error, TimeoutError | httpx.ReadTimeout):
            return self._peer.error(ModelSilent, f"nothing came within {self._seconds:g} s")
        return self._peer.error(ModelUnreachable, f"cannot be reached at {self._url}: {error!r}")


def _build(url: str, seconds: float) -> "AsyncClient":
    from ollama import AsyncClient  # noqa: PLC0415 - see the module's docstring

    # The environment's proxies are for the internet; the model server is configured by address.
    return AsyncClient(host=url, timeout=seconds, trust_env=False)


def _context_length(model_info: Mapping[str, Any]) -> int:
    """`model_info` names it after the architecture: `qwen3.context_length`."""
    lengths = [value for key, value in model_info.items() if key.endswith(".context_length")]
    return next((value for value in lengths if isinstance(value, int) and value > 0), 0)

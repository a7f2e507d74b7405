"""A model behind any server that speaks OpenAI's chat completions: vLLM, llama.cpp, LM Studio, OpenRouter, OpenAI.

The wire itself, with a transcript, is in `openai_chat`. The context length comes from `GET {base_url}/models/{name}` or
the list at `/models`, where a server adds it: `context_length` (OpenRouter), `max_model_len` (vLLM), `meta.n_ctx` and
`meta.n_ctx_train` (llama.cpp). Whether the model sees is told there by OpenRouter alone, among
`architecture.input_modalities` (https://openrouter.ai/docs/client-sdks/typescript/models/architecture).
"""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any, Self
from urllib.parse import quote

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bot.errors import ConfigurationError, ModelError, ModelUnreachable
from bot.models.answer import Answer
from bot.models.lines import EventSplitter
from bot.models.model import Capabilities, Delta, Health, Request
from bot.models.openai_chat import OpenAIAnswer, encode_request
from bot.models.payload import call_count, encode
from bot.models.peer import Peer
from bot.models.wire import (
    CONNECT_SECONDS,
    FIRST_TOKEN_SECONDS,
    IDLE_SECONDS,
    MAX_ANSWER_CHARS,
    NOTICE_SECONDS,
    Call,
    Limits,
    relay,
)

HEALTH_SECONDS = 3.0
ASK_SECONDS = 10.0


class _Meta(msgspec.Struct):
    n_ctx: int | None = None
    n_ctx_train: int | None = None


class _ModelCard(msgspec.Struct):
    id: str = ""
    context_length: int | None = None
    max_model_len: int | None = None
    meta: _Meta | None = None
    architecture: Any = None

    def window(self) -> int:
        meta = self.meta or _Meta()
        return self.context_length or self.max_model_len or meta.n_ctx or meta.n_ctx_train or 0

    def sees(self) -> bool:
        """Other servers give `architecture` in shapes of their own."""
        taken = self.architecture.get("input_modalities") if isinstance(self.architecture, dict) else None
        return isinstance(taken, list) and "image" in taken


class _ModelList(msgspec.Struct):
    data: list[_ModelCard]


class OpenAIModel:
    """The `Model` protocol over one OpenAI-compatible server; times are in seconds.

    `base_url` ends before `/chat/completions`, e.g. `https://api.openai.com/v1`. What the model can do is not on this
    wire: tools are taken for granted, `vision` is the operator's word; None takes the server's, which few give. Raises
    ConfigurationError for an address or a key that cannot be one.
    """

    provider = "openai"

    def __init__(
        self,
        http: ClientSession,
        *,
        base_url: str,
        api_key: str | None,
        name: str,
        first_token_seconds: float = FIRST_TOKEN_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        notice_seconds: float = NOTICE_SECONDS,
        answer_chars: int = MAX_ANSWER_CHARS,
        vision: bool | None = None,
    ) -> None:
        self.name = name
        self._http = http
        self._url = _checked_url(base_url)
        key = _checked_key(api_key or "")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._limits = Limits(first_token_seconds, idle_seconds, notice_seconds, answer_chars)
        self._peer = Peer(self.provider, name, "check [model] name and [openai] base_url", secret=key)
        self._vision = vision
        self._capabilities: Capabilities | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing to close: the session belongs to the application."""

    async def capabilities(self) -> Capabilities:
        """Cached after the first success. Raises ModelError."""
        if self._capabilities is None:
            card = await self._card()
            vision = card.sees() if self._vision is None else self._vision
            self._capabilities = Capabilities(tools=True, vision=vision, context_length=card.window())
        return self._capabilities

    async def health(self) -> Health:
        """Whether the server answers and takes the key. Never raises; answers within 3 seconds."""
        try:
            status, body = await self._get("/models", HEALTH_SECONDS)
        except ModelError as error:
            return Health("failed", str(error))
        if status in {200, 404, 405}:  # some servers have no list of models
            return Health("ready", f"{self.name} at {self._url}")
        return Health("loading" if status == 503 else "failed", str(self._peer.refusal(status, body)))

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """See `Model.stream`."""
        return relay(partial(self._prepare, request), EventSplitter())

    async def _prepare(self, request: Request) -> tuple[Call, Answer]:
        url = f"{self._url}/chat/completions"
        body = encode(encode_request(self.name, request))
        call = Call(self._http, url, body, self._peer, self._limits, self._headers)
        return call, OpenAIAnswer(self._peer, calls_before=call_count(request))

    async def _card(self) -> _ModelCard:
        """What the server tells of the model: its own card, or that in the list of all; an empty one for neither."""
        status, body = await self._get(f"/models/{quote(self.name)}", ASK_SECONDS)
        if status in {401, 403}:
            raise self._peer.refusal(status, body)
        if status == 200 and (card := _read_card(body)).window():
            return card
        status, body = await self._get("/models", ASK_SECONDS)
        return _find_card(body, self.name) if status == 200 else _ModelCard()

    async def _get(self, path: str, seconds: float) -> tuple[int, bytes]:
        timeout = ClientTimeout(total=seconds, connect=CONNECT_SECONDS)
        request = self._http.get(self._url + path, headers=self._headers, timeout=timeout, allow_redirects=False)
        try:
            async with request as response:
                return response.status, await response.read()
        except TimeoutError as error:
            what = f"does not answer within {seconds:g} s"
            raise self._peer.error(ModelUnreachable, what) from error
        except (ClientError, OSError) as error:
            raise self._peer.error(ModelUnreachable, f"cannot be reached: {error}") from error


def _read_card(body: bytes) -> _ModelCard:
    try:
        return msgspec.json.decode(body, type=_ModelCard)
    except (ValueError, RecursionError):
        return _ModelCard()


def _find_card(body: bytes, name: str) -> _ModelCard:
    """The card of the model of that name, or of the only one: a server of one model takes any name."""
    try:
        cards = msgspec.json.decode(body, type=_ModelList).data
    except (ValueError, RecursionError):
        return _ModelCard()
    found = [card for card in cards if card.id == name] or (cards if len(cards) == 1 else [])
    return found[0] if found else _ModelCard()


def _checked_url(base_url: str) -> str:
    url = base_url.strip().rstrip("/")
    try:
        parts = URL(url)
    except ValueError:
        parts = URL()
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise ConfigurationError("[openai] base_url: write an address such as https://api.openai.com/v1")
    if parts.user is not None or parts.password is not None:
        raise ConfigurationError("[openai] base_url: leave the name and password out; set OPENAI_API_KEY")
    return url


def _checked_key(api_key: str) -> str:
    key = api_key.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError("OPENAI_API_KEY: contains characters that no key has")
    return key

"""Which language model answers: what the settings say, or, for `auto`, what is there."""

import logging
from collections.abc import Sequence

from aiohttp import ClientSession

from bot.errors import ConfigurationError, ModelError, ModelNotFound
from bot.models.model import Message, Model
from bot.settings import Settings

_log = logging.getLogger(__name__)


async def choose_model(settings: Settings, http: ClientSession, prewarm: Sequence[Message] = ()) -> Model:
    """The model to answer with, not opened yet. Asks Ollama, within a second or so, where that decides.

    `prewarm` is what most requests begin with: a model in this process reads it ahead. Raises ConfigurationError.
    """
    match settings.model.provider:
        case "ollama":
            return ollama_model(settings, http, settings.model.name or await _first_installed(settings))
        case "openai":
            return _openai_model(settings, http, settings.model.name)
        case "embedded":
            return _embedded_model(settings, http, prewarm)
        case "auto":
            return await _ollama_if_there(settings, http) or _embedded_model(settings, http, prewarm)


def named_model(settings: Settings, http: ClientSession, provider: str, name: str) -> Model:
    """Another model of the provider that was chosen, not opened yet. Raises ModelNotFound where there is only one."""
    match provider:
        case "ollama":
            return ollama_model(settings, http, name)
        case "openai":
            return _openai_model(settings, http, name)
    raise ModelNotFound(f"there is no model {name} beside the {provider} one, which answers now")


def ollama_model(settings: Settings, http: ClientSession, name: str) -> Model:
    from bot.models.ollama import OllamaModel  # noqa: PLC0415 - only what is configured is imported

    return OllamaModel(
        http,
        host=settings.ollama.host,
        name=name,
        keep_alive=settings.ollama.keep_alive,
        vision=settings.model.vision,
        first_token_seconds=settings.model.first_token_seconds,
        idle_seconds=settings.model.idle_seconds,
    )


async def _ollama_if_there(settings: Settings, http: ClientSession) -> Model | None:
    """Ollama, when it answers and has the wanted model (any, when none is named)."""
    from bot.models.ollama_server import installed, probe  # noqa: PLC0415 - see above

    if await probe(http, settings.ollama.host) is None:
        return None
    try:
        names = await installed(settings.ollama.host)
    except ModelError as error:
        _log.warning("Ollama answers, but does not list its models: %s", error)
        return None
    name = settings.model.name or next(iter(names), "")
    if name not in {*names, *(full.removesuffix(":latest") for full in names)}:
        _log.warning("Ollama answers, but has no model %s (ollama pull %s): the embedded model answers", name, name)
        return None
    return ollama_model(settings, http, name)


async def _first_installed(settings: Settings) -> str:
    from bot.models.ollama_server import installed  # noqa: PLC0415 - see above

    try:
        names = await installed(settings.ollama.host)
    except ModelError as error:
        raise ConfigurationError(
            f"[model] name: is empty and Ollama cannot be asked for its models: {error}"
        ) from error
    if not names:
        raise ConfigurationError("[model] name: Ollama has no model yet; run `ollama pull qwen3:8b`, for example")
    return names[0]


def _openai_model(settings: Settings, http: ClientSession, name: str) -> Model:
    from bot.models.openai import OpenAIModel  # noqa: PLC0415 - see above

    if not name:
        raise ConfigurationError('[model] name: is missing; provider = "openai" needs the name of a model')
    key = settings.openai.api_key
    return OpenAIModel(
        http,
        base_url=settings.openai.base_url,
        api_key=key.get_secret_value() if key else None,
        name=name,
        vision=settings.model.vision,
        first_token_seconds=settings.model.first_token_seconds,
        idle_seconds=settings.model.idle_seconds,
    )


def _embedded_model(settings: Settings, http: ClientSession, prewarm: Sequence[Message]) -> Model:
    from bot.embedded_weights import wanted_weights, weights_folder  # noqa: PLC0415 - see above
    from bot.models.embedded import EmbeddedModel  # noqa: PLC0415 - see above

    return EmbeddedModel(
        http,
        weights=wanted_weights(settings),
        cache_dir=weights_folder(settings),
        num_ctx=settings.model.num_ctx,
        threads=settings.embedded.threads,
        fetch=settings.embedded.fetch,
        prewarm=prewarm,
    )

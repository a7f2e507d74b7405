"""`secret-agents check`: for every part whether it is on, whether it works, and what to do if it does not.

Each part is really tried: the database is opened and written to, the model's server asked, the port bound.
"""

import asyncio
import errno
from collections.abc import Awaitable
from importlib.util import find_spec
from typing import Literal

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.embedded_weights import wanted_weights, weights_folder
from bot.errors import ConfigurationError, ModelError
from bot.finding import Finding
from bot.model_choice import choose_model, named_model
from bot.models.model import Health, Model
from bot.models.weights import free_memory, installed
from bot.ports import address, try_port
from bot.settings import Settings
from storage.database import Connection, open_database
from storage.errors import StorageCorrupt, StorageError, StorageReadOnly

ASK_SECONDS = 3.0
MEGABYTE = 1_000_000
MEMORY_BESIDES = 500 * MEGABYTE
"""Bytes that a model works with, beside its weights."""
PART_SECONDS = 60.0
"""For one part; a large database takes a while to be read through."""


async def check_all(settings: Settings) -> list[Finding]:
    """Never raises for what it looks for."""
    async with ClientSession(timeout=ClientTimeout(total=ASK_SECONDS)) as http:
        parts: list[tuple[str, Awaitable[Finding]]] = [
            ("database", check_database(settings)),
            ("model", check_model(settings, http)),
            ("web", check_web(settings, http)),
            ("discord", _check_discord(settings)),
            ("slack", _check_slack(settings)),
        ]
        named = {f"agent {name}": agent.model for name, agent in settings.agents.items() if agent.model}
        parts += [(part, check_named_model(settings, http, part, model)) for part, model in named.items()]
        parts += [(f"mcp {name}", _check_gadget_server(settings, name)) for name in settings.mcp]
        return list(await asyncio.gather(*(_bounded(name, check) for name, check in parts)))


async def _bounded(part: str, check: Awaitable[Finding]) -> Finding:
    try:
        async with asyncio.timeout(PART_SECONDS):
            return await check
    except TimeoutError:
        return Finding(part, "failed", f"gave no result within {PART_SECONDS:g} seconds")


async def check_database(settings: Settings) -> Finding:
    """Opened (and made, where there is none), read through, and locked for writing."""
    url = settings.storage.url
    try:
        async with open_database(url, exclusive=False) as database:
            problems = await database.read(_damage)
            await database.write(_nothing)
    except StorageCorrupt as error:
        return Finding("database", "failed", str(error), "restore a backup, or move the file away to begin anew")
    except StorageReadOnly as error:
        return Finding("database", "failed", f"{url}: {error}", "make it writable, or set another [storage] url")
    except StorageError as error:
        return Finding("database", "failed", f"{url}: {error}")
    if problems:
        return Finding("database", "failed", f"{url} is damaged: {problems[0]}", "restore a backup")
    return Finding("database", "ok", f"{url} can be read and written")


async def check_model(settings: Settings, http: ClientSession) -> Finding:
    """The model that would answer now. Weights are looked at, neither downloaded nor loaded."""
    try:
        model = await choose_model(settings, http)
    except ConfigurationError as error:
        return Finding("model", "failed", str(error))
    if model.provider == "embedded":
        return await asyncio.to_thread(_check_embedded, settings)
    async with model:
        return _health_of("model", model, await model.health())


async def check_named_model(settings: Settings, http: ClientSession, part: str, name: str) -> Finding:
    """The model that an agent names for itself."""
    try:
        provider = (await choose_model(settings, http)).provider
        model = named_model(settings, http, provider, name)
    except (ConfigurationError, ModelError) as error:
        return Finding(part, "failed", str(error), f"mend [{part.replace('agent ', 'agents.')}] model")
    async with model:
        return _health_of(part, model, await model.health())


def _health_of(part: str, model: Model, health: Health) -> Finding:
    state: Literal["ok", "failed"] = "failed" if health.state == "failed" else "ok"
    return Finding(part, state, f"{model.name} ({model.provider}): {health.detail}")


def _check_embedded(settings: Settings) -> Finding:
    """Blocking: a file that was never verified is read whole."""
    if find_spec("xllamacpp") is None:
        why = "the embedded model's runtime (xllamacpp) is not installed"
        return Finding("model", "failed", why, "run `make setup`, or use Ollama: see [model] provider")
    chosen, folder = wanted_weights(settings), weights_folder(settings)
    try:
        path = installed(chosen, folder)
    except ModelError as error:
        return Finding("model", "failed", str(error))
    if path is None:
        why = f"{chosen.name} (embedded) is not in {folder} yet ({chosen.size // MEGABYTE} MB)"
        todo = "`secret-agents model pull` downloads it"
        return Finding("model", "ok" if settings.embedded.fetch else "failed", why, todo)
    free = free_memory()
    tight = free < chosen.size + MEMORY_BESIDES
    why = f"{chosen.name} (embedded) is in {folder}; {free // MEGABYTE} MB of memory are free"
    return Finding("model", "ok", why, 'close other programs, or set [embedded] size = "small"' if tight else "")


def _damage(connection: Connection) -> list[str]:
    """What SQLite finds wrong with its file, without the (slow) comparison of every index."""
    rows = connection.execute("PRAGMA quick_check").fetchall()
    return [text for (text,) in rows if text != "ok"]


def _nothing(connection: Connection) -> None:
    """Its transaction alone tells whether the database can be written."""


async def check_web(settings: Settings, http: ClientSession) -> Finding:
    web = settings.web
    if not web.enabled:
        return Finding("web", "off", "[web] enabled is false", "set it to true for the page in the browser")
    url = address(web.host, web.port)
    try:
        await asyncio.to_thread(try_port, web.host, web.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and await _is_ours(http, url):
            return Finding("web", "ok", f"{url} is served by a running secret-agents")
        todo = "set another [web] port" if error.errno == errno.EADDRINUSE else "set another [web] host or port"
        return Finding("web", "failed", f"{url} cannot be served: {error.strerror or error}", todo)
    return Finding("web", "ok", f"{url} is free to be served by `secret-agents run`")


async def _is_ours(http: ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/healthz") as response:
            alive: object = await response.json()
            return alive == {"status": "ok"}
    except (ClientError, TimeoutError, ValueError):
        return False


async def _check_discord(settings: Settings) -> Finding:
    if not settings.discord.on:
        return _no_token("discord", "Discord")
    from bot.platforms.discord.check import check_discord  # noqa: PLC0415 - discord.py is imported only where it is used

    return await check_discord(settings.discord)


async def _check_slack(settings: Settings) -> Finding:
    if not settings.slack.on:
        return _no_token("slack", "Slack")
    from bot.platforms.slack.check import check_slack  # noqa: PLC0415 - slack_sdk is imported only where it is used

    web = settings.web
    return await check_slack(settings.slack, None if web.enabled else (web.host, web.port))


async def _check_gadget_server(settings: Settings, name: str) -> Finding:
    from bot.gadget_servers_check import check_gadget_server  # noqa: PLC0415 - imported only where there is one

    return await check_gadget_server(settings, name)


def _no_token(part: str, name: str) -> Finding:
    return Finding(part, "off", f"no token for {name} is set, or [{part}] enabled is false")

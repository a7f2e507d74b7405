"""The composition root: builds every part from the settings, opens them, runs them, closes them. It alone names
concrete classes.

Opened in this order, closed in the opposite one: database, its upkeep, HTTP session, model, platforms' objects, gadget
servers, engine, platforms' connections. The engine is told to finish before the platforms are closed, so that running
answers can still be shown.
"""

import asyncio
import gc
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bot.agent.agent import Agent
from bot.agent.decisions import decision_messages
from bot.agent.roster import AUTO, Profile, Roster
from bot.agent.task import Limits, ModelOptions
from bot.allowances import Allowances
from bot.answer_files import remove_leftovers
from bot.authority import configured_gadgets, rights_of
from bot.command_export import Exports
from bot.command_rights import Rights
from bot.commands import Commands
from bot.engines.local import LocalEngine
from bot.forgetting import Forgetting
from bot.gadget_servers import gadget_servers
from bot.inbox import Inbox
from bot.model_choice import choose_model, named_model
from bot.models.model import Message, Model, ToolSpec
from bot.models.named_models import BuildModel, NamedModels
from bot.notebook import PersonalNotes
from bot.observing.metrics import Metrics
from bot.observing.observed_gadgets import observed_calls
from bot.observing.observed_model import ObservedModel
from bot.platform_choice import AttachedPlatform, BuildPlatforms, Parts, configured_platforms
from bot.platforms.web.rendering import render
from bot.recollection import Recollection
from bot.settings import Settings
from bot.upkeep import Upkeep
from bot.worker import TurnLimits, Worker
from gadgets.context import Occasion
from gadgets.toolbox import Outcome, Toolbox, Visiting
from storage.compaction import file_of
from storage.database import Database, open_database
from storage.quotas import Quotas

__all__ = ["App", "AttachedPlatform", "Parts", "configured_platforms", "spare_the_collector"]

_log = logging.getLogger(__name__)

BEGUN_SECONDS = 1.0
"""After which the platforms have begun, too."""
GADGET_SECONDS = 30.0
"""Bound of any HTTP request that sets none of its own."""


class App:
    """The whole bot. `async with` opens it, `run` runs the platforms until one ends or it is cancelled."""

    def __init__(self, settings: Settings, build_platforms: BuildPlatforms) -> None:
        self._settings = settings
        self._build_platforms = build_platforms
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        settings, metrics = self._settings, Metrics()
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(remove_leftovers)
            self.database = await stack.enter_async_context(open_database(settings.storage.url, on_batch=metrics.batch))
            file = file_of(settings.storage.url)
            await stack.enter_async_context(Upkeep(self.database, settings.retention.policy, file=file))
            http = await stack.enter_async_context(_http_session())
            model = await choose_model(settings, http, _prewarm(settings))
            self.model = await stack.enter_async_context(ObservedModel(model, metrics))
            _log.info("%s answers (%s)", self.model.name, self.model.provider)
            models = await stack.enter_async_context(
                NamedModels(_builder(settings, http, self.model.provider, metrics))
            )
            roster, rights = _roster(settings), rights_of(settings)
            allowances = _allowances(settings, rights)
            self._platforms = self._build_platforms(Parts(settings, self.database, self.model, metrics))
            by_name = {platform.name: platform for platform in self._platforms}
            metrics.expect(tuple(by_name))
            servers = await stack.enter_async_context(gadget_servers(settings))
            agent = _agent(settings, self.model, http, self.database, servers, metrics)
            recollection = await stack.enter_async_context(_recollection(settings, self.database, self.model))
            limits = _turn_limits(settings)
            worker = Worker(
                self.database, agent, roster, by_name, limits, models, recollection=recollection, metrics=metrics
            )
            self._engine = LocalEngine(self.database, worker, tuple(by_name), settings.limits.concurrent_turns)
            self.inbox = Inbox(self.database, self._engine, roster, allowances, rights)
            exports = Exports(self.database, render=render)
            forgetting = Forgetting(self.database, self._engine, file=file, memory=agent.toolbox.forget)
            self.commands = Commands(
                self.database, self._engine, roster, rights, exports, allowances=allowances, forgetting=forgetting
            )
            self._closing = stack.pop_all()
        spare_the_collector()
        give_memory_back()
        again = asyncio.get_running_loop().call_later(BEGUN_SECONDS, give_memory_back)
        self._closing.callback(again.cancel)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._closing.aclose()

    async def run(self, until: asyncio.Event | None = None) -> None:
        """Run every platform until one of them ends, `until` is set, or this is cancelled.

        Then no turn is begun any more, running ones get a few seconds, and the platforms are closed. Raises what a
        platform raised.
        """
        for platform in self._platforms:
            platform.attach(self.inbox, self.commands)
        tasks = [asyncio.create_task(platform.run(), name=platform.name) for platform in self._platforms]
        if until is not None:
            tasks.append(asyncio.create_task(_wait(until), name="until"))
        try:
            async with self._engine:
                ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in ended:
            task.result()


def spare_the_collector() -> None:
    """What exists now lives as long as the program. Looking through it for garbage would stop the loop for 50 ms."""
    gc.collect()
    gc.freeze()


def give_memory_back() -> None:
    """What only the start needed: 1.3 MB, which the C library would keep. Where that is not glibc, it may."""
    import ctypes  # noqa: PLC0415 - only for this

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _http_session() -> ClientSession:
    """The application's one session. No limit of connections: with one, the 101st stream would wait in silence."""
    return ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=GADGET_SECONDS))


def _roster(settings: Settings) -> Roster:
    profiles = {
        name: Profile(name, agent.description, agent.prompt, agent.gadgets, agent.temperature, agent.model)
        for name, agent in settings.agents.items()
    }
    return Roster(profiles, settings.agent)


def _agent(
    settings: Settings,
    model: Model,
    http: ClientSession,
    database: Database,
    servers: Visiting | None,
    metrics: Metrics,
) -> Agent:
    notes = partial(PersonalNotes, database)
    toolbox = Toolbox(configured_gadgets(settings), notes_of=notes, visiting=servers)

    async def call(name: str, arguments: Mapping[str, Any], occasion: Occasion) -> Outcome:
        return await toolbox.call(name, arguments, http=http, occasion=occasion, settings=settings.gadgets)

    choice, limits = settings.model, settings.limits
    return Agent(
        model,
        toolbox,
        observed_calls(call, toolbox, metrics),
        ModelOptions(choice.protocol, choice.num_ctx, choice.max_tokens, choice.temperature),
        Limits(limits.message_characters, limits.answer_characters, limits.rounds, limits.calls_per_round),
    )


def _builder(settings: Settings, http: ClientSession, provider: str, metrics: Metrics) -> BuildModel:
    return lambda name: ObservedModel(named_model(settings, http, provider, name), metrics)


def _allowances(settings: Settings, rights: Rights) -> Allowances:
    limits = settings.limits
    quotas = Quotas(
        limits.messages_per_minute,
        limits.workspace_messages_per_minute,
        limits.tokens_per_day,
        limits.workspace_tokens_per_day,
    )
    return Allowances(quotas, rights, exempt_admins=limits.exempt_admins)


def _recollection(settings: Settings, database: Database, model: Model) -> Recollection:
    """A server of one's own answers one question after another, as a rule; others have room for a story beside them."""
    return Recollection(database, settings.limits.window_turns, makes_way=model.provider != "openai")


def _turn_limits(settings: Settings) -> TurnLimits:
    limits = settings.limits
    return TurnLimits(limits.turn_seconds, limits.attempts, limits.window_turns, limits.approval_seconds)


def _prewarm(settings: Settings) -> tuple[Message, ...]:
    """The beginning that every decision of the default agent shares, or, where it is chosen, of the first one."""
    name = next(iter(settings.agents)) if settings.agent == AUTO else settings.agent
    toolbox = Toolbox(configured_gadgets(settings)).only(settings.agents[name].gadgets, "everyone")
    specs = [ToolSpec(g.name, g.description, g.parameters) for g in toolbox.gadgets]
    return tuple(decision_messages(specs, (), ""))

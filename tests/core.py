"""The real core around a scripted model and the stub platform: what worker, delivery and acceptance tests run."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from bot.agent.agent import Agent
from bot.agent.roster import Profile, Roster
from bot.agent.task import Limits, ModelOptions
from bot.allowances import Allowances
from bot.app import AttachedPlatform
from bot.command_rights import Rights
from bot.commands import Commands
from bot.engines.local import LocalEngine
from bot.inbox import Inbox
from bot.models.model import Model
from bot.models.named_models import NamedModels
from bot.notebook import PersonalNotes
from bot.observing.metrics import Metrics
from bot.observing.observed_gadgets import observed_calls
from bot.observing.observed_model import ObservedModel
from bot.recollection import Recollection
from bot.worker import TurnLimits, Worker
from gadgets.context import Occasion
from gadgets.gadget import Gadget, gadget
from gadgets.toolbox import Outcome, Toolbox, Visiting
from storage.database import Database
from storage.sqlite import SQLiteDatabase
from tests.fakes.stub_platform import StubPlatform


@gadget()
async def shout(text: str) -> str:
    """Say something loudly.

    Args:
        text: what to say
    """
    return text.upper()


@gadget()
async def whisper(text: str) -> str:
    """Say something quietly.

    Args:
        text: what to say
    """
    return text.lower()


@gadget(approve=True)
async def launch(target: str) -> str:
    """Launch something, which somebody has to approve.

    Args:
        target: where to
    """
    return f"launched at {target}"


PROFILE = Profile(
    "quartermaster",
    "Equips agents",
    "You are the Quartermaster. MARKER-OF-THE-SYSTEM-PROMPT",
    ("shout", "whisper", "launch"),
)
PLAIN = Profile("plain", "Uses nothing", "You are plain.", ())
ROSTER = Roster({PROFILE.name: PROFILE, PLAIN.name: PLAIN}, PROFILE.name)
LIMITS = Limits(message_characters=2_000, answer_characters=5_000, rounds=3, calls_per_round=4)
OPTIONS = ModelOptions(protocol="auto", num_ctx=4096, max_tokens=512, temperature=0.0)
BOSS = "boss"
"""An admin's id on every platform."""
TURN_LIMITS = TurnLimits(seconds=20, attempts=5, window=10)


P = TypeVar("P", bound=AttachedPlatform)


@dataclass(frozen=True, slots=True)
class Outside:
    """For gadgets that ask the world: the session to ask with, and their settings."""

    http: Any = None
    settings: Mapping[str, BaseModel] = field(default_factory=dict)


@dataclass(slots=True)
class Core(Generic[P]):
    database: Database
    platform: P
    engine: LocalEngine
    inbox: Inbox
    commands: Commands
    calls: list[tuple[str, Mapping[str, Any], str]]


@asynccontextmanager
async def running_core(
    path: Path,
    model: Model,
    platform: StubPlatform | None = None,
    *,
    limits: Limits = LIMITS,
    options: ModelOptions = OPTIONS,
    turn_limits: TurnLimits = TURN_LIMITS,
    seconds: float | None = None,
    wrap: Callable[[SQLiteDatabase], Database] = lambda database: database,
    busy_seconds: float = 5.0,
    gadgets: Sequence[Gadget] = (shout, whisper),
    outside: Outside | None = None,
    roster: Roster = ROSTER,
    allowances: Allowances | None = None,
    models: NamedModels | None = None,
    stories: bool = False,
    makes_way: bool = True,
    rights: Rights | None = None,
    visiting: Visiting | None = None,
    metrics: Metrics | None = None,
) -> AsyncIterator[Core[StubPlatform]]:
    """Everything between the stub platform and a model, on a SQLite file."""
    stub = platform or StubPlatform()
    bounds = replace(turn_limits, seconds=seconds) if seconds is not None else turn_limits
    figures = metrics or Metrics()
    async with (
        SQLiteDatabase(str(path), busy_seconds=busy_seconds, on_batch=figures.batch) as file,
        core_around(
            wrap(file),
            model,
            stub,
            limits=limits,
            options=options,
            turn_limits=bounds,
            gadgets=gadgets,
            outside=outside,
            roster=roster,
            allowances=allowances,
            models=models,
            stories=stories,
            makes_way=makes_way,
            rights=rights,
            visiting=visiting,
            metrics=figures,
        ) as core,
        core.engine,
    ):
        yield core


@asynccontextmanager
async def core_around(
    database: Database,
    model: Model,
    platform: P,
    *,
    limits: Limits = LIMITS,
    options: ModelOptions = OPTIONS,
    turn_limits: TurnLimits = TURN_LIMITS,
    admins: Collection[str] = (BOSS,),
    gadgets: Sequence[Gadget] = (shout, whisper),
    outside: Outside | None = None,
    roster: Roster = ROSTER,
    allowances: Allowances | None = None,
    models: NamedModels | None = None,
    stories: bool = False,
    makes_way: bool = True,
    rights: Rights | None = None,
    visiting: Visiting | None = None,
    metrics: Metrics | None = None,
) -> AsyncIterator[Core[P]]:
    """Everything between a platform and a model but a running engine; `calls` are the gadgets that really ran.

    Only with `stories` the model is asked for more than answers.
    """
    toolbox = Toolbox(gadgets, notes_of=lambda owner: PersonalNotes(database, owner), visiting=visiting)
    world, figures = outside or Outside(), metrics or Metrics()
    calls: list[tuple[str, Mapping[str, Any], str]] = []

    async def call(name: str, arguments: Mapping[str, Any], occasion: Occasion) -> Outcome:
        calls.append((name, arguments, occasion.user))
        return await toolbox.call(name, arguments, http=world.http, occasion=occasion, settings=world.settings)

    kept = Recollection(database, turn_limits.window, makes_way=makes_way, stories=stories)
    async with model, kept:
        observed = observed_calls(call, toolbox, figures)
        agent = Agent(ObservedModel(model, figures), toolbox, observed, options, limits)
        platforms = {platform.name: platform}
        worker = Worker(database, agent, roster, platforms, turn_limits, models, recollection=kept, metrics=figures)
        engine = LocalEngine(database, worker, (platform.name,), concurrency=100)
        known = rights or Rights({platform.name: frozenset(admins)})
        inbox = Inbox(database, engine, roster, allowances, known)
        commands = Commands(database, engine, roster, known, allowances=allowances)
        platform.attach(inbox, commands)
        yield Core(database, platform, engine, inbox, commands, calls)

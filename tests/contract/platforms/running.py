"""The real bot on a stage: started, killed at a chosen instant, started again on the same database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pytest

from bot.agent.roster import Roster
from bot.app import AttachedPlatform
from bot.command_rights import Rights
from bot.commands import Commands
from bot.inbox import Inbox
from bot.models.model import Request
from bot.platforms.platform import ConversationKey, Reply, TurnRef
from gadgets.gadget import Gadget
from storage import turns
from storage.database import Connection, Database, P, R, Unit
from storage.sqlite import SQLiteDatabase
from storage.turns import Claim
from tests.contract.platforms.stage import Can, Place, Said, Stage
from tests.core import LIMITS, PLAIN, PROFILE, core_around, shout, whisper
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.waiting import until, until_found

LONG = replace(LIMITS, answer_characters=100_000)
DATABASE = "bot.db"


def question_of(request: Request) -> str:
    """The last message without the name that it carries in shared places."""
    return request.messages[-1].text.rpartition(": ")[2]


def noting(request: Request) -> Script:
    return [f"Noted {question_of(request)}."]


def brain(*scripts: Script) -> ScriptedModel:
    """Plays the scripts, then notes whatever it is told."""
    return ScriptedModel(*scripts, answer=noting)


class Halting:
    """The real database, at which the process stops for ever at one write: before it, or (`committed`) right after it.

    From then on nothing is read or written, and whoever waits is cancelled by `die`, as in a crash.
    """

    def __init__(self, database: Database, crash: "Crash") -> None:
        self._database = database
        self._crash = crash
        self._left = crash.number
        self._dead = asyncio.Event()
        self.reached = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    def die(self) -> None:
        self._dead.set()

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        self._left -= getattr(unit, "__name__", "").strip("_") == self._crash.unit
        if self._left or self.reached.is_set():
            await self._alive()
            return await self._database.write(unit, *args, **kwargs)
        if self._crash.committed:
            await self._database.write(unit, *args, **kwargs)
        self.reached.set()
        await self._alive()
        raise AssertionError

    async def read(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        await self._alive()
        return await self._database.read(unit, *args, **kwargs)

    async def _alive(self) -> None:
        if self.reached.is_set():
            await self._dead.wait()
            raise asyncio.CancelledError


@dataclass(frozen=True, slots=True)
class Crash:
    """Before the `number`-th write of a unit of work, called by its name, or right after it."""

    unit: str
    committed: bool = False
    number: int = 1


class Asleep:
    """An engine that answers nothing: the test gives the answers."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    def wake(self, conversation: int) -> None:
        pass

    def stop(self, conversation: int) -> None:
        pass


@dataclass(slots=True)
class Bot:
    """A running bot, and what tests ask of it and of its stage."""

    stage: Stage
    platform: AttachedPlatform
    model: ScriptedModel
    database: Database
    serving: asyncio.Task[None]
    halting: Halting | None

    async def kill(self) -> None:
        """Its work breaks off wherever it is, and is not gone on with."""
        if self.halting is not None:
            self.halting.die()
        tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("conversation-")]
        for task in [*tasks, self.serving]:
            task.cancel()
        await asyncio.wait([*tasks, self.serving])

    async def died(self) -> None:
        """It came to where it crashes, and crashed."""
        assert self.halting is not None
        await asyncio.wait_for(self.halting.reached.wait(), 20)
        await self.kill()

    async def ask(self, place: Place, text: str, by: str | None = None) -> str:
        """Say something; the text of the complete answer."""
        count = self.complete(place)
        await self.stage.say(place, text, by)
        return (await self.answers(place, count + 1))[-1]

    async def answers(self, place: Place, count: int) -> list[str]:
        """The bot's messages in a place, as soon as so many answers are complete."""
        await until(lambda: self.complete(place) >= count)
        return self.texts(place)

    async def shows(self, place: Place, text: str) -> None:
        """Until the bot's last message there begins so."""
        await until(lambda: self.texts(place)[-1:] and self.texts(place)[-1].startswith(text))

    def texts(self, place: Place) -> list[str]:
        """Without messages that hold nothing but a file."""
        return [view.text.strip() for view in self.stage.views(place) if view.text.strip() or not view.files]

    def complete(self, place: Place) -> int:
        return sum(view.complete for view in self.stage.views(place))

    def past(self) -> list[str]:
        """What the model was last told besides who it is, without names."""
        return [message.text.rpartition(": ")[2] for message in self.model.requests[-1].messages[1:]]

    async def stored(self, column: str = "user_message") -> list[Any]:
        """A column of all turns."""
        return await self.database.read(_column, column)

    async def until_stored(self, column: str, *values: Any) -> None:
        await until_found(lambda: self.stored(column), lambda found: found == list(values))


def _column(connection: Connection, column: str) -> list[Any]:
    return [value for (value,) in connection.execute(f"SELECT {column} FROM turns ORDER BY id").fetchall()]


@asynccontextmanager
async def bot_on(
    stage: Stage,
    path: Path,
    model: ScriptedModel | None = None,
    *,
    crash: Crash | None = None,
    gadgets: Sequence[Gadget] = (shout, whisper),
) -> AsyncIterator[Bot]:
    """The bot comes, with the database in `path`."""
    mind = model or brain()
    async with AsyncExitStack() as stack:
        file = await stack.enter_async_context(SQLiteDatabase(str(path / DATABASE)))
        halting = Halting(file, crash) if crash else None
        database: Database = halting or file
        platform = stage.platform(database)
        around = core_around(database, mind, platform, limits=LONG, admins=stage.admins(), gadgets=gadgets)
        core = await stack.enter_async_context(around)
        serving = await _served(stage, platform, stack)
        await stack.enter_async_context(core.engine)
        await stage.ready()
        yield Bot(stage, platform, mind, database, serving, halting)


async def _served(stage: Stage, platform: AttachedPlatform, stack: AsyncExitStack) -> asyncio.Task[None]:
    serving = asyncio.create_task(stage.serve(platform))
    stack.push_async_callback(_ended, serving)
    return serving


async def _ended(serving: asyncio.Task[None]) -> None:
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


@dataclass(slots=True)
class Asked:
    """A question that the test itself answers, by replies of the real platform."""

    bot: Bot
    place: Place
    said: Said
    turn: TurnRef

    def reply(self, *, resumed: bool = False) -> Reply:
        """As the core opens one for each attempt at a turn."""
        return self.bot.platform.reply(replace(self.turn, resumed=resumed))

    def texts(self) -> list[str]:
        return self.bot.texts(self.place)

    async def until_shown(self, *texts: str) -> None:
        await until(lambda: self.texts() == list(texts))


@asynccontextmanager
async def asked(stage: Stage, path: Path) -> AsyncIterator[Asked]:
    """A person asks; nobody but the test answers."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(SQLiteDatabase(str(path / DATABASE)))
        platform, engine = stage.platform(database), Asleep()
        roster = Roster({PROFILE.name: PROFILE, PLAIN.name: PLAIN}, PROFILE.name)
        platform.attach(Inbox(database, engine, roster), Commands(database, engine, roster, Rights({})))
        serving = await _served(stage, platform, stack)
        await stage.ready()
        bot = Bot(stage, platform, brain(), database, serving, None)
        place = await stage.place()
        said = await stage.say(place, "one")
        await until_found(bot.stored, len)
        (conversation,) = await database.read(turns.waiting_conversations, (platform.name,))
        claim = await database.write(turns.claim, conversation, window=1)
        assert claim is not None
        yield Asked(bot, place, said, _turn(claim))


def _turn(claim: Claim) -> TurnRef:
    at = claim.conversation
    key = ConversationKey(at.platform, at.workspace, at.channel, at.thread)
    return TurnRef(claim.turn, at.id, key, claim.event_key, claim.author, at.title)


def needs(stage: Stage, *needed: Can) -> None:
    """Skip the test where a platform cannot show a behaviour by its nature; the report tells why."""
    for can in needed:
        if why := stage.cannot.get(can):
            pytest.skip(f"{stage.name} cannot {can.value}: {why}")

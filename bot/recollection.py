"""Keeping the summaries of conversations: after the answers, off everybody's way.

A conversation whose turns outgrow its window is *folded*: the oldest of them become notes of its summary, in one unit
of work and without a model. Then, when the model has nothing better to do, it tells the story of those turns. Both are
only ever asked for by a turn that was answered; what is lost, in a crash or for lack of room, is asked for again by a
later one, and until then the turns are noted on the spot (`bot.agent.memory`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

from bot.agent.agent import Agent
from bot.agent.digest import READ_CHARACTERS
from bot.agent.memory import folded, parsed
from bot.agent.prompt import Exchange, clip_middle, estimate_tokens
from bot.agent.story import tell
from bot.errors import ModelError
from storage import summaries
from storage.database import Connection, Database
from storage.errors import StorageError

_log = logging.getLogger(__name__)

LAG = 20
"""Turns beyond the window that a turn is claimed with, so that none is forgotten while its summary is on its way."""
CROWDED_SHARE, KEPT_SHARE = 0.5, 0.25
"""Of the tokens for history: a conversation whose turns take more of them is folded until they take less."""
FOLDED_AT_ONCE = 32
"""Turns. More, as after the import of a long conversation, are folded one such lot after another."""
MAX_WAITING = 1_000
"""Conversations to be folded at a time."""
MAX_STORIES = 64
"""Conversations whose stories wait for the model; beyond, the oldest have to do with their notes."""
STORY_CHARACTERS = 1_000
"""Of a message or an answer that a story is told from."""
MAX_TELLINGS = 3
"""Times a story is begun that had to make way for people."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many turns, and how many estimated tokens of them, a conversation keeps as they were said."""

    turns: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Folded:
    """What was folded into a conversation's summary, and whether there is more to fold. `forgotten` is how often
    somebody was forgotten in it until then: a story of these exchanges is not kept after another time.
    """

    exchanges: tuple[Exchange, ...]
    more: bool
    forgotten: int


@dataclass(frozen=True, slots=True)
class _Crowded:
    """A conversation to be folded; `agent` is who answered it last."""

    agent: Agent
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class _Telling:
    """A story that waits to be told."""

    agent: Agent
    exchanges: tuple[Exchange, ...]
    forgotten: int
    begun: int = 0


class Recollection:
    """Keeps the summaries, one conversation at a time; `window` in turns.

    `makes_way`: the model answers one question after another, so a story is told only while nobody is answered.
    `stories=False` leaves it at the notes.
    """

    def __init__(self, database: Database, window: int, *, makes_way: bool = True, stories: bool = True) -> None:
        self._database = database
        self._window = window
        self._makes_way = makes_way
        self._stories = stories
        self._answering = 0
        self._due: dict[int, _Crowded] = {}
        self._waiting: dict[int, _Crowded] = {}
        self._tellings: dict[int, _Telling] = {}
        self._telling: asyncio.Task[str] | None = None
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._always(work)) for work in (self._fold_next, self._tell_next)]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """What is going on is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def window(self) -> int:
        """Turns that a turn is claimed with."""
        return self._window + LAG

    def split(self, past: Sequence[Exchange]) -> tuple[Sequence[Exchange], Sequence[Exchange]]:
        """What was claimed, as what a summary should tell of by now, and the window."""
        older = max(0, len(past) - self._window)
        return past[:older], past[older:]

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While somebody is answered. A story that is in the way is broken off."""
        self._answering += 1
        if self._makes_way and self._telling is not None:
            self._telling.cancel()
        try:
            yield
        finally:
            self._answering -= 1
            if self._tellings and not self._answering:
                self._wake()

    def consider(self, conversation: int, said: Sequence[Exchange], room: int, agent: Agent) -> None:
        """A turn got its answer. What is remembered of its conversation as it was said, the turn included, may be more
        than the window has turns, or too much for the `room` there is for history, in tokens.
        """
        if len(said) > self._window or _tokens(said) > room * CROWDED_SHARE:
            self._due[conversation] = _Crowded(agent, Bounds((self._window + 1) // 2, int(room * KEPT_SHARE)))

    def fold(self, conversation: int) -> None:
        """A turn is closed: fold its conversation if that is due."""
        crowded = self._due.pop(conversation, None)
        if crowded is not None and len(self._waiting) < MAX_WAITING:
            self._waiting[conversation] = crowded
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _always(self, work: Callable[[], Awaitable[bool]]) -> None:
        while True:
            changed = self._changed  # taken before looking, so that no change between the two is missed
            try:
                if not await work():
                    await changed.wait()
            except (ModelError, StorageError) as error:
                _log.info("a summary has to wait: %s", error)
            except Exception:  # noqa: BLE001 - a bug in a summary must not end all of them; it is logged
                _log.exception("a summary could not be made")

    async def _fold_next(self) -> bool:
        """Fold the conversation that waits longest; False when none does."""
        if not self._waiting:
            return False
        number = next(iter(self._waiting))
        crowded = self._waiting.pop(number)
        done = await self._database.write(fold, number, crowded.bounds)
        if done is not None and done.more:
            self._waiting[number] = crowded
        if done is not None and self._stories:
            self._add_telling(number, crowded.agent, done)
        return True

    def _add_telling(self, number: int, agent: Agent, done: Folded) -> None:
        waiting = self._tellings.pop(number, None)
        before = waiting.exchanges if waiting and waiting.forgotten == done.forgotten else ()
        said = [*before, *done.exchanges][-FOLDED_AT_ONCE:]
        self._tellings[number] = _Telling(agent, tuple(map(_short, said)), done.forgotten)
        if len(self._tellings) > MAX_STORIES:
            del self._tellings[next(iter(self._tellings))]
        self._wake()

    async def _tell_next(self) -> bool:
        """Tell the story that waits longest; False when none does, or people come first."""
        if not self._tellings or (self._makes_way and self._answering):
            return False
        number = next(iter(self._tellings))
        telling = self._tellings.pop(number)
        self._telling = asyncio.create_task(self._told(number, telling))
        try:
            story = await self._telling
        except asyncio.CancelledError:
            if (this := asyncio.current_task()) is None or this.cancelling():
                raise
            if telling.begun + 1 < MAX_TELLINGS and number not in self._tellings:
                self._tellings[number] = replace(telling, begun=telling.begun + 1)
            return True
        finally:
            self._telling = None
        await self._database.write(retell, number, story, telling.forgotten)
        return True

    async def _told(self, number: int, telling: _Telling) -> str:
        agent = telling.agent
        summary = parsed(await self._database.read(summaries.read, number))
        budget = agent.budget(await agent.model.capabilities())
        return await tell(agent.model, summary, telling.exchanges, budget, agent.calibration)


def fold(connection: Connection, conversation: int, bounds: Bounds) -> Folded | None:
    """A unit of work: note in the summary what is beyond the bounds; None when nothing is."""
    limit = bounds.turns + FOLDED_AT_ONCE
    said = summaries.unsummarised(connection, conversation, limit=limit + 1, characters=READ_CHARACTERS)
    exchanges = [Exchange(one.author_name, one.user_message, one.agent_response) for one in said]
    leaving = len(exchanges) - _kept(exchanges, bounds)
    if not leaving:
        return None
    lot = min(leaving, FOLDED_AT_ONCE)
    summary = folded(parsed(summaries.read(connection, conversation)), exchanges[:lot])
    summaries.replace(connection, conversation, str(summary), said[lot - 1].turn)
    more, forgotten = lot < leaving or len(said) > limit, summaries.forgotten(connection, conversation)
    return Folded(tuple(exchanges[:lot]), more, forgotten)


def retell(connection: Connection, conversation: int, story: str, forgotten: int) -> None:
    """A unit of work: replace the story of a summary; its notes, and how far it reaches, stay.

    Nothing is kept where somebody was forgotten since what it tells of was read.
    """
    if summaries.forgotten(connection, conversation) != forgotten:
        return
    summary = parsed(summaries.read(connection, conversation))
    summaries.replace(connection, conversation, str(replace(summary, story=story)))


def _kept(exchanges: Sequence[Exchange], bounds: Bounds) -> int:
    """How many of the newest stay within the bounds; one stays in any case, unless none may."""
    tokens = 0
    for count, exchange in enumerate(reversed(exchanges[-bounds.turns :] if bounds.turns else [])):
        tokens += _tokens([exchange])
        if tokens > bounds.tokens and count:
            return count
    return min(bounds.turns, len(exchanges))


def _tokens(exchanges: Sequence[Exchange]) -> int:
    return sum(estimate_tokens(one.user_message) + estimate_tokens(one.agent_response) for one in exchanges)


def _short(exchange: Exchange) -> Exchange:
    said, answered = (clip_middle(text, STORY_CHARACTERS) for text in (exchange.user_message, exchange.agent_response))
    return replace(exchange, user_message=said, agent_response=answered)

"""A player of field missions who knows the solutions, and the core with the Taskmaster to play with."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aiohttp import ClientSession

from bot.agent.roster import Profile, Roster
from bot.models.model import Model
from bot.platforms.platform import Author
from bot.settings.agents import SHIPPED, TASKMASTER
from gadgets import field_draw
from gadgets.catalogue import ALL
from gadgets.field_gadgets import TravelSettings
from gadgets.field_state import FAMILY, Mission, loaded
from gadgets.field_wardrobe import BY_NAME, problem
from storage import conversations, turns
from storage.conversations import Conversation, NewConversation
from storage.database import Connection, Database
from storage.sqlite import SQLiteDatabase
from tests.core import LIMITS, OPTIONS, Core, Outside, running_core
from tests.fakes.stub_platform import ALICE, StubPlatform, message
from tests.waiting import until_found

MAX_TURNS = 20
NOWHERE = "http://127.0.0.1:9/forecast"
"""Nothing listens there: the weather is what it usually is."""

WORDS: dict[str, tuple[str, ...]] = {
    "": ("Let's begin the mission.", "I'm ready, start the game!", "Brief me, please.", "start"),
    "travel": ("Fly me to {city}.", "I want to go to {city}", "{city}, please.", "Let's travel to {city}!"),
    "disguise": ("I'll wear the {outfit}.", "Put on the {outfit}", "{outfit}", "I dress as: {outfit}"),
    "crack": ("The message reads: {text}", "The solution is {text}", "I think it says: {text}", "{text}"),
    "report": (
        "Report back: I was in {city} and the message said {text}",
        "Tell headquarters that I was in {city}, the message is {text}",
        "My report to headquarters: {city} is done. The message reads {text}",
        "I report: in {city} I found this out: {text}",
    ),
}
"""Phase → what the player says, in several ways."""


def profile() -> Profile:
    shipped = SHIPPED[TASKMASTER]
    return Profile(TASKMASTER, shipped["description"], shipped["prompt"], shipped["gadgets"])


@dataclass(frozen=True, slots=True)
class Played:
    """A mission that was played until it was over, or `MAX_TURNS` were played. `answers` are those of its turns."""

    conversation: Conversation
    mission: Mission | None
    said: list[str]
    answers: list[str]

    @property
    def completed(self) -> bool:
        over = self.mission is not None and self.mission.phase == "over"
        return over and self.conversation.status == "completed"


@asynccontextmanager
async def field_core(
    path: Path,
    model: Model,
    platform: StubPlatform | None = None,
    *,
    forecast_url: str = NOWHERE,
    wrap: Callable[[SQLiteDatabase], Database] = lambda database: database,
) -> AsyncIterator[Core[StubPlatform]]:
    """The core with the Taskmaster, as it is shipped."""
    taskmaster = profile()
    settings = {"travel": TravelSettings(forecast_url=forecast_url)}
    async with (
        ClientSession() as http,
        running_core(
            path,
            model,
            platform,
            limits=replace(LIMITS, rounds=4),
            options=replace(OPTIONS, num_ctx=8192, temperature=0.3),
            seconds=300,
            wrap=wrap,
            gadgets=ALL,
            outside=Outside(http, settings),
            roster=Roster({taskmaster.name: taskmaster}, taskmaster.name),
        ) as core,
    ):
        yield core


async def begin(core: Core[StubPlatform], seed: str) -> Conversation:
    """A mission in a thread of its own whose id, from which everything is drawn, is `seed`."""
    return await core.database.write(_open, seed)


async def say(core: Core[StubPlatform], seed: str, number: int, text: str, author: Author = ALICE) -> str:
    """The answer to a message in a seed's thread, once its turn is closed."""
    admitted = await core.inbox.admit(message(text, number, thread=seed, author=author))
    return await answered(core, admitted.turn)


async def answered(core: Core[StubPlatform], turn: int) -> str:
    [answer] = await until_found(lambda: core.database.read(_answer, turn), bool, seconds=300)
    return answer


async def mission_of(core: Core[StubPlatform], number: int) -> Mission | None:
    found = await core.database.read(conversations.get, number)
    return loaded(found.state.get(FAMILY, {}))


def words(mission: Mission | None, style: int) -> str:
    """What the player says next: the right thing, in one of several ways."""
    if mission is None:
        return WORDS[""][style % 4]
    chosen = field_draw.number(len(mission.offers), mission.seed, "player")
    place = replace(mission, at=chosen) if mission.phase == "travel" else mission
    return WORDS[mission.phase][style % 4].format(
        city=place.city.name, outfit=suitable(mission), text=mission.plaintext.lower()
    )


def suitable(mission: Mission) -> str:
    """An outfit that suits, once there is a rack."""
    if mission.weather is None:
        return ""
    return next(name for name in mission.rack if not problem(BY_NAME[name], mission.weather, mission.city))


async def play(
    core: Core[StubPlatform],
    seed: str,
    style: Callable[[int], int] = lambda number: 0,
    heard: Callable[[str, str], None] = lambda said, answer: None,
) -> Played:
    """A whole mission: `style` says in which way the player says message `number`, `heard` is told the answers."""
    conversation = await begin(core, seed)
    said, answers = list[str](), list[str]()
    for number in range(MAX_TURNS):
        mission = await mission_of(core, conversation.number)
        if mission is not None and mission.phase == "over":
            break
        said.append(words(mission, style(number)))
        answers.append(await say(core, seed, number, said[-1]))
        heard(said[-1], answers[-1])
    now = await core.database.read(conversations.get, conversation.number)
    return Played(now, loaded(now.state.get(FAMILY, {})), said, answers)


def _open(connection: Connection, seed: str) -> Conversation:
    key = asdict(message("", thread=seed).key)
    new = NewConversation(**key, owner=ALICE.id, owner_name=ALICE.name, agent=TASKMASTER, title="")
    number = conversations.start(connection, new).number
    connection.execute("UPDATE conversations SET id = :seed WHERE number = :number", {"seed": seed, "number": number})
    return conversations.get(connection, number)


def _answer(connection: Connection, turn: int) -> list[str]:
    rows = connection.execute(
        "SELECT agent_response FROM turns WHERE id = :turn AND finished_at IS NOT NULL", {"turn": turn}
    ).fetchall()
    return [str(row[0]) for row in rows]


async def tools_of(core: Core[StubPlatform], turn: int) -> list[str]:
    """Names of the gadgets that a turn called, in the order of their results."""
    return [step.body["tool"] for step in await core.database.read(turns.steps, turn) if step.kind == "result"]

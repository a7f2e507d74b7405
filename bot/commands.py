"""The /mission commands: declared once, carried out once; every platform renders the declaration its own way.

Rights are checked here, on every path: who may see, end or stop a conversation does not depend on which button, slash
command or page asked for it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass

from bot.agent.guard import clean_name
from bot.agent.roster import Roster
from bot.engines.engine import Engine
from bot.errors import NotAllowed, UserError
from bot.platforms.platform import Author, ConversationKey
from storage import conversations, records, turns
from storage.conversations import Conversation, NewConversation, Place
from storage.database import Database
from storage.records import TurnRecord

LIST_LENGTH = 10
SHOW_LENGTH = 10
MAX_ARGUMENT = 100


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One subcommand of /mission; all arguments are optional words."""

    name: str
    description: str
    arguments: tuple[Argument, ...] = ()

    @property
    def usage(self) -> str:
        return " ".join([f"/mission {self.name}", *(f"[{argument.name}]" for argument in self.arguments)])


_ID = Argument("id", "the mission's id, or its first characters")
COMMANDS = (
    CommandSpec("new", "start a fresh mission here", (Argument("agent", "who should answer"),)),
    CommandSpec("list", "list your missions"),
    CommandSpec("show", "show a mission's last messages", (_ID,)),
    CommandSpec("end", "end a mission", (_ID,)),
    CommandSpec("stop", "stop the answer that is being written"),
    CommandSpec("help", "what I can do"),
)


@dataclass(frozen=True, slots=True)
class Invocation:
    """Somebody (`author`) uses a command in a place (`key`)."""

    command: str
    arguments: Mapping[str, str]
    key: ConversationKey
    author: Author


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """Markdown for the asker only, and the conversation it is about."""

    text: str
    conversation: Conversation | None = None


def parse(line: str) -> tuple[str, dict[str, str]] | None:
    """`/mission show abcd` → ("show", {"id": "abcd"}); `/mission` is help; None when the line is no command.

    Raises UserError for an unknown command or too many words.
    """
    words = line.split()
    if not words or words[0].lower() not in {"/mission", "/help", "/stop"}:
        return None
    name, *values = words[1:] or ["help"] if words[0].lower() == "/mission" else [words[0][1:], *words[1:]]
    spec = next((spec for spec in COMMANDS if spec.name == name.lower()), None)
    if spec is None:
        raise UserError(f"I do not know /mission {name[:MAX_ARGUMENT]}. Try {_names()}.")
    if len(values) > len(spec.arguments):
        raise UserError(f"That is too much: {spec.usage}")
    return spec.name, {argument.name: value for argument, value in zip(spec.arguments, values, strict=False)}


class Commands:
    """Carries the commands out. `admins` = platform → ids of those who may act on everybody's missions."""

    def __init__(
        self, database: Database, engine: Engine, roster: Roster, admins: Mapping[str, frozenset[str]]
    ) -> None:
        self._database = database
        self._engine = engine
        self._roster = roster
        self._admins = admins

    async def run(self, invocation: Invocation) -> CommandAnswer:
        """Raises UserError (a sentence for the asker) or StorageError."""
        handlers: dict[str, Callable[[Invocation], Awaitable[CommandAnswer]]] = {
            "new": self._new,
            "list": self._list,
            "show": self._show,
            "end": self._end,
            "stop": self._stop,
            "help": self._help,
        }
        handler = handlers.get(invocation.command)
        if handler is None:
            raise UserError(f"I do not know that command. Try {_names()}.")
        return await handler(invocation)

    # What pages and buttons call directly.

    async def start(self, key: ConversationKey, author: Author, agent: str | None = None) -> Conversation:
        """Open a fresh conversation in a place, ending the one that was active there. Raises UnknownAgent."""
        profile = self._roster.get(agent) if agent else self._roster.get(self._roster.default)
        new = NewConversation(
            **asdict(key), owner=author.id, owner_name=clean_name(author.name), agent=profile.name, title=""
        )
        before = await self._active(key)
        started = await self._database.write(conversations.start, new)
        if before is not None:
            self._engine.stop(before.number)
        return started

    async def listing(self, place: Place, *, limit: int, before: int | None = None) -> list[Conversation]:
        return await self._database.read(conversations.recent, place, limit=limit, before=before)

    async def transcript(
        self, conversation: Conversation, *, limit: int, before: int | None = None
    ) -> list[TurnRecord]:
        return await self._database.read(records.transcript, conversation.number, limit=limit, before=before)

    async def find(self, id_or_prefix: str, key: ConversationKey, author: Author) -> Conversation:
        """A conversation the author may see. Raises UserError, the same for missing and for forbidden."""
        found = await self._database.read(conversations.find, id_or_prefix[:MAX_ARGUMENT].lower())
        if found is None or not self._may_see(found, key, author):
            raise UserError("I know no such mission. `/mission list` shows yours.")
        return found

    async def end(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        """Complete a conversation; False when it was completed already. Raises NotAllowed."""
        if not self._may_change(conversation, key, author):
            raise NotAllowed
        ended = await self._database.write(conversations.end, conversation.number)
        self._engine.stop(conversation.number)
        return ended

    async def stop(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        """Stop the running answer; False when none is running. Raises NotAllowed."""
        if not self._may_see(conversation, key, author):
            raise NotAllowed
        stopped = await self._database.write(turns.request_stop, conversation.number)
        self._engine.stop(conversation.number)
        return stopped is not None

    async def rate(self, turn: int, rating: int, key: ConversationKey, author: Author) -> None:
        """Rate an answer 1, -1 or 0. Raises UserError when it is not one the author may see."""
        place = await self._database.read(records.turn_place, turn)
        if place is None or (place.platform, place.workspace) != (key.platform, key.workspace):
            raise UserError("I know no such answer.")
        if place.channel != key.channel and not self.is_admin(key.platform, author):
            raise UserError("I know no such answer.")
        await self._database.write(turns.rate, turn, max(-1, min(1, rating)))

    def is_admin(self, platform: str, author: Author) -> bool:
        return author.id in self._admins.get(platform, frozenset())

    def _may_see(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        """Those who were there, its owner, and admins; never across platforms or workspaces."""
        if (conversation.platform, conversation.workspace) != (key.platform, key.workspace):
            return False
        here = conversation.channel == key.channel
        return here or conversation.owner == author.id or self.is_admin(key.platform, author)

    def _may_change(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        own = conversation.owner == author.id or self.is_admin(key.platform, author)
        return own and self._may_see(conversation, key, author)

    # The commands as text.

    async def _new(self, asked: Invocation) -> CommandAnswer:
        conversation = await self.start(asked.key, asked.author, asked.arguments.get("agent"))
        return CommandAnswer(f"New mission `{conversation.id}` with {conversation.agent}. Go ahead.", conversation)

    async def _list(self, asked: Invocation) -> CommandAnswer:
        place = Place(asked.key.platform, asked.key.workspace, owner=asked.author.id)
        found = await self.listing(place, limit=LIST_LENGTH)
        if not found:
            return CommandAnswer("You have no missions yet. Say something and one begins.")
        return CommandAnswer("Your latest missions:\n" + "\n".join(_line(c) for c in found))

    async def _show(self, asked: Invocation) -> CommandAnswer:
        conversation = await self._meant(asked)
        turns_ = await self.transcript(conversation, limit=SHOW_LENGTH)
        return CommandAnswer("\n\n".join([_line(conversation), *(_turn(turn) for turn in turns_)]), conversation)

    async def _end(self, asked: Invocation) -> CommandAnswer:
        conversation = await self._meant(asked)
        ended = await self.end(conversation, asked.key, asked.author)
        state = "ended" if ended else "had ended already"
        return CommandAnswer(f"Mission `{conversation.id}` {state}.", conversation)

    async def _stop(self, asked: Invocation) -> CommandAnswer:
        conversation = await self._meant(asked)
        stopped = await self.stop(conversation, asked.key, asked.author)
        return CommandAnswer("Stopping." if stopped else "I am not writing anything right now.", conversation)

    async def _help(self, asked: Invocation) -> CommandAnswer:  # noqa: ARG002 - every handler is called alike
        agents = "\n".join(f"- **{p.name}**: {p.description}" for p in self._roster.profiles)
        usages = "\n".join(f"- `{spec.usage}` {spec.description}" for spec in COMMANDS)
        return CommandAnswer(f"Just talk to me. These commands manage missions:\n{usages}\n\nAgents:\n{agents}")

    async def _meant(self, asked: Invocation) -> Conversation:
        """The conversation named, or else the active one of this place."""
        if wanted := asked.arguments.get("id"):
            return await self.find(wanted, asked.key, asked.author)
        active = await self._active(asked.key)
        if active is None:
            raise UserError("There is no active mission here.")
        return active

    async def _active(self, key: ConversationKey) -> Conversation | None:
        return await self._database.read(
            conversations.find_active, key.platform, key.workspace, key.channel, key.thread
        )


def _names() -> str:
    return ", ".join(f"`/mission {spec.name}`" for spec in COMMANDS)


def _line(conversation: Conversation) -> str:
    title = conversation.title or "(nothing said yet)"
    return (
        f"- `{conversation.id}` {conversation.status}, {conversation.agent}, {conversation.last_updated[:16]}: {title}"
    )


def _turn(turn: TurnRecord) -> str:
    tools = f" *(used {', '.join(turn.tools)})*" if turn.tools else ""
    return f"**{turn.author_name}:** {turn.user_message}\n{turn.agent_response or f'*({turn.status})*'}{tools}"

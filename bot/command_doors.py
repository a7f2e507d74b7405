"""The doors behind the /mission commands, which pages and buttons call directly.

Rights are checked here, on every path: who may see, end or stop a conversation does not depend on which button, slash
command or page asked for it.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from bot import command_completion, command_texts
from bot.agent.guard import clean_name
from bot.agent.roster import Roster
from bot.allowances import Allowances, sender_of
from bot.command_completion import MAX_OFFERED, Offer
from bot.command_export import Exported, Exports
from bot.command_rights import Rights
from bot.command_specs import EVERYTHING, MAX_ARGUMENT, Argument
from bot.engines.engine import Engine
from bot.errors import NotAllowed, UserError
from bot.platforms.platform import Author, ConversationKey
from storage import conversations, questions, quotas, records, turns
from storage.conversations import Conversation, NewConversation, Place
from storage.database import Connection, Database
from storage.export import Format
from storage.quotas import Exceeded, Quotas, Sender
from storage.records import TurnPlace, TurnRecord
from storage.turns import Admitted

MAX_CANDIDATES = 100
"""Missions with the same first characters among which the one is looked for that the asker may see."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invocation:
    """Somebody (`author`) uses a command in a place (`key`). `takes_files`: the answer's file can be sent there."""

    command: str
    arguments: Mapping[str, str]
    key: ConversationKey
    author: Author
    takes_files: bool = False


@dataclass(frozen=True, slots=True)
class Meant:
    """The conversation a command is about. `guessed`: not named, nor the one of the place it was used in."""

    conversation: Conversation
    guessed: bool = False

    @property
    def name(self) -> str:
        return command_texts.named(self.conversation, fully=self.guessed)


class Doors:
    """`rights` tells who may do what: which command, and on whose missions."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        roster: Roster,
        rights: Rights,
        exports: Exports | None = None,
        allowances: Allowances | None = None,
    ) -> None:
        self._database = database
        self._engine = engine
        self._roster = roster
        self._rights = rights
        self._exports = exports or Exports(database)
        self._allowances = allowances or Allowances()

    async def start(self, key: ConversationKey, author: Author, agent: str | None = None) -> Conversation:
        """Open a fresh conversation in a place, ending the one that was active there.

        Raises UnknownAgent; NotAllowed when the author may not end that one, or begin any.
        """
        self.require("new", key, author)
        wanted = self._roster.wanted(agent)
        new = NewConversation(
            **asdict(key), owner=author.id, owner_name=clean_name(author.name), agent=wanted, title=""
        )
        started, before = await self._database.write(
            _replace, new, lambda active: self._rights.may_change(active, key, author)
        )
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
        """The one conversation of this id or prefix that the author may see.

        Raises UserError, the same for missing and for forbidden.
        """
        wanted = id_or_prefix[:MAX_ARGUMENT].lower()
        found = await self._database.read(conversations.matching, wanted, limit=MAX_CANDIDATES)
        seen = [each for each in found if self._rights.may_see(each, key, author)]
        if len(seen) != 1:
            raise UserError("I know no such mission. `/mission list` shows yours.")
        return seen[0]

    async def endable(self, invocation: Invocation) -> Conversation:
        """The conversation that `end` would end for these arguments, in this place; it may have ended already.

        Raises UserError as `end` does, NotAllowed among them.
        """
        self.require("end", invocation.key, invocation.author)
        meant = await self.meant(invocation)
        if not self._rights.may_change(meant.conversation, invocation.key, invocation.author):
            raise NotAllowed
        return meant.conversation

    async def end(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        """Complete a conversation; False when it was completed already. Raises NotAllowed."""
        self.require("end", key, author)
        if not self._rights.may_change(conversation, key, author):
            raise NotAllowed
        ended = await self._database.write(conversations.end, conversation.number)
        self._engine.stop(conversation.number)
        return ended

    async def stop(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        """Stop the running answer; False when none is running. Raises NotAllowed."""
        self.require("stop", key, author)
        if not self._rights.may_see(conversation, key, author):
            raise NotAllowed
        stopped = await self._database.write(turns.request_stop, conversation.number)
        self._engine.stop(conversation.number)
        return stopped is not None

    def agent(self, name: str | None) -> str:
        """What to call the agent that is asked for, or answers by default. Raises UnknownAgent."""
        return command_texts.agent(self._roster.wanted(name))

    async def stop_turn(self, turn: int, key: ConversationKey, author: Author) -> bool:
        """Stop one answer, running or waiting; False when it is complete.

        Raises UserError when the author may not see it, or stop any.
        """
        self.require("stop", key, author)
        place = await self._turn_place(turn, key, author)
        status = await self._database.write(turns.request_stop_of, turn)
        if status == "running":
            self._engine.stop(place.conversation)
        return status is not None

    async def again(self, turn: int, event_key: str, key: ConversationKey, author: Author) -> Admitted:
        """Answer a turn's question anew: the latest one of its mission, asked for by who asked it, or an admin.

        `event_key` is that of the event that asks for it. Who asks for their own question has the role they have now;
        an admin lends nobody more than they had when they asked. Raises UserError, OverLimit among them.
        """
        place = await self._turn_place(turn, key, author)
        if place.author != author.id and not self._rights.rules(key, author):
            raise NotAllowed("Only who asked may have this answered again.")
        limits = self._allowances.of(key, author)
        role = self._rights.role(key, author) if place.author == author.id else None
        admitted = await self._database.write(_again, turn, event_key, sender_of(key, author), limits, role)
        if isinstance(admitted, Exceeded):
            raise self._allowances.refusal(admitted, key, author)
        if admitted is None:
            raise UserError("Only the latest answer of an active mission can be made again.")
        self._engine.wake(admitted.conversation)
        return admitted

    async def rate(self, turn: int, rating: int, key: ConversationKey, author: Author) -> None:
        """Rate an answer 1, -1 or 0. Raises UserError when it is not one the author may see."""
        await self._turn_place(turn, key, author)
        await self._database.write(turns.rate, turn, max(-1, min(1, rating)))

    async def _turn_place(self, turn: int, key: ConversationKey, author: Author) -> TurnPlace:
        place = await self._database.read(records.turn_place, turn)
        if place is None or (place.platform, place.workspace) != (key.platform, key.workspace):
            raise UserError("I know no such answer.")
        if place.channel != key.channel and not self._rights.rules(key, author):
            raise UserError("I know no such answer.")
        return place

    async def export(
        self, conversation: Conversation | None, format_: Format, key: ConversationKey, author: Author
    ) -> Exported:
        """A file of a conversation, or of all in the key's platform and workspace; whoever gets it closes it.

        Raises NotAllowed for those who may not export, nor see the one, and for all of them, for everybody but admins;
        UserError when it is empty, too large or cannot be written.
        """
        self.require("export", key, author)
        if conversation is None and not self._rights.rules(key, author):
            raise NotAllowed("Only admins may export everybody's missions.")
        if conversation is not None and not self._rights.may_see(conversation, key, author):
            raise NotAllowed
        what = conversation or Place(key.platform, key.workspace)
        _log.info("%s user %s exports %s", key.platform, author.id, conversation.id if conversation else EVERYTHING)
        return await self._exports.write(what, format_)

    async def complete(self, argument: Argument, typed: str, key: ConversationKey, author: Author) -> list[Offer]:
        """What may be meant by the beginning of an argument: at most 25 (text of at most 100 characters, value).

        Missions are those of the author that were begun last, the active one here, for admins all of this channel, and
        those whose id begins so, as far as the author may see them. Raises StorageError.
        """
        typed = typed.strip()[:MAX_ARGUMENT]
        offers = command_completion.words(argument, self._roster.profiles, typed)
        if argument.completes == "mission":
            rules = self._rights.rules(key, author)
            found = await self._database.read(command_completion.near, key, author.id, typed, all_here=rules)
            seen = (each for each in found if self._rights.may_see(each, key, author))
            offers += command_completion.missions(seen, typed)
        return offers[:MAX_OFFERED]

    def is_admin(self, platform: str, author: Author) -> bool:
        """Whether the settings name the author, or the platform says so of them in the workspace they are in."""
        return author.admin or self._rights.is_named(platform, author)

    def require(self, command: str, key: ConversationKey, author: Author) -> None:
        """Raises NotAllowed for those who may not use a command, by whatever button or page."""
        self._rights.require(command, key, author)

    def may_use(self, command: str, key: ConversationKey, author: Author) -> bool:
        return self._rights.may_use(command, key, author)

    async def meant(self, asked: Invocation) -> Meant:
        """The conversation named; else the active one of this place; else the asker's latest active one of the channel:
        in channels of many threads a command often cannot be used inside the thread it is about.

        Raises UserError when there is none.
        """
        if wanted := asked.arguments.get("id"):
            return Meant(await self.find(wanted, asked.key, asked.author))
        key = asked.key
        active = await self._database.read(
            conversations.find_active, key.platform, key.workspace, key.channel, key.thread
        )
        if active is not None:
            return Meant(active)
        own = Place(key.platform, key.workspace, key.channel, asked.author.id)
        latest = await self._database.read(conversations.recent, own, limit=1, active_only=True)
        if not latest:
            raise UserError("There is no active mission here.")
        return Meant(latest[0], guessed=True)


def _again(
    connection: Connection, turn: int, event_key: str, sender: Sender, limits: Quotas | None, role: str | None
) -> Admitted | Exceeded | None:
    """A unit of work: to ask again counts as asking does."""
    over = quotas.exceeded(connection, limits, sender) if limits is not None else None
    if over is None:
        return questions.repeat(connection, turn, event_key, role)
    return turns.find_event(connection, event_key) or over


def _replace(
    connection: Connection, new: NewConversation, may_end: Callable[[Conversation], bool]
) -> tuple[Conversation, Conversation | None]:
    """A unit of work: the fresh conversation, and the one that was active in its place, if it may be ended."""
    active = conversations.find_active(connection, new.platform, new.workspace, new.channel, new.thread)
    if active is not None and not may_end(active):
        raise NotAllowed(f"Mission `{active.id}` is active here, and it is not yours to end.")
    return conversations.start(connection, new), active

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
from bot.allowances import Allowances
from bot.command_completion import MAX_OFFERED, Offer
from bot.command_export import Exported, Exports
from bot.command_rights import Rights
from bot.command_specs import EVERYTHING, MAX_ARGUMENT, Argument
from bot.command_turn_doors import TurnDoors
from bot.engines.engine import Engine
from bot.errors import NotAllowed, UserError
from bot.forgetting import Forgetting
from bot.platforms.platform import Author, ConversationKey
from storage import audit, conversations, records, turns
from storage.conversations import Conversation, NewConversation, Place
from storage.database import Connection, Database
from storage.export_formats import Format
from storage.records import TurnRecord

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


class Doors(TurnDoors):
    """`rights` tells who may do what: which command, and on whose missions."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        roster: Roster,
        rights: Rights,
        exports: Exports | None = None,
        allowances: Allowances | None = None,
        forgetting: Forgetting | None = None,
    ) -> None:
        super().__init__(database, engine, rights, allowances)
        self._roster = roster
        self._exports = exports or Exports(database)
        self._forgetting = forgetting or Forgetting(database, engine)

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
            _replace,
            new,
            lambda active: self._rights.may_change(active, key, author),
            lambda active: self._power(active.owner, "end", active.id, key, author),
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

    async def look_at(self, conversation: Conversation, key: ConversationKey, author: Author) -> None:
        """Before somebody is shown a conversation that only an admin may see: neither theirs nor of this channel."""
        act = self._power(conversation.owner, "show", conversation.id, key, author)
        if act is not None and conversation.channel != key.channel:
            await self._database.write(audit.record, act)

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
        act = self._power(conversation.owner, "end", conversation.id, key, author)
        ended = await self._database.write(audit.recorded, act, conversations.end, conversation.number)
        self._engine.stop(conversation.number)
        return ended

    async def stop(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        """Stop the running answer; False when none is running. Raises NotAllowed."""
        self.require("stop", key, author)
        if not self._rights.may_see(conversation, key, author):
            raise NotAllowed
        act = self._power(conversation.owner, "stop", conversation.id, key, author)
        stopped = await self._database.write(audit.recorded, act, turns.request_stop, conversation.number)
        self._engine.stop(conversation.number)
        return stopped is not None

    def agent(self, name: str | None) -> str:
        """What to call the agent that is asked for, or answers by default. Raises UnknownAgent."""
        return command_texts.agent(self._roster.wanted(name))

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
        exported = await self._exports.write(conversation or Place(key.platform, key.workspace), format_)
        target = conversation.id if conversation else EVERYTHING
        details: dict[str, audit.Detail] = {"format": format_, "workspace": key.workspace}
        details["turns"] = exported.summary.turns
        try:
            await self._database.write(audit.record, audit.Act(self._actor(key, author), "export", target, details))
        except BaseException:
            exported.file.close()
            raise
        _log.info("%s user %s exports %s", key.platform, author.id, target)
        return exported

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


def _replace(
    connection: Connection,
    new: NewConversation,
    may_end: Callable[[Conversation], bool],
    ending: Callable[[Conversation], audit.Act | None],
) -> tuple[Conversation, Conversation | None]:
    """A unit of work: the fresh conversation, and the one that was active in its place, if it may be ended."""
    active = conversations.find_active(connection, new.platform, new.workspace, new.channel, new.thread)
    if active is not None and not may_end(active):
        raise NotAllowed(f"Mission `{active.id}` is active here, and it is not yours to end.")
    if active is not None and (act := ending(active)) is not None:
        audit.record(connection, act)
    return conversations.start(connection, new), active

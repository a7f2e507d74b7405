"""The /mission commands over a real database and engine, and missions for them that no model is asked about."""

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bot.agent.roster import Roster
from bot.answer_files import MAX_FILE_BYTES
from bot.command_export import Exports
from bot.command_rights import Rights
from bot.commands import CommandAnswer, Commands, Invocation
from bot.platforms.platform import Author, ConversationKey
from gadgets.roles import Role
from storage import conversations, turns
from storage.conversations import Conversation, NewConversation
from storage.database import Connection, Database
from storage.turns import NewTurn
from tests.core import PLAIN, PROFILE, running_core
from tests.fakes.scripted_model import ScriptedModel
from tests.storage_builders import answer, answer_next

OWNER = Author("u1", "Alice")
OTHER = Author("u2", "Bob")
NAMED_ADMIN = Author("boss", "M")
"""Whom the settings name."""
ROLE_ADMIN = Author("u3", "Tanner", admin=True)
"""Whom the platform calls an admin of the workspace that they are in."""


def at(channel: str = "c", thread: str = "", workspace: str = "w", platform: str = "stub") -> ConversationKey:
    return ConversationKey(platform, workspace, channel, thread)


@dataclass(slots=True)
class Missions:
    database: Database
    commands: Commands
    files: Path
    _events: Iterator[int] = field(default_factory=itertools.count)

    async def begin(
        self, key: ConversationKey, *said: str, owner: Author = OWNER, open_turn: bool = False
    ) -> Conversation:
        """A mission with these messages, all answered; with `open_turn`, one more that waits."""
        number = await self.database.write(self._fill, key, owner, said, open_turn)
        return await self.database.read(conversations.get, number)

    def _fill(
        self, connection: Connection, key: ConversationKey, owner: Author, said: tuple[str, ...], open_turn: bool
    ) -> int:
        title = said[0] if said else ""
        new = NewConversation(**asdict(key), owner=owner.id, owner_name=owner.name, agent="plain", title=title)
        number = conversations.open_(connection, new).number
        for text in said:
            self._admit(connection, new, text)
            answer_next(connection, number, answer(f"re: {text}"))
        if open_turn:
            self._admit(connection, new, "wait")
        return number

    def _admit(self, connection: Connection, new: NewConversation, text: str) -> None:
        event = f"stub:{next(self._events)}"
        turns.admit(connection, NewTurn(event, new.owner, new.owner_name, text, new))

    async def run(self, name: str, key: ConversationKey, author: Author = OWNER, **arguments: str) -> CommandAnswer:
        return await self.commands.run(Invocation(name, arguments, key, author, takes_files=True))

    async def now(self, conversation: Conversation) -> Conversation:
        return await self.database.read(conversations.get, conversation.number)

    async def rows(self) -> list[tuple[object, ...]]:
        """Everything stored about missions and turns."""
        return await self.database.read(_rows)


def _rows(connection: Connection) -> list[tuple[object, ...]]:
    tables: Mapping[str, str] = {"conversations": "number", "turns": "id"}
    return [
        tuple(row)
        for table, order in tables.items()
        for row in connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
    ]


@asynccontextmanager
async def missions(
    folder: Path, *, file_bytes: int = MAX_FILE_BYTES, commands: Mapping[str, Role] | None = None
) -> AsyncIterator[Missions]:
    """`commands` = command → who may use it, where that is not whom it is declared for."""
    async with running_core(folder / "db", ScriptedModel()) as core:
        roster = Roster({PROFILE.name: PROFILE, PLAIN.name: PLAIN}, PROFILE.name)
        rights = Rights({"stub": frozenset({NAMED_ADMIN.id})}, commands=commands)
        files = folder / "files"
        files.mkdir(exist_ok=True)
        exports = Exports(core.database, folder=files, limit=file_bytes)
        yield Missions(core.database, Commands(core.database, core.engine, roster, rights, exports), files)

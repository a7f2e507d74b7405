"""Taking a message in: the one transaction after which a platform may tell its sender that we have it."""

from dataclasses import asdict

from bot.agent.guard import clean_name, sanitise
from bot.agent.roster import Roster
from bot.engines.engine import Engine
from bot.platforms.platform import Inbound
from storage import turns
from storage.conversations import NewConversation
from storage.database import Database
from storage.turns import Admitted, NewTurn

MAX_CHARACTERS = 200_000
"""Of a stored message: beyond every platform's own limit, and beyond what any agent is configured to read."""


class Inbox:
    """Admits messages of every platform."""

    def __init__(self, database: Database, engine: Engine, roster: Roster) -> None:
        self._database = database
        self._engine = engine
        self._roster = roster

    async def admit(self, inbound: Inbound) -> Admitted:
        """Commit the message as a turn and wake its conversation. The same event again changes nothing.

        Raises UnknownAgent, or StorageError: then the event must not be acknowledged.
        """
        admitted = await self._database.write(turns.admit, self._turn(inbound))
        self._engine.wake(admitted.conversation)
        return admitted

    def _turn(self, inbound: Inbound) -> NewTurn:
        agent = self._roster.get(inbound.agent).name if inbound.agent else self._roster.default
        text = sanitise(inbound.text, MAX_CHARACTERS).text
        name = clean_name(inbound.author.name)
        key = inbound.key
        opening = NewConversation(
            key.platform, key.workspace, key.channel, key.thread, inbound.author.id, name, agent, title_of(text)
        )
        return NewTurn(
            event_key=inbound.event_key,
            author=inbound.author.id,
            author_name=name,
            user_message=text,
            opening=opening,
            shared=inbound.shared,
            attachments=tuple(asdict(attachment) for attachment in inbound.attachments),
        )


def title_of(text: str) -> str:
    """The first line of a message that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")

"""Taking a message in: the one transaction after which a platform may tell its sender that we have it."""

from bot.agent.guard import clean_name, sanitise
from bot.agent.roster import Roster
from bot.allowances import Allowances, sender_of
from bot.attachments import to_stored
from bot.command_rights import Rights
from bot.engines.engine import Engine
from bot.platforms.platform import Inbound
from storage import pruning, questions, quotas, turns
from storage.conversations import NewConversation
from storage.database import Connection, Database
from storage.quotas import Exceeded, Quotas, Sender
from storage.turns import Admitted, NewTurn

MAX_CHARACTERS = 200_000
"""Of a stored message: beyond every platform's own limit, and beyond what any agent is configured to read."""


class Inbox:
    """Admits messages of every platform."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        roster: Roster,
        allowances: Allowances | None = None,
        rights: Rights | None = None,
    ) -> None:
        self._database = database
        self._engine = engine
        self._roster = roster
        self._allowances = allowances or Allowances()
        self._rights = rights or Rights({})

    async def admit(self, inbound: Inbound) -> Admitted:
        """Commit the message as a turn and wake its conversation. The same event again changes nothing, also when its
        turn was erased: then there is none, nor a conversation (0 and "").

        Raises UserError (OverLimit, UnknownAgent): its author is told, and the event is done with. Raises StorageError:
        then the event must not be acknowledged.
        """
        sender = sender_of(inbound.key, inbound.author)
        limits = self._allowances.of(inbound.key, inbound.author, missed=inbound.missed)
        admitted = await self._database.write(_admit, self._turn(inbound), sender, limits)
        if isinstance(admitted, Exceeded):
            raise self._allowances.refusal(admitted, inbound.key, inbound.author)
        if admitted.conversation:
            self._engine.wake(admitted.conversation)
        return admitted

    async def amend(self, event_key: str, text: str) -> bool:
        """Replace a question that was edited before its answer was begun; False when it is too late, or unknown."""
        return await self._database.write(questions.amend, event_key, sanitise(text, MAX_CHARACTERS).text)

    async def withdraw(self, event_key: str) -> None:
        """Cancel a question that its author deleted, and interrupt the answer if it is running."""
        interrupted = await self._database.write(questions.withdraw, event_key)
        if interrupted is not None:
            self._engine.stop(interrupted)

    def _turn(self, inbound: Inbound) -> NewTurn:
        text = sanitise(inbound.text, MAX_CHARACTERS).text
        addressed = self._roster.addressed(text)
        agent = addressed.agent or self._roster.wanted(inbound.agent)
        title = title_of(addressed.text if inbound.title is None else sanitise(inbound.title, MAX_CHARACTERS).text)
        name = clean_name(inbound.author.name)
        key = inbound.key
        attachments, images = to_stored(inbound.attachments)
        opening = NewConversation(
            key.platform, key.workspace, key.channel, key.thread, inbound.author.id, name, agent, title
        )
        return NewTurn(
            event_key=inbound.event_key,
            author=inbound.author.id,
            author_name=name,
            user_message=text,
            opening=opening,
            shared=inbound.shared,
            attachments=attachments,
            images=images,
            role=self._rights.role(key, inbound.author),
        )


def _admit(connection: Connection, new: NewTurn, sender: Sender, limits: Quotas | None) -> Admitted | Exceeded:
    """A unit of work. A message beyond a limit is not taken in; the repetition of one that was is none.

    It returns what it refuses with: a unit that raises makes those that share its transaction run again. The repetition
    of one that was forgotten is taken for a duplicate, of a turn that is no more.
    """
    if pruning.is_event_forgotten(connection, new.event_key):
        return Admitted(turn=0, conversation=0, conversation_id="", duplicate=True)
    over = quotas.exceeded(connection, limits, sender) if limits is not None else None
    if over is None:
        return turns.admit(connection, new)
    return turns.find_event(connection, new.event_key) or over


def title_of(text: str) -> str:
    """The first line of a message that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")

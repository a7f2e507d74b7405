"""The doors to single answers: stopping one, having it made again, rating it, deciding what it waits for.

Buttons and pages come straight here. Rights are checked here, on every path.
"""

from collections.abc import Mapping
from typing import Literal

from bot.agent.guard import clean_name
from bot.allowances import Allowances, sender_of
from bot.command_rights import Rights
from bot.engines.engine import Engine
from bot.errors import NotAllowed, UserError
from bot.platforms.platform import Author, ConversationKey
from storage import approvals, audit, questions, quotas, records, turns
from storage.approvals import Approval, Decision, Word
from storage.database import Connection, Database
from storage.quotas import Exceeded, Quotas, Sender
from storage.records import TurnPlace
from storage.turns import Admitted

Act = Literal["approve", "decline"]
_WORDS: Mapping[Act, Word] = {"approve": "approved", "decline": "declined"}


class TurnDoors:
    """`rights` tells who may do what."""

    def __init__(self, database: Database, engine: Engine, rights: Rights, allowances: Allowances | None) -> None:
        self._database = database
        self._engine = engine
        self._rights = rights
        self._allowances = allowances or Allowances()

    async def stop_turn(self, turn: int, key: ConversationKey, author: Author) -> bool:
        """Stop one answer, running or waiting; False when it is complete.

        Raises UserError when the author may not see it, or stop any.
        """
        self.require("stop", key, author)
        place = await self._turn_place(turn, key, author)
        act = self._power(place.author, "stop", f"turn {turn}", key, author)
        status = await self._database.write(audit.recorded, act, turns.request_stop_of, turn)
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
        act = self._power(place.author, "regenerate", f"turn {turn}", key, author)
        admitted = await self._database.write(_again, turn, event_key, sender_of(key, author), limits, role, act)
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

    async def waiting(self, conversation: int) -> Approval | None:
        """What the next answer of a conversation waits for; that the asker may see it was checked before."""
        return await self._database.read(approvals.waiting, conversation)

    async def decide(self, approval: int, act: Act, key: ConversationKey, author: Author) -> Decision:
        """Approve or decline what a turn waits for: whoever asked, or an admin. Of all words at most one counts.

        Raises UserError: NotAllowed for everybody else, and where there is no such question.
        """
        self.require(act, key, author)
        asked = await self._database.read(approvals.get, approval)
        if asked is None or (asked.platform, asked.workspace) != (key.platform, key.workspace):
            raise UserError("I know no such question.")
        rules = self._rights.rules(key, author)
        power = self._power(asked.asker, act, f"turn {asked.turn}", key, author)
        decision = await self._database.write(_decide, approval, _WORDS[act], author.id, power, admin=rules)
        if decision is None:
            raise NotAllowed("Only who asked, or an admin, may decide this.")
        self._engine.wake(asked.conversation)  # also when it has just expired
        return decision

    def require(self, command: str, key: ConversationKey, author: Author) -> None:
        """Raises NotAllowed for those who may not use a command, by whatever button or page."""
        self._rights.require(command, key, author)

    def may_use(self, command: str, key: ConversationKey, author: Author) -> bool:
        return self._rights.may_use(command, key, author)

    def _power(self, whose: str, act: str, target: str, key: ConversationKey, author: Author) -> audit.Act | None:
        """What the audit log is told of an act on what is somebody else's (the id on that platform)."""
        return None if whose == author.id else audit.Act(self._actor(key, author), act, target)

    def _actor(self, key: ConversationKey, author: Author) -> audit.Actor:
        return audit.Actor(f"{key.platform}:{author.id}", clean_name(author.name), self._rights.role(key, author))

    async def _turn_place(self, turn: int, key: ConversationKey, author: Author) -> TurnPlace:
        place = await self._database.read(records.turn_place, turn)
        if place is None or (place.platform, place.workspace) != (key.platform, key.workspace):
            raise UserError("I know no such answer.")
        if place.channel != key.channel and not self._rights.rules(key, author):
            raise UserError("I know no such answer.")
        return place


def _again(
    connection: Connection,
    turn: int,
    event_key: str,
    sender: Sender,
    limits: Quotas | None,
    role: str | None,
    act: audit.Act | None,
) -> Admitted | Exceeded | None:
    """A unit of work: to ask again counts as asking does."""
    over = quotas.exceeded(connection, limits, sender) if limits is not None else None
    if over is not None:
        return turns.find_event(connection, event_key) or over
    admitted = questions.repeat(connection, turn, event_key, role)
    if act is not None and admitted is not None and not admitted.duplicate:
        audit.record(connection, act)
    return admitted


def _decide(
    connection: Connection, approval: int, word: Word, who: str, act: audit.Act | None, *, admin: bool
) -> Decision | None:
    """A unit of work."""
    decision = approvals.decide(connection, approval, word, who, admin=admin)
    if act is not None and decision is not None and decision.counts:
        audit.record(connection, act)
    return decision

"""The recorded steps of the turn that a worker is answering, and how it waits for a database that is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot import respondents
from storage import turns
from storage.conversations import Kept
from storage.database import Database
from storage.errors import Fenced, StorageError
from storage.turns import Claim, Ending, Step

_log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.25
LAST_RETRY_SECONDS = 15.0
CANNOT_SAVE = "I cannot save my work right now; I go on as soon as I can…"


class TurnJournal:
    """The recorded steps of a claimed turn; see bot.agent.journal.

    What cannot be written now is kept and written as soon as the database can: what a model said once is not asked
    for again because a disk was full for a minute. `tell` shows the user why nothing goes on meanwhile.
    """

    def __init__(self, database: Database, claim: Claim, tell: Callable[[str], None]) -> None:
        self._database = database
        self._tell = tell
        self._claim = claim
        self._turn = claim.turn
        self._attempt = claim.attempt
        self._steps = list(claim.steps)

    @property
    def steps(self) -> Sequence[Step]:
        return self._steps

    @property
    def tools(self) -> list[str]:
        """Names of the gadgets that gave a result, each once."""
        return list(dict.fromkeys(step.body["tool"] for step in self._steps if step.kind == "result"))

    def next_step(self, kind: str, body: dict[str, Any]) -> Step:
        step = Step(len(self._steps), kind, body)
        self._steps.append(step)  # at once, so that concurrent results get numbers of their own
        return step

    async def record(self, kind: str, body: dict[str, Any], kept: Kept | None = None) -> None:
        step = self.next_step(kind, body)
        await self._insist(lambda: self._database.write(turns.record_step, self._turn, self._attempt, step, kept))

    async def record_choice(self, body: dict[str, Any]) -> None:
        """Record which agent was chosen, for this turn and for its conversation. Raises Fenced."""
        step = self.next_step("choice", body)
        await self._insist(lambda: self._database.write(respondents.record_choice, self._claim, step))

    async def conclude(self, ending: Ending, last: dict[str, Any] | None) -> None:
        """Record the last model output, if any, and how the turn ends. Raises Fenced."""
        step = self.next_step("model", last) if last else None
        await self._insist(lambda: self._database.write(turns.conclude, self._turn, self._attempt, ending, step))

    async def _insist(self, write: Callable[[], Awaitable[None]]) -> None:
        wait = FIRST_RETRY_SECONDS
        while True:  # until it is written, the turn's deadline, or the end of the program
            try:
                return await write()
            except Fenced:
                raise
            except StorageError as error:
                _log.error("turn %d cannot be recorded yet: %r", self._turn, error)
                self._tell(CANNOT_SAVE)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LAST_RETRY_SECONDS)

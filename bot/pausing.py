"""Pausing a turn until somebody has decided whether a gadget may run.

Nothing waits in memory meanwhile: the question is a row of the database, and its turn is claimed again when the row
has a verdict, or has expired.
"""

import logging

from bot import approval_texts
from bot.agent.approval import PendingCall
from bot.delivery import Delivery
from bot.errors import PlatformGone
from bot.platforms.platform import ApprovalRef
from storage import approvals
from storage.approvals import Wanted
from storage.clock import seconds_until
from storage.database import Database
from storage.turns import Claim

_log = logging.getLogger(__name__)


class Pausing:
    """`seconds` is how long a question can be decided."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._database = database
        self._seconds = seconds

    async def pause(self, claim: Claim, delivery: Delivery, call: PendingCall) -> None:
        """Ask whether a call may run; its turn is paused as soon as the question is seen. Idempotent after a crash.

        Where nobody can be asked, it expires at once. Raises PlatformError, Fenced or StorageError.
        """
        wanted = Wanted(call.round, call.index, call.gadget, approval_texts.arguments(call.arguments))
        asked = await self._database.write(approvals.ask, claim.turn, claim.attempt, wanted, self._seconds)
        if asked.verdict is not None:
            return
        try:
            remote_id = await delivery.ask(approval_texts.question(asked), ApprovalRef(asked.id, asked.expires_at))
        except PlatformGone as gone:
            _log.warning("turn %d: nobody can be asked whether %s may run: %s", claim.turn, call.gadget, gone)
            await self._database.write(approvals.give_up, asked.id, claim.attempt)
        else:
            await self._database.write(approvals.shown, asked.id, claim.attempt, remote_id)

    async def seconds_left(self, conversation: int) -> float | None:
        """Until the question expires that the conversation waits for; None where it waits for none. Raises
        StorageError.
        """
        expiry = await self._database.read(approvals.next_expiry, conversation)
        return seconds_until(expiry) if expiry is not None else None

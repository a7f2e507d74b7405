"""Running the calls that a model asked for: those of one round at once, each recorded as soon as it has a result.

A call that uses another's result runs after it, and so do those of gadgets that keep something about the conversation.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.agent.approval import APPROVED, REFUSALS, ApprovalNeeded, PendingCall
from bot.agent.journal import Journal, result_body
from bot.agent.protocols import Result, Round
from bot.agent.references import BadReference, Referring, amounts
from bot.models.model import ToolCall
from bot.models.payload import UNREADABLE
from gadgets.context import Occasion
from gadgets.gadget import Gadget
from gadgets.schema import validate
from gadgets.toolbox import Outcome, Toolbox
from storage.conversations import Kept

CALLS_AT_ONCE = 4
"""Of one turn; the others of a plan wait."""
MAX_ARGUMENTS = 50_000
"""Characters of one call's arguments. A model that writes more is lost in repetition, and every step is recorded."""
NO_OBJECT = "The arguments of this call are not a JSON object. Write them as one."

CallGadget = Callable[[str, Mapping[str, Any], Occasion], Awaitable[Outcome]]
"""Runs a gadget: its name, the arguments, who asks and where. Never raises."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What an asker may use in a turn: these gadgets, and, of those that need it, what was approved or refused.

    `absence` tells of a gadget that is not there now; `verdicts` are those of the Task.
    """

    toolbox: Toolbox
    absence: Callable[[str], str | None]
    verdicts: Mapping[tuple[int, int], str]


@dataclass(slots=True)
class _Plan:
    """A round while its calls run. `settled` is set once a call has a result, or waits for approval; `running` has the
    calls that run, or ran, by what they ask for.
    """

    round: Round
    referring: Referring
    settled: Mapping[int, asyncio.Event]
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CALLS_AT_ONCE))
    running: dict[tuple[str, str], int] = field(default_factory=dict)
    pending: dict[int, PendingCall] = field(default_factory=dict)

    async def has(self, indexes: Sequence[int]) -> bool:
        """Whether these calls have results, once it is decided."""
        for index in indexes:
            if index in self.settled:
                await self.settled[index].wait()
        return all(index in self.round.results for index in indexes)


class Calls:
    """The gadgets' side of a turn. `occasion` is the turn's, `state` what gadgets keep about the conversation, by
    family, `said` the message that is answered.
    """

    def __init__(
        self,
        permission: Permission,
        call: CallGadget,
        journal: Journal,
        occasion: Occasion,
        state: Mapping[str, dict[str, Any]],
        said: str,
    ) -> None:
        self._permission = permission
        self._toolbox = permission.toolbox
        self._call = call
        self._journal = journal
        self._occasion = occasion
        self._state = dict(state)
        self._plain = amounts(said)

    async def run_missing(self, rounds: Sequence[Round]) -> None:
        """Run the last round's calls that have no recorded result. Raises Fenced or StorageError, and ApprovalNeeded
        for the first call that waits for approval, when nothing else is left that can run.
        """
        missing = rounds[-1].missing
        plan = _Plan(rounds[-1], Referring(rounds, self._plain), {index: asyncio.Event() for index in missing})
        try:
            async with asyncio.TaskGroup() as group:
                for index in missing:
                    group.create_task(self._settle(rounds, plan, index))
        except ExceptionGroup as several:  # only the journal raises, and one reason is reason enough
            raise several.exceptions[0] from several
        if plan.pending:
            raise ApprovalNeeded(plan.pending[min(plan.pending)])

    def doing(self, round_: Round) -> str:
        """What the user sees while the round's missing calls run."""
        gadgets = [self._toolbox.find(round_.calls[index].name) for index in round_.missing]
        return " ".join(dict.fromkeys(gadget.status for gadget in gadgets if gadget)) or "thinking…"

    # One call of a plan.

    async def _settle(self, rounds: Sequence[Round], plan: _Plan, index: int) -> None:
        """See that a call gets a recorded result, unless it, or one that it waits for, has to be approved."""
        call = plan.round.calls[index]
        outcome: Outcome | None = None
        try:
            if await plan.has([*plan.referring.needed(index), *self._kept_before(plan.round, index)]):
                call = self._resolved(plan, index)
                outcome = await self._outcome(rounds, plan, index, call)
        except BadReference as bad:
            outcome = Outcome(str(bad), ok=False, retry=bad.retry)
        if outcome is not None:
            await self._record(rounds, index, call, outcome)
        plan.settled[index].set()

    def _kept_before(self, round_: Round, index: int) -> list[int]:
        """The call before this one that keeps something, if this one does, too: such run one after another."""
        if not self._keeps(round_.calls[index]):
            return []
        return [each for each in range(index) if self._keeps(round_.calls[each])][-1:]

    def _resolved(self, plan: _Plan, index: int) -> ToolCall:
        gadget = self._toolbox.find(plan.round.calls[index].name)
        call = plan.referring.resolved(index, gadget.parameters if gadget else {})
        if len(str(call.arguments)) > MAX_ARGUMENTS:
            raise BadReference("The results that this call refers to are too long together, so it did not run.")
        return call

    async def _outcome(self, rounds: Sequence[Round], plan: _Plan, index: int, call: ToolCall) -> Outcome | None:
        """None while it waits for approval. Nothing runs twice for the same call."""
        if UNREADABLE in call.arguments:  # a server's own gadgets take what they do not know
            return Outcome(NO_OBJECT, ok=False, retry=True)
        if not self._keeps(call) and (same := plan.running.setdefault(identity(call), index)) != index:
            await plan.has([same])
        if known := self._known(rounds, call):
            return known
        place = len(rounds) - 1, index
        if self._must_ask(call) and (verdict := self._permission.verdicts.get(place, "")) != APPROVED:
            if verdict in REFUSALS:
                return Outcome(REFUSALS[verdict], ok=False)
            plan.pending[index] = PendingCall(*place, call.name, call.arguments)
            return None
        async with plan.room:
            return await self._called(call)

    async def _record(self, rounds: Sequence[Round], index: int, call: ToolCall, outcome: Outcome) -> None:
        result = Result(call, outcome.text, ok=outcome.ok, retry=outcome.retry)
        body = result_body(len(rounds) - 1, index, rounds[-1].calls[index], result, outcome)
        await self._journal.record("result", body, self._kept(call, outcome))
        rounds[-1].results[index] = result

    # One gadget.

    async def _called(self, call: ToolCall) -> Outcome:
        gadget = self._toolbox.find(call.name)
        if gadget is None:
            return self._unknown(call)
        occasion = replace(self._occasion, state=self._state.get(gadget.keeps, {}))
        return await self._call(call.name, call.arguments, occasion)

    def _unknown(self, call: ToolCall) -> Outcome:
        known = ", ".join(gadget.name for gadget in self._toolbox.gadgets) or "none"
        text = f"There is no gadget {call.name[:40]!r}. The gadgets are: {known}."
        absence = self._permission.absence(call.name)
        return Outcome(absence or text, ok=False, retry=not absence)

    def _must_ask(self, call: ToolCall) -> bool:
        """Whether somebody has to approve it. Nobody is asked about a call that will be refused anyway."""
        gadget = self._toolbox.find(call.name)
        return gadget is not None and gadget.approve and _is_valid(gadget, call.arguments)

    def _kept(self, call: ToolCall, outcome: Outcome) -> Kept | None:
        """What is to be stored of an outcome; from here on the turn goes on with it."""
        if outcome.state is None:
            return None
        kept = Kept(self._keeps(call), outcome.state)
        self._state[kept.family] = kept.state
        return kept

    def _keeps(self, call: ToolCall) -> str:
        gadget = self._toolbox.find(call.name)
        return gadget.keeps if gadget else ""

    def _known(self, rounds: Sequence[Round], call: ToolCall) -> Outcome | None:
        """The result of the same call before: a model in a loop gets it again, nothing runs twice.

        Gadgets that keep something run again: what they say depends on what happened in between.
        """
        if self._keeps(call):
            return None
        for round_ in rounds:
            for result in round_.results.values():
                if identity(result.call) == identity(call):
                    return Outcome(result.text, ok=result.ok)
        return None


def identity(call: ToolCall) -> tuple[str, str]:
    """Equal for calls of the same gadget with the same arguments, whatever their order."""
    return call.name, json.dumps(call.arguments, sort_keys=True, default=str)


def _is_valid(gadget: Gadget, arguments: Mapping[str, Any]) -> bool:
    try:
        validate(gadget, arguments)
    except Exception:  # noqa: BLE001 - another program's schema may fail in any way; the toolbox says so
        return False
    return True

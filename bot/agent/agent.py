"""The loop: ask the model, run the gadgets it chose, record every step, until there is an answer.

The loop keeps nothing that is not in the journal: called again with the steps a dead worker left, it goes on behind
the last of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from bot.agent.asking import ask
from bot.agent.calibration import Calibration
from bot.agent.calls import MAX_ARGUMENTS, CallGadget, Calls, Permission, identity
from bot.agent.consultation import Consultation, Respondent, Said
from bot.agent.decisions import Decision, parse_decision
from bot.agent.equipment import VISITORS_SHARE, Equipment, equipped
from bot.agent.journal import Journal, model_body, rounds_of, shown_by, tokens_of
from bot.agent.narration import Narration, Show
from bot.agent.prompt import Budget, message_tokens
from bot.agent.protocols import JSONProtocol, NativeProtocol, Round
from bot.agent.reference_names import refers
from bot.agent.task import Answer, Limits, ModelOptions, Task
from bot.errors import MessageTooLong
from bot.models.model import Capabilities, Model, ToolCall
from gadgets.context import Asked, Occasion
from gadgets.roles import Role
from gadgets.toolbox import Toolbox

EMPTY_ANSWER = "I could not put an answer together. Please ask again in other words."
CUT_ANSWER = "\n\n*(The answer was cut here: it reached its length limit.)*"
MAX_EMPTY_ANSWERS = 2
"""Times a model may answer with nothing to show, before the user is told so."""
SAID = 2
"""Earlier exchanges that a gadget is told of beside the message."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Answers turns with one model and the gadgets of a toolbox. Holds no state of any turn.

    `calibration` is what has been learned of the estimates of all models.
    """

    model: Model
    toolbox: Toolbox
    call: CallGadget
    options: ModelOptions
    limits: Limits
    calibration: Calibration = field(default_factory=Calibration)
    _equipment: dict[tuple[tuple[str, ...], Role], Equipment] = field(default_factory=dict)

    async def answer(self, task: Task, journal: Journal, show: Show) -> Answer:
        """Go on with a turn until it has an answer.

        Raises ModelError, MessageTooLong, Fenced or StorageError, and ApprovalNeeded when a call has to be approved
        before the turn can go on. Cancelling it stops the model.
        """
        if len(task.question.text) > self.limits.message_characters:
            raise MessageTooLong
        capabilities = await self.model.capabilities()
        budget = self.budget(capabilities)
        native = self.options.protocol == "native" or (self.options.protocol == "auto" and capabilities.tools)
        protocol = NativeProtocol() if native else JSONProtocol()
        narration = Narration(show, task.profile.name)
        await self.toolbox.settle(task.profile.gadgets)
        respondent = Respondent(self.model, protocol, self.options, self.limits, self.calibration)
        equipment = self.equipment(task.profile.gadgets, task.role)
        asking = Consultation(respondent, task, equipment, narration, budget, vision=capabilities.vision)
        permission = Permission(equipment.toolbox, self.toolbox.absence, task.verdicts)
        calls = Calls(permission, self.call, journal, _occasion(task, asking), task.state, task.question.text)
        return await _Run(asking, calls, journal, narration, self.limits, self.answered_by).to_answer()

    def budget(self, capabilities: Capabilities) -> Budget:
        """Of the model's context window, as far as its estimates may be trusted now."""
        num_ctx = min(self.options.num_ctx, capabilities.context_length or self.options.num_ctx)
        factor = self.calibration.factor(self.answered_by)
        return Budget(num_ctx, min(self.options.max_tokens, num_ctx // 4), factor)

    def equipment(self, gadgets: tuple[str, ...], role: Role) -> Equipment:
        """Those of the named gadgets that somebody with this role may use. Made once for each role and each different
        set of gadgets that the configuration names, and again when there are other gadgets.
        """
        found = self._equipment.get((gadgets, role))
        if found is None or found.version != self.toolbox.version:
            version, room = self.toolbox.version, (self.options.num_ctx - self.options.max_tokens) * VISITORS_SHARE
            found = equipped(self.toolbox.only(gadgets, role), version, room)
            self._equipment[gadgets, role] = found
        return found

    @property
    def answered_by(self) -> str:
        return f"{self.model.provider}/{self.model.name}"


def _occasion(task: Task, asking: Consultation) -> Occasion:
    """What gadgets are told of the turn; what one keeps comes with each call."""

    async def ask_model(system: str, text: str) -> Asked:
        return await ask(asking.model, asking.conversation.budget, system, text)

    said = "\n".join([*(f"{e.user_message}\n{e.agent_response}" for e in task.past[-SAID:]), task.question.text])
    return Occasion(task.asker, task.conversation, task.turn, role=task.role, ask=ask_model, said=said)


class _Run:
    """One run of the loop over one turn. `model` is its name, as it is recorded."""

    def __init__(
        self, asking: Consultation, calls: Calls, journal: Journal, narration: Narration, limits: Limits, model: str
    ) -> None:
        self._asking = asking
        self._calls = calls
        self._journal = journal
        self._narration = narration
        self._limits = limits
        self._model = model
        self._rounds = rounds_of(journal.steps)

    async def to_answer(self) -> Answer:
        self._narrate_recorded()
        empty = 0
        while True:  # ends: a round is added or an empty answer counted each time, and both are bounded
            await self._run_missing_calls()
            said = await self._asking.asked(self._rounds)
            calls = self._bounded(self._asking.calls(said) or self._recognised(said.printed))
            if calls or not said.ask.visible:
                await self._journal.record("model", model_body(said.ask.phase, said.output, calls, self._model))
                self._rounds.append(Round(said.output.text, calls))
            elif self._narration.shown.strip():
                return self._answer(said)
            elif (empty := empty + 1) >= MAX_EMPTY_ANSWERS:
                self._narration.add(EMPTY_ANSWER)
                return self._answer(said)

    async def _run_missing_calls(self) -> None:
        if self._rounds and self._rounds[-1].missing:
            self._narration.status(self._calls.doing(self._rounds[-1]))
            await self._calls.run_missing(self._rounds)

    def _recognised(self, printed: Sequence[str]) -> tuple[ToolCall, ...]:
        """Calls that the model printed as text, if they name known gadgets and rounds are left."""
        if len(self._rounds) > self._limits.rounds:
            return ()
        decisions = [parse_decision(text, self._asking.conversation.specs) for text in printed]
        return tuple(call for d in decisions if isinstance(d, Decision) for call in d.calls)

    def _bounded(self, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
        """At most so many calls a round, each only once; what no gadget could take is left out.

        Where calls refer to each other by number, all before such a one keep their places.
        """
        if any(refers(call.arguments) for call in calls):
            return tuple(takewhile(_is_takeable, calls))[: self._limits.calls_per_round]
        distinct = {identity(call): call for call in calls if _is_takeable(call)}
        return tuple(distinct.values())[: self._limits.calls_per_round]

    def _narrate_recorded(self) -> None:
        """Show again what earlier rounds said, after a crash."""
        for step in self._journal.steps:
            if step.kind == "model" and step.body["phase"] != "decide":
                self._narration.begin()
                self._narration.feed(step.body["text"])
                self._narration.end()

    def _answer(self, final: Said) -> Answer:
        output = final.output
        if output.finished and output.finished.reason == "length":
            self._narration.add(CUT_ANSWER)
        for text in shown_by(self._journal.steps):
            self._narration.add(f"\n\n{text}")
        said = [step.body["text"] for step in self._journal.steps if step.kind == "model"]
        prompt, completion = tokens_of(self._journal.steps)
        last = model_body(final.ask.phase, output, (), self._model)
        return Answer(
            text=self._narration.shown.strip(),
            raw="\n".join([*said, output.text]),
            model=self._model,
            prompt_tokens=prompt + last["prompt_tokens"],
            completion_tokens=completion + last["completion_tokens"],
            last_step=last,
            room=self._asking.room + message_tokens(self._asking.conversation.question),
        )


def _is_takeable(call: ToolCall) -> bool:
    return len(str(call.arguments)) <= MAX_ARGUMENTS

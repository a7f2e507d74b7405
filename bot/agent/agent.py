"""The loop: ask the model, run the gadgets it chose, record every step, until there is an answer.

The loop keeps nothing that is not in the journal: called again with the steps a dead worker left, it goes on behind
the last of them.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.agent.asking import ask
from bot.agent.calibration import Calibration, Seen
from bot.agent.decisions import Decision, parse_decision
from bot.agent.files import question_message
from bot.agent.journal import Journal, model_body, result_body, rounds_of, shown_by, tokens_of
from bot.agent.memory import remembered
from bot.agent.narration import Narration, Show
from bot.agent.prompt import (
    Budget,
    Exchange,
    Question,
    estimate_tokens,
    least_tokens,
    message_tokens,
    system_message,
    total_tokens,
    user_text,
)
from bot.agent.protocols import (
    Ask,
    Conversation,
    JSONProtocol,
    NativeProtocol,
    Result,
    Round,
    ToolProtocol,
    readable,
)
from bot.agent.roster import Profile
from bot.errors import MessageTooLong, ModelBroken, ModelError, ModelRefused
from bot.models.model import (
    Capabilities,
    Collected,
    Finished,
    Model,
    Notice,
    TextDelta,
    ToolCall,
    ToolSpec,
    UserMessage,
)
from gadgets.context import Asked, Occasion
from gadgets.gadget import Gadget
from gadgets.roles import Role
from gadgets.toolbox import Outcome, Toolbox
from storage.conversations import Kept

_log = logging.getLogger(__name__)

EMPTY_ANSWER = "I could not put an answer together. Please ask again in other words."
CUT_ANSWER = "\n\n*(The answer was cut here: it reached its length limit.)*"
MAX_EMPTY_ANSWERS = 2
"""Times a model may answer with nothing to show, before the user is told so."""
MAX_ARGUMENTS = 50_000
"""Characters of one call's arguments. A model that writes more is lost in repetition, and every step is recorded."""
VISITORS_SHARE = 0.4
"""Of the prompt, how many tokens the gadgets of servers may take: there may be thousands, and they come unasked."""
RESULT_SHARE = 0.5
"""Of the tokens that the question leaves, how many the gadgets' calls and results may take together."""
CUT_PROMPT = "\n\n*(I could not keep all of this conversation in mind for that. Ask again if something is missing.)*"
LEAST_MESSAGES = 2
"""The system prompt and the question: a request of more can be made smaller."""
REFUSED_FACTOR = 2.0
"""How much smaller a prompt is made that a server refused to read."""
SAID = 2
"""Earlier exchanges that a gadget is told of beside the message."""
FILES_SHARE = 0.75
"""Of the tokens that the words of the question leave, how many its files may take together."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a turn. Characters are code points."""

    message_characters: int
    answer_characters: int
    rounds: int
    calls_per_round: int


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How the configured model is to be used; `protocol` is auto, json or native, sizes are tokens."""

    protocol: str
    num_ctx: int
    max_tokens: int
    temperature: float


@dataclass(frozen=True, slots=True)
class Task:
    """One turn's work: who asks what, after which exchanges, and which agent answers.

    `past` is what the conversation's `summary` does not tell of. `turn` is its number, `conversation` the id of its
    conversation, `state` what gadgets keep about that, by family.
    """

    profile: Profile
    question: Question
    past: Sequence[Exchange]
    asker: str
    conversation: str
    turn: int
    state: Mapping[str, dict[str, Any]]
    role: Role = "everyone"
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The finished text, what the model really said, and the last step's body, still to be recorded.

    `room` is how many tokens, by our estimate, the prompt has beside what it always holds: for question and history.
    """

    text: str
    raw: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    last_step: dict[str, Any]
    room: int = 0


CallGadget = Callable[[str, Mapping[str, Any], Occasion], Awaitable[Outcome]]
"""Runs a gadget: its name, the arguments, who asks and where. Never raises."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """The gadgets an agent may use, as the model is told of them, and what telling it costs in tokens.

    `version` is that of the toolbox from which it was made.
    """

    toolbox: Toolbox
    specs: tuple[ToolSpec, ...]
    tokens: int
    version: int


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

        Raises ModelError, MessageTooLong, Fenced or StorageError. Cancelling it stops the model.
        """
        if len(task.question.text) > self.limits.message_characters:
            raise MessageTooLong
        capabilities = await self.model.capabilities()
        budget = self.budget(capabilities)
        native = self.options.protocol == "native" or (self.options.protocol == "auto" and capabilities.tools)
        protocol = NativeProtocol() if native else JSONProtocol()
        narration = Narration(show, task.profile.name)
        await self.toolbox.settle(task.profile.gadgets)
        return await _Run(self, task, journal, narration, protocol, budget, vision=capabilities.vision).to_answer()

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
            found = _equipped(self.toolbox.only(gadgets, role), version, room)
            self._equipment[gadgets, role] = found
        return found

    @property
    def answered_by(self) -> str:
        return f"{self.model.provider}/{self.model.name}"


def _equipped(toolbox: Toolbox, version: int, room: float) -> Equipment:
    """Everything in the toolbox, but of the gadgets of servers only the first that take no more than `room` tokens."""
    taken: list[tuple[Gadget, ToolSpec]] = []
    total = 0
    for gadget in toolbox.gadgets:
        spec = ToolSpec(gadget.name, gadget.description, gadget.parameters)
        tokens = estimate_tokens(f"{spec.description}{json.dumps(spec.parameters)}")
        room -= tokens if gadget.origin else 0
        if not gadget.origin or room >= 0:
            taken.append((gadget, spec))
            total += tokens
    if left_out := len(toolbox.gadgets) - len(taken):
        _log.warning("%d gadgets of servers are left out: the context window has no room for them", left_out)
    return Equipment(Toolbox([gadget for gadget, _ in taken]), tuple(spec for _, spec in taken), total, version)


class _Run:
    """One run of the loop over one turn. `vision`: the model may be shown images."""

    def __init__(
        self,
        agent: Agent,
        task: Task,
        journal: Journal,
        narration: Narration,
        protocol: ToolProtocol,
        budget: Budget,
        *,
        vision: bool,
    ) -> None:
        self._agent = agent
        self._task = task
        self._journal = journal
        self._narration = narration
        self._protocol = protocol
        self._equipment = agent.equipment(task.profile.gadgets, task.role)
        self._toolbox = self._equipment.toolbox
        self._rounds = rounds_of(journal.steps)
        self._state = dict(task.state)
        self._conversation = self._opened(budget, vision=vision)
        self._room = self._room_left()
        self._cut = False

    async def to_answer(self) -> Answer:
        self._narrate_recorded()
        empty = 0
        while True:  # ends: a round is added or an empty answer counted each time, and both are bounded
            await self._run_missing_calls()
            ask, output, printed = await self._asked()
            calls = self._bounded(self._protocol.calls(self._conversation, ask, output) or self._recognised(printed))
            if calls or not ask.visible:
                await self._journal.record("model", model_body(ask.phase, output, calls, self._agent.answered_by))
                self._rounds.append(Round(output.text, calls))
            elif self._narration.shown.strip():
                return self._answer(ask, output)
            elif (empty := empty + 1) >= MAX_EMPTY_ANSWERS:
                self._narration.add(EMPTY_ANSWER)
                return self._answer(ask, output)

    # What the model reads.

    def _opened(self, budget: Budget, *, vision: bool) -> Conversation:
        profile, options, question = self._task.profile, self._agent.options, self._task.question
        system = system_message(profile.prompt, datetime.now(UTC).date())
        fixed = message_tokens(system) + message_tokens(UserMessage(user_text(question)))
        for_files = int((budget.prompt - self._equipment.tokens - fixed) * FILES_SHARE)
        return Conversation(
            system=system,
            history=(),
            question=question_message(question, for_files, vision=vision),
            specs=self._equipment.specs,
            budget=budget,
            temperature=options.temperature if profile.temperature is None else profile.temperature,
            max_rounds=self._agent.limits.rounds,
        )

    def _room_left(self) -> int:
        """Tokens that system prompt, tools and question leave for results and history. Raises MessageTooLong.

        A message is not too long for what the estimates of others were worth, only for what its own is: then nothing
        is left beside it, and the server's count shows whether it was read.
        """
        conversation = self._conversation
        fixed = message_tokens(conversation.system) + message_tokens(conversation.question) + self._equipment.tokens
        if fixed > replace(conversation.budget, factor=1.0).prompt:
            raise MessageTooLong
        return max(0, conversation.budget.prompt - fixed)

    def _next(self) -> Ask:
        """The next call of the model, with as much history as fits beside what the gadgets were asked and gave."""
        rounds = readable(self._rounds, int(self._room * RESULT_SHARE))
        room = self._room
        if rounds:
            alone = self._protocol.next(self._conversation, rounds)
            room = self._conversation.budget.prompt - self._equipment.tokens - total_tokens(alone.request.messages)
        history = remembered(self._task.summary, self._task.past, room, shared=self._task.question.shared)
        return self._protocol.next(replace(self._conversation, history=tuple(history)), rounds)

    # What the model says.

    async def _asked(self) -> tuple[Ask, Collected, list[str]]:
        """The next output. Once, if nothing was shown yet, it is asked for again without what may have been too much:
        the images, or a part of the history. Raises MessageTooLong when it is the message itself.
        """
        shown, ask = self._narration.shown, self._next()
        try:
            said = await self._ask(ask)
        except (ModelRefused, ModelBroken) as error:
            if self._narration.shown != shown or not self._smaller(ask, error):
                raise
        else:
            if not self._was_cut(ask, said[0]) or self._narration.shown != shown:
                return self._told(ask, said)
            self._reopen(self._agent.calibration.factor(self._agent.answered_by))
        ask = self._next()
        said = await self._ask(ask)
        self._was_cut(ask, said[0])
        return self._told(ask, said)

    def _smaller(self, ask: Ask, error: ModelError) -> bool:
        """Whether there is something to leave out that the server may have failed over: the images, or the history."""
        if self._conversation.question.images:
            _log.warning("asking again without the images: %s", error)
            self._reopen(self._conversation.budget.factor, vision=False)
            return True
        if not isinstance(error, ModelRefused) or len(ask.request.messages) <= LEAST_MESSAGES:
            return False
        _log.warning("asking again with less of what was said: %s", error)
        self._reopen(REFUSED_FACTOR * self._conversation.budget.factor)
        return True

    def _reopen(self, factor: float, *, vision: bool | None = None) -> None:
        vision = bool(self._conversation.question.images) if vision is None else vision
        self._conversation = self._opened(replace(self._conversation.budget, factor=factor), vision=vision)
        self._room = self._room_left()

    def _was_cut(self, ask: Ask, output: Collected) -> bool:
        """Whether the server must have left out a part of the prompt. Learns from its count."""
        counted = output.finished.prompt_tokens if output.finished else 0
        self._cut = False
        if counted:
            estimated = least_tokens(ask.request.messages)
            if counted > estimated:  # only then the exact estimate matters
                estimated = total_tokens(ask.request.messages) + (self._equipment.tokens if ask.request.tools else 0)
            seen = Seen(estimated, counted, self._conversation.budget)
            self._cut = self._agent.calibration.observe(self._agent.answered_by, seen)
        return self._cut

    def _told(self, ask: Ask, said: tuple[Collected, list[str]]) -> tuple[Ask, Collected, list[str]]:
        """An output of a prompt that was cut is told with a word about that. Raises MessageTooLong."""
        if self._cut and len(ask.request.messages) <= LEAST_MESSAGES:
            raise MessageTooLong
        if self._cut and ask.visible and self._narration.shown.strip():
            self._narration.add(CUT_PROMPT)
        return ask, *said

    async def _ask(self, ask: Ask) -> tuple[Collected, list[str]]:
        """Stream one model output, showing it if it is meant to be seen. Also: the tool calls it printed as text."""
        output, narration = Collected(), self._narration
        narration.begin()
        narration.status("thinking…")
        async with aclosing(self._agent.model.stream(ask.request)) as deltas:
            async for delta in deltas:
                room = self._agent.limits.answer_characters - len(output.text)
                output.add(TextDelta(delta.text[:room]) if isinstance(delta, TextDelta) else delta)
                if isinstance(delta, Notice):
                    narration.status(delta.text)
                elif ask.visible and isinstance(delta, TextDelta):
                    narration.feed(delta.text[:room])
                if isinstance(delta, TextDelta) and len(delta.text) > room:
                    output.finished = Finished("length")
                    break
        return output, narration.end() if ask.visible else []

    def _recognised(self, printed: Sequence[str]) -> tuple[ToolCall, ...]:
        """Calls that the model printed as text, if they name known gadgets and rounds are left."""
        if len(self._rounds) > self._agent.limits.rounds:
            return ()
        decisions = [parse_decision(text, self._conversation.specs) for text in printed]
        return tuple(call for d in decisions if isinstance(d, Decision) for call in d.calls)

    def _bounded(self, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
        """At most so many calls a round, each only once; what no gadget could take is left out."""
        distinct = {_identity(call): call for call in calls if len(str(call.arguments)) <= MAX_ARGUMENTS}
        return tuple(distinct.values())[: self._agent.limits.calls_per_round]

    def _narrate_recorded(self) -> None:
        """Show again what earlier rounds said, after a crash."""
        for step in self._journal.steps:
            if step.kind == "model" and step.body["phase"] != "decide":
                self._narration.begin()
                self._narration.feed(step.body["text"])
                self._narration.end()

    def _answer(self, ask: Ask, output: Collected) -> Answer:
        if output.finished and output.finished.reason == "length":
            self._narration.add(CUT_ANSWER)
        for text in shown_by(self._journal.steps):
            self._narration.add(f"\n\n{text}")
        model = self._agent.answered_by
        said = [step.body["text"] for step in self._journal.steps if step.kind == "model"]
        prompt, completion = tokens_of(self._journal.steps)
        last = model_body(ask.phase, output, (), model)
        return Answer(
            text=self._narration.shown.strip(),
            raw="\n".join([*said, output.text]),
            model=model,
            prompt_tokens=prompt + last["prompt_tokens"],
            completion_tokens=completion + last["completion_tokens"],
            last_step=last,
            room=self._room + message_tokens(self._conversation.question),
        )

    # What the gadgets do.

    async def _run_missing_calls(self) -> None:
        """Run the last round's calls that have no recorded result: at once, but in their order those of gadgets that
        keep something about the conversation.
        """
        if not self._rounds or not (missing := self._rounds[-1].missing):
            return
        self._narration.status(self._doing(missing))
        keeping = [index for index in missing if self._keeps(self._rounds[-1].calls[index])]
        alone = [[index] for index in missing if index not in keeping]
        try:
            async with asyncio.TaskGroup() as group:
                for indexes in filter(None, [keeping, *alone]):
                    group.create_task(self._run_calls(indexes))
        except ExceptionGroup as several:  # only the journal raises, and one reason is reason enough
            raise several.exceptions[0] from several

    async def _run_calls(self, indexes: Sequence[int]) -> None:
        round_ = self._rounds[-1]
        for index in indexes:
            call = round_.calls[index]
            outcome = self._known(call) or await self._called(call)
            result = Result(call, outcome.text, ok=outcome.ok, retry=outcome.retry)
            body = result_body(len(self._rounds) - 1, index, result, outcome)
            await self._journal.record("result", body, self._kept(call, outcome))
            round_.results[index] = result

    async def _called(self, call: ToolCall) -> Outcome:
        gadget = self._toolbox.find(call.name)
        if gadget is None:
            known = ", ".join(gadget.name for gadget in self._toolbox.gadgets) or "none"
            text = f"There is no gadget {call.name[:40]!r}. The gadgets are: {known}."
            absence = self._agent.toolbox.absence(call.name)
            return Outcome(absence or text, ok=False, retry=not absence)
        task = self._task
        state = self._state.get(gadget.keeps, {})
        said = "\n".join([*(f"{e.user_message}\n{e.agent_response}" for e in task.past[-SAID:]), task.question.text])
        occasion = Occasion(task.asker, task.conversation, task.turn, state, task.role, self._ask_for_gadget, said)
        return await self._agent.call(call.name, call.arguments, occasion)

    async def _ask_for_gadget(self, system: str, text: str) -> Asked:
        return await ask(self._agent.model, self._conversation.budget, system, text)

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

    def _known(self, call: ToolCall) -> Outcome | None:
        """The result of the same call in an earlier round: a model in a loop gets it again, nothing runs twice.

        Gadgets that keep something run again: what they say depends on what happened in between.
        """
        if self._keeps(call):
            return None
        for round_ in self._rounds[:-1]:
            for result in round_.results.values():
                if _identity(result.call) == _identity(call):
                    return Outcome(result.text, ok=result.ok)
        return None

    def _doing(self, indexes: Sequence[int]) -> str:
        gadgets = [self._toolbox.find(self._rounds[-1].calls[index].name) for index in indexes]
        return " ".join(dict.fromkeys(gadget.status for gadget in gadgets if gadget)) or "thinking…"


def _identity(call: ToolCall) -> tuple[str, str]:
    return call.name, json.dumps(call.arguments, sort_keys=True, default=str)

"""Asking the model within one turn: every request is made to fit the context window, every output is streamed.

What a server refuses, or has silently cut, is asked for once more with less.
"""

import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.agent.calibration import Calibration, Seen
from bot.agent.equipment import Equipment
from bot.agent.files import question_message
from bot.agent.memory import remembered
from bot.agent.narration import Narration
from bot.agent.prompt import (
    Budget,
    least_tokens,
    message_tokens,
    system_message,
    total_tokens,
    user_text,
)
from bot.agent.protocols import Ask, Conversation, Round, ToolProtocol, readable
from bot.agent.task import Limits, ModelOptions, Task
from bot.errors import MessageTooLong, ModelBroken, ModelError, ModelRefused
from bot.models.model import Collected, Finished, Model, Notice, TextDelta, ToolCall, UserMessage

_log = logging.getLogger(__name__)

RESULT_SHARE = 0.5
"""Of the tokens that the question leaves, how many the gadgets' calls and results may take together."""
CUT_PROMPT = "\n\n*(I could not keep all of this conversation in mind for that. Ask again if something is missing.)*"
LEAST_MESSAGES = 2
"""The system prompt and the question: a request of more can be made smaller."""
REFUSED_FACTOR = 2.0
"""How much smaller a prompt is made that a server refused to read."""
FILES_SHARE = 0.75
"""Of the tokens that the words of the question leave, how many its files may take together."""


@dataclass(frozen=True, slots=True)
class Respondent:
    """The model that is asked, how, and what has been learned of its counting."""

    model: Model
    protocol: ToolProtocol
    options: ModelOptions
    limits: Limits
    calibration: Calibration

    @property
    def name(self) -> str:
        return f"{self.model.provider}/{self.model.name}"


@dataclass(frozen=True, slots=True)
class Said:
    """One output of the model, what it was asked, and the tool calls that it printed as text."""

    ask: Ask
    output: Collected
    printed: Sequence[str]


class Consultation:
    """The model's side of a turn. `vision`: the model may be shown images. Raises MessageTooLong."""

    def __init__(
        self,
        respondent: Respondent,
        task: Task,
        equipment: Equipment,
        narration: Narration,
        budget: Budget,
        *,
        vision: bool,
    ) -> None:
        self._respondent = respondent
        self._task = task
        self._equipment = equipment
        self._narration = narration
        self._cut = False
        self.conversation = self._opened(budget, vision=vision)
        self.room = self._room_left()
        """Tokens that results and history may take."""

    @property
    def model(self) -> Model:
        return self._respondent.model

    def calls(self, said: Said) -> tuple[ToolCall, ...]:
        """The calls in what was said; none means that the model goes on to, or gave, the answer."""
        return self._respondent.protocol.calls(self.conversation, said.ask, said.output)

    def _opened(self, budget: Budget, *, vision: bool) -> Conversation:
        profile, options, question = self._task.profile, self._respondent.options, self._task.question
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
            max_rounds=self._respondent.limits.rounds,
        )

    def _room_left(self) -> int:
        """Tokens that system prompt, tools and question leave for results and history. Raises MessageTooLong.

        A message is not too long for what the estimates of others were worth, only for what its own is: then nothing
        is left beside it, and the server's count shows whether it was read.
        """
        conversation = self.conversation
        fixed = message_tokens(conversation.system) + message_tokens(conversation.question) + self._equipment.tokens
        if fixed > replace(conversation.budget, factor=1.0).prompt:
            raise MessageTooLong
        return max(0, conversation.budget.prompt - fixed)

    def _next(self, rounds: Sequence[Round]) -> Ask:
        """The next call of the model, with as much history as fits beside what the gadgets were asked and gave."""
        rounds = readable(rounds, int(self.room * RESULT_SHARE))
        room = self.room
        if rounds:
            alone = self._respondent.protocol.next(self.conversation, rounds)
            room = self.conversation.budget.prompt - self._equipment.tokens - total_tokens(alone.request.messages)
        history = remembered(self._task.summary, self._task.past, room, shared=self._task.question.shared)
        return self._respondent.protocol.next(replace(self.conversation, history=tuple(history)), rounds)

    async def asked(self, rounds: Sequence[Round]) -> Said:
        """The next output. Once, if nothing was shown yet, it is asked for again without what may have been too much:
        the images, or a part of the history. Raises MessageTooLong when it is the message itself.
        """
        shown, ask = self._narration.shown, self._next(rounds)
        try:
            said = await self._ask(ask)
        except (ModelRefused, ModelBroken) as error:
            if self._narration.shown != shown or not self._smaller(ask, error):
                raise
        else:
            if not self._was_cut(said) or self._narration.shown != shown:
                return self._told(said)
            self._reopen(self._respondent.calibration.factor(self._respondent.name))
        ask = self._next(rounds)
        said = await self._ask(ask)
        self._was_cut(said)
        return self._told(said)

    def _smaller(self, ask: Ask, error: ModelError) -> bool:
        """Whether there is something to leave out that the server may have failed over: the images, or the history."""
        if self.conversation.question.images:
            _log.warning("asking again without the images: %s", error)
            self._reopen(self.conversation.budget.factor, vision=False)
            return True
        if not isinstance(error, ModelRefused) or len(ask.request.messages) <= LEAST_MESSAGES:
            return False
        _log.warning("asking again with less of what was said: %s", error)
        self._reopen(REFUSED_FACTOR * self.conversation.budget.factor)
        return True

    def _reopen(self, factor: float, *, vision: bool | None = None) -> None:
        vision = bool(self.conversation.question.images) if vision is None else vision
        self.conversation = self._opened(replace(self.conversation.budget, factor=factor), vision=vision)
        self.room = self._room_left()

    def _was_cut(self, said: Said) -> bool:
        """Whether the server must have left out a part of the prompt. Learns from its count."""
        ask, output = said.ask, said.output
        counted = output.finished.prompt_tokens if output.finished else 0
        self._cut = False
        if counted:
            estimated = least_tokens(ask.request.messages)
            if counted > estimated:  # only then the exact estimate matters
                estimated = total_tokens(ask.request.messages) + (self._equipment.tokens if ask.request.tools else 0)
            seen = Seen(estimated, counted, self.conversation.budget)
            self._cut = self._respondent.calibration.observe(self._respondent.name, seen)
        return self._cut

    def _told(self, said: Said) -> Said:
        """An output of a prompt that was cut is told with a word about that. Raises MessageTooLong."""
        if self._cut and len(said.ask.request.messages) <= LEAST_MESSAGES:
            raise MessageTooLong
        if self._cut and said.ask.visible and self._narration.shown.strip():
            self._narration.add(CUT_PROMPT)
        return said

    async def _ask(self, ask: Ask) -> Said:
        """Stream one model output, showing it if it is meant to be seen."""
        output, narration = Collected(), self._narration
        narration.begin()
        narration.status("thinking…")
        async with aclosing(self._respondent.model.stream(ask.request)) as deltas:
            async for delta in deltas:
                room = self._respondent.limits.answer_characters - len(output.text)
                output.add(TextDelta(delta.text[:room]) if isinstance(delta, TextDelta) else delta)
                if isinstance(delta, Notice):
                    narration.status(delta.text)
                elif ask.visible and isinstance(delta, TextDelta):
                    narration.feed(delta.text[:room])
                if isinstance(delta, TextDelta) and len(delta.text) > room:
                    output.finished = Finished("length")
                    break
        return Said(ask, output, narration.end() if ask.visible else [])

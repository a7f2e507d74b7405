"""What the agent is given to do, and what it gives back: one turn's task, its bounds, its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.agent.prompt import Exchange, Question
from bot.agent.roster import Profile
from gadgets.roles import Role


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
    conversation, `state` what gadgets keep about that, by family. `verdicts` are those on calls that had to be
    approved: (round, index of the call), both from 0 → approved, declined or expired.
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
    verdicts: Mapping[tuple[int, int], str] = field(default_factory=dict)


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

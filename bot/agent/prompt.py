"""What the model is given to read: pure functions from a turn to messages that fit the context window."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.models.model import AssistantMessage, Message, SystemMessage, UserMessage
from bot.platforms.platform import Attachment

BYTES_PER_TOKEN = 3
"""UTF-8 bytes per token, on the cautious side: English has about 4, code 3, most other scripts 3 and more."""
LONGEST_CHARACTER = 4
"""UTF-8 bytes of one character at most."""
TOKENS_PER_MESSAGE = 6
"""What a chat template adds around each message."""
IMAGE_TOKENS = 1_500
"""What an image counts, whatever its size: GPT-4o takes up to 1,445 tokens (85, and 170 for each tile of 512 pixels),
Gemma 3 takes 256, LLaVA 576. Models that keep the resolution, such as Qwen-VL, take more of a large photograph."""
SAFETY_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn: what somebody said and what the agent answered."""

    author_name: str
    user_message: str
    agent_response: str


@dataclass(frozen=True, slots=True)
class Question:
    """The message to answer, with what came attached to it."""

    author_name: str
    text: str
    shared: bool = False
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens: the whole context window, and how much of it is kept free for the answer.

    `factor` is how many real tokens an estimated one may turn out to be (see bot.agent.calibration).
    """

    num_ctx: int
    max_tokens: int
    factor: float = 1.0

    @property
    def prompt(self) -> int:
        """Estimated tokens of a prompt that fits."""
        return int((self.num_ctx - self.max_tokens - SAFETY_TOKENS) / self.factor)


def estimate_tokens(text: str) -> int:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return size // BYTES_PER_TOKEN + 1


def clip_middle(text: str, limit: int) -> str:
    """At most about `limit` characters, the end being as telling as the beginning."""
    if len(text) <= limit:
        return text
    return f"{text[: limit * 3 // 4]}\n[…]\n{text[len(text) - limit // 4 :]}"


def clip_tokens(text: str, tokens: int) -> str:
    """At most about `tokens` by our estimate, whatever the script."""
    if estimate_tokens(text) <= tokens:
        return text
    return clip_middle(text, tokens * BYTES_PER_TOKEN // (1 if text.isascii() else LONGEST_CHARACTER))


def message_tokens(message: Message) -> int:
    more = 0
    if isinstance(message, AssistantMessage):
        more = sum(estimate_tokens(str(c.arguments)) for c in message.tool_calls)
    elif isinstance(message, UserMessage):
        more = IMAGE_TOKENS * len(message.images)
    return TOKENS_PER_MESSAGE + estimate_tokens(message.text) + more


def least_tokens(messages: Sequence[Message]) -> int:
    """What they are estimated at in any case, found out faster than `total_tokens`."""
    return sum(len(message.text) for message in messages) // BYTES_PER_TOKEN


def total_tokens(messages: Sequence[Message]) -> int:
    return sum(message_tokens(m) for m in messages)


def system_message(prompt: str, today: date) -> SystemMessage:
    """Only the operator's words and the date: what users and gadgets say never goes in here."""
    return SystemMessage(f"{prompt.strip()}\n\nToday is {today:%A}, {today.day} {today:%B %Y}.")


def user_text(question: Question) -> str:
    """What was said as the model reads it: with the speaker's name where several people talk."""
    return f"{question.author_name}: {question.text}" if question.shared else question.text


def window(past: Sequence[Exchange], tokens: int, *, shared: bool) -> list[Message]:
    """The newest whole exchanges that fit into `tokens`, oldest first."""
    chosen: list[Message] = []
    for exchange in reversed(past):
        pair: list[Message] = [
            UserMessage(user_text(Question(exchange.author_name, exchange.user_message, shared))),
            AssistantMessage(exchange.agent_response),
        ]
        tokens -= total_tokens(pair)
        if tokens < 0:
            break
        chosen[:0] = pair
    return chosen

"""What the agent core asks of a language model, whatever runs it.

Conversation content is a union of frozen dataclasses; raw dictionaries exist only in the file that talks to a
provider. A model is opened by `async with`, then answers any number of concurrent `stream` calls.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

JsonSchema = Mapping[str, Any]
"""A JSON Schema (draft 2020-12) as plain JSON values."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a gadget. `id` is the provider's, or made by us where the provider gives none."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SystemMessage:
    text: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    text: str
    images: tuple[bytes, ...] = ()
    """Encoded image files (PNG, JPEG, …), only ever given to a model with the `vision` capability."""


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    text: str
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The result of one tool call, as the model reads it."""

    call_id: str
    tool: str
    text: str


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A gadget as a model is told of it."""

    name: str
    description: str
    parameters: JsonSchema


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model.

    `num_ctx` is the context window in tokens (prompt and answer together); it is always sent where the wire has a
    place for it, because servers silently drop the oldest messages beyond their own default. `schema` constrains the
    whole output to JSON that validates. `tools` and `schema` are never given together.
    """

    messages: tuple[Message, ...]
    num_ctx: int
    max_tokens: int
    temperature: float = 0.0
    tools: tuple[ToolSpec, ...] = ()
    schema: JsonSchema | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer. One delta may carry many tokens: all that had arrived when we looked."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More of the model's reasoning, where the provider separates it. Never shown, kept in the record."""

    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """The model has not begun, and why: one short phrase for the user ("queued behind 2 others")."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last delta of every stream that ends well. Token counts are 0 where the provider does not tell."""

    reason: Literal["stop", "length", "tool_calls"]
    prompt_tokens: int = 0
    completion_tokens: int = 0


Delta = TextDelta | ThinkingDelta | ToolCall | Notice | Finished


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this model can do. `context_length` is the largest `num_ctx` it accepts, in tokens; 0 = unknown."""

    tools: bool = False
    vision: bool = False
    thinking: bool = False
    context_length: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the model can answer now, in one sentence that also says what to do if it cannot.

    `state` is `loading` while weights are fetched or loaded (a request waits for it), `failed` when waiting is no use.
    """

    state: Literal["ready", "loading", "failed"]
    detail: str


class Model(Protocol):
    """A language model behind one provider. Constructors do no I/O; `async with` opens and closes.

    `provider` and `name` are what page, log and record say answered, e.g. `ollama` and `qwen3:8b`.
    """

    @property
    def provider(self) -> str: ...

    @property
    def name(self) -> str: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    async def capabilities(self) -> Capabilities:
        """Cached after the first success. Raises ModelError when the provider cannot be asked."""
        ...

    async def health(self) -> Health:
        """Never raises; may ask the provider, within 3 seconds."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield deltas, ending with exactly one `Finished`.

        Raises ModelError (see bot.errors) for anything that goes wrong, before or during the stream. Closing the
        generator (use `contextlib.aclosing`) or cancelling the task stops the generation and frees its connection.
        """
        ...


@dataclass(slots=True)
class Collected:
    """A finished stream in one piece, for callers that do not show it while it grows."""

    text: str = ""
    thinking: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    finished: Finished | None = None

    def add(self, delta: Delta) -> None:
        match delta:
            case TextDelta(text):
                self.text += text
            case ThinkingDelta(text):
                self.thinking += text
            case ToolCall():
                self.calls.append(delta)
            case Finished():
                self.finished = delta
            case Notice():
                pass

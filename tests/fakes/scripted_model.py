"""A Model that says what a test wrote down: for tests of what stands above the models."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Self

from bot.models.model import Capabilities, Delta, Finished, Health, Notice, Request, TextDelta, ThinkingDelta, ToolCall

Item = str | Delta | BaseException | asyncio.Event
"""A text is a TextDelta, an exception is raised, an event is waited for."""
Script = Sequence[Item]
FUNCTION_CALLING = Capabilities(tools=True, context_length=8192)


def echo(request: Request) -> Script:
    """An answer that repeats the last message."""
    return [f"You said: {request.messages[-1].text}"]


class ScriptedModel:
    """Answers with the queued scripts in turn, then with what `answer` makes of a request."""

    provider = "scripted"
    name = "script-1"

    def __init__(
        self,
        *scripts: Script,
        answer: Callable[[Request], Script] | None = None,
        capabilities: Capabilities = FUNCTION_CALLING,
    ) -> None:
        self._scripts = deque(scripts)
        self._answer = answer
        self._capabilities = capabilities
        self.requests: list[Request] = []
        self.open_streams = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self.open_streams == 0, "a stream was left open"

    async def capabilities(self) -> Capabilities:
        return self._capabilities

    async def health(self) -> Health:
        return Health("ready", "scripted")

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        self.requests.append(request)
        script = self._scripts.popleft() if self._scripts else self._answer(request) if self._answer else None
        assert script is not None, f"no script is left for {request.messages[-1]}"
        self.open_streams += 1
        try:
            async for delta in _played(script):
                yield delta
        finally:
            self.open_streams -= 1


async def _played(script: Script) -> AsyncGenerator[Delta, None]:
    called = False
    for item in script:
        match item:
            case str():
                yield TextDelta(item)
            case BaseException():
                raise item
            case asyncio.Event():
                await item.wait()
            case TextDelta() | ThinkingDelta() | Notice() | Finished():
                yield item
            case ToolCall():
                called = True
                yield item
    if not any(isinstance(item, Finished) for item in script):
        yield Finished("tool_calls" if called else "stop", prompt_tokens=10, completion_tokens=5)

"""A language model whose calls are timed and counted."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self

from bot.models.model import Capabilities, Delta, Finished, Health, Model, Notice, Request
from bot.observing.metrics import Metrics


class ObservedModel:
    """See bot.models.model.Model."""

    def __init__(self, model: Model, metrics: Metrics) -> None:
        self._model = model
        self._metrics = metrics

    @property
    def provider(self) -> str:
        return self._model.provider

    @property
    def name(self) -> str:
        return self._model.name

    async def __aenter__(self) -> Self:
        await self._model.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._model.__aexit__(*exc_info)

    async def capabilities(self) -> Capabilities:
        return await self._model.capabilities()

    async def health(self) -> Health:
        return await self._model.health()

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        began, begun, result = time.monotonic(), False, "broken off"
        try:
            async with aclosing(self._model.stream(request)) as deltas:
                async for delta in deltas:
                    if not begun and not isinstance(delta, Notice):
                        begun = True
                        self._metrics.stages.add(time.monotonic() - began, "model_first_token")
                    if isinstance(delta, Finished):
                        result = "ok"
                        self._count(delta)
                    yield delta
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:
            result = type(error).__name__
            raise
        finally:
            seconds = time.monotonic() - began
            self._metrics.model.add(seconds, self.provider, result)
            self._metrics.stages.add(seconds, "model")

    def _count(self, finished: Finished) -> None:
        self._metrics.tokens.add(self.provider, "prompt", amount=finished.prompt_tokens)
        self._metrics.tokens.add(self.provider, "completion", amount=finished.completion_tokens)

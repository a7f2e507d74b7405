"""The models that single agents name, besides the configured one."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Self

from bot.errors import ModelNotFound
from bot.models.model import Model

BuildModel = Callable[[str], Model]
"""A model by its name, not opened yet. Raises ModelError when there can be none of that name."""


def none_besides(name: str) -> Model:
    raise ModelNotFound(f"there is no model {name} besides the configured one")


class NamedModels:
    """Built and opened when an agent first needs one, kept, and closed together."""

    def __init__(self, build: BuildModel = none_besides) -> None:
        self._build = build
        self._opened: dict[str, Model] = {}
        self._opening = asyncio.Lock()
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._closing.aclose()

    async def get(self, name: str) -> Model:
        """Raises ModelError; then the next call tries again."""
        async with self._opening:
            if name not in self._opened:
                self._opened[name] = await self._closing.enter_async_context(self._build(name))
            return self._opened[name]

"""Telling the open pages which model answers and how it is."""

import asyncio
from typing import Protocol

from bot.platforms.web.frames import Status
from bot.platforms.web.hub import Hub

READY_SECONDS = 15.0
NOT_READY_SECONDS = 1.0
"""Between two looks at a model; none is taken while no page is open."""


class Health(Protocol):
    """`state` is ready, loading or failed; `detail` a sentence that says more."""

    @property
    def state(self) -> str: ...

    @property
    def detail(self) -> str: ...


class Answering(Protocol):
    """What the page tells of a bot.models.model.Model."""

    @property
    def provider(self) -> str: ...

    @property
    def name(self) -> str: ...

    async def health(self) -> Health:
        """Never raises."""
        ...


def model_name(model: Answering) -> str:
    return f"{model.provider}/{model.name}"


async def watch_model(model: Answering, hub: Hub) -> None:
    """Runs until cancelled."""
    while True:
        await hub.occupied.wait()
        health = await model.health()
        hub.tell_model(_status(model, health))
        await asyncio.sleep(READY_SECONDS if health.state == "ready" else NOT_READY_SECONDS)


def _status(model: Answering, health: Health) -> Status:
    return Status(state="model", model=model_name(model), health=health.state, text=health.detail)

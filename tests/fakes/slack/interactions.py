"""What a person did to the app (a command, a click, a shortcut) and everything that came of it, to wait for."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack.delivery import Delivery
from tests.fakes.slack.refusals import Json
from tests.fakes.slack.response_urls import ResponseUrl
from tests.fakes.slack.state import Message, block_texts


@dataclass(frozen=True, slots=True, eq=False)
class Interaction:
    """One command, click or shortcut on its way to the app."""

    delivery: Delivery
    url: ResponseUrl

    @property
    def ack_seconds(self) -> float | None:
        """How long the acknowledgement took; None while there is none."""
        return self.delivery.attempts[0].seconds if self.delivery.acknowledged else None

    @property
    def ack_body(self) -> Any:
        return self.delivery.attempts[0].body

    @property
    def failed(self) -> bool:
        """The person sees "operation_timeout" or "dispatch_failed"."""
        return self.delivery.lost

    @property
    def posts(self) -> list[Json]:
        """What came to its response_url."""
        return self.url.posts

    @property
    def messages(self) -> list[Message]:
        """The messages that its response_url made or changed."""
        return self.url.shown

    @property
    def shown(self) -> list[str]:
        """What the person reads in answer: the acknowledgement's text, then the response_url's messages."""
        said = _read(self.ack_body) if self.delivery.acknowledged else ""
        return [*([said] if said else []), *(message.shown for message in self.messages)]

    async def acknowledged(self) -> float:
        """Wait for the acknowledgement; its seconds. Raises AssertionError when the person sees a failure."""
        await self._until(lambda: self.delivery.acknowledged or self.delivery.lost)
        assert self.ack_seconds is not None, f"not acknowledged: {self.delivery.attempts}"
        return self.ack_seconds

    async def answered(self, number: int = 1) -> list[str]:
        """Wait until the person has read so many answers; all of them."""
        await self._until(lambda: len(self.shown) >= number)
        return self.shown

    async def _until(self, condition: Callable[[], object]) -> None:
        await self.url.team.hub.changes.until(condition)


def _read(body: Any) -> str:
    """What an acknowledgement shows: a text, or JSON of a message with text or blocks."""
    if isinstance(body, str) and body.startswith("{"):
        body = json.loads(body)
    if not isinstance(body, dict):
        return body or ""
    return "\n".join(block_texts(body.get("blocks", []))) or body.get("text", "")

"""A slash command, an autocompletion or a click: what a person did, and what the bot answered."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord.pulse import Pulse
from tests.fakes.discord.state import LOADING, Channel, Json, Message, User

COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
PATIENCE = 10.0


@dataclass(slots=True, eq=False)
class Interaction:
    """`message` is the first answer, `followups` the later ones; ephemeral ones only this person sees."""

    id: int
    kind: int
    user: User
    channel: Channel
    created_at: float
    pulse: Pulse
    data: Json
    source: Message | None = None
    """The message whose button was clicked."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    callback: int | None = None
    """The type of the first response; None as long as there is none."""
    message: Message | None = None
    followups: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None

    @property
    def loading(self) -> bool:
        return self.message is not None and bool(self.message.flags & LOADING)

    async def acknowledged(self, *, seconds: float = PATIENCE) -> None:
        """Wait for the first response of any kind. Raises TimeoutError."""
        await self.pulse.until(lambda: self.callback is not None, seconds)

    async def answer(self, *, seconds: float = PATIENCE) -> Message:
        """The first answer, as soon as it has a content ("thinking…" is none). Raises TimeoutError."""
        await self.pulse.until(lambda: self.message is not None and not self.loading, seconds)
        assert self.message is not None
        return self.message

    async def followup(self, number: int = 1, *, seconds: float = PATIENCE) -> Message:
        """The n-th message after the first answer. Raises TimeoutError."""
        await self.pulse.until(lambda: len(self.followups) >= number, seconds)
        return self.followups[number - 1]

    async def completions(self, *, seconds: float = PATIENCE) -> list[Any]:
        """The values that an autocompletion offers. Raises TimeoutError."""
        await self.pulse.until(lambda: self.choices is not None, seconds)
        return [each["value"] for each in self.choices or []]

    def metadata(self, user: Json) -> Json:
        """What a message caused by this interaction tells of it."""
        found = {"id": str(self.id), "type": self.kind, "user": user, "authorizing_integration_owners": self.owners()}
        if self.source is not None:
            found["interacted_message_id"] = str(self.source.id)
        return found

    def owners(self) -> dict[str, str]:
        return {"0": str(self.channel.guild.id if self.channel.guild else 0)}

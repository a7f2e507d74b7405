"""Every object that comes in or goes out is held against Discord's description; what differs is remembered."""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord.calls import Call
from tests.fakes.discord.errors import DiscordError, invalid
from tests.fakes.discord.schema import discords_own


@dataclass(slots=True)
class Validation:
    violations: list[str] = field(default_factory=list)
    """The client's mistakes, and the server's own."""

    @property
    def active(self) -> bool:
        return discords_own() is not None

    def incoming(self, call: Call) -> None:
        """Raises 50035 for a body that is not what the description asks for."""
        schema = discords_own()
        if schema is None or call.body is None:
            return
        error = schema.request_error(call.route.method, call.route.path, call.body)
        if error is not None:
            raise self.refused(f"{call.route.method} {call.route.path}: request {error}")

    def answer(self, call: Call, status: int, body: Any) -> None:
        schema = discords_own()
        if schema is None:
            return
        error = schema.response_error(call.route.method, call.route.path, status, body)
        if error is not None:
            self.violations.append(f"{call.route.method} {call.route.path}: the fake's own answer {error}")

    def outgoing(self, name: str, value: Any) -> None:
        """An object of the gateway, such as a MessageResponse."""
        schema = discords_own()
        error = schema.object_error(name, value) if schema is not None else None
        if error is not None:
            self.violations.append(f"gateway: the fake's own {name} {error}")

    def guild(self, created: Any) -> None:
        self.outgoing("GuildResponse", created)
        for name, schema in (("channels", "GuildChannelResponse"), ("threads", "ThreadResponse")):
            for each in created[name]:
                self.outgoing(schema, each)
        for each in created["members"]:
            self.outgoing("GuildMemberResponse", each)

    def interaction(self, created: Any) -> None:
        """Discord describes its parts only."""
        parts = (("member", "PrivateGuildMemberResponse"), ("user", "UserResponse"), ("message", "MessageResponse"))
        for name, schema in parts:
            if name in created:
                self.outgoing(schema, created[name])

    def refused(self, violation: str) -> DiscordError:
        """Remember a client's mistake; the error to answer it with."""
        self.violations.append(violation)
        return invalid("body", "SCHEMA", violation)

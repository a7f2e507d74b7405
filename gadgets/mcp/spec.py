"""What the operator says of a gadget server."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gadgets.roles import Role

MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of one message; to read it holds up the event loop for some hundredths of a second."""
HIDDEN = "•••"
MIN_SECRET = 4
"""Characters; a shorter value, such as `1`, is no secret and would be found everywhere."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program that is started and spoken to over its standard input and output. `env` is added to its environment."""

    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """A server that is spoken to over HTTP ("streamable HTTP"). `headers` go with every request."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """One server. `name` has letters and digits only: what its gadgets are called begins with it.

    `tools` are the ones that become gadgets, none for all of them; `timeout` is for one call, in seconds; `cache_ttl`
    is for how many seconds a result may be given again to the same question. `approve` are the tools of which each
    call has to be approved: all of them, none, or those named.
    """

    name: str
    reach: Command | Address
    allow: Role = "everyone"
    tools: tuple[str, ...] = ()
    timeout: float = 30.0
    cache_ttl: float = 0.0
    approve: bool | tuple[str, ...] = False

    def asks_before(self, tool: str) -> bool:
        """Whether a call of this tool of the server has to be approved."""
        return self.approve if isinstance(self.approve, bool) else tool in self.approve

    def hide(self, text: str) -> str:
        """The text without the values that only the server is to know."""
        values = self.reach.env.values() if isinstance(self.reach, Command) else self.reach.headers.values()
        for value in (each.removeprefix("Bearer ") for each in values):
            if len(value) >= MIN_SECRET:
                text = text.replace(value, HIDDEN)
        return text

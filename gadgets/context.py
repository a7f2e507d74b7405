"""What a gadget is given beside its arguments."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class Context:
    """A gadget's surroundings during one call.

    `http` is the application's one session; a gadget never closes it. `user` is the asker's platform and immutable
    id, e.g. `discord:123`. `settings` is the gadget's own settings model, validated: `[gadgets.<name>]`.
    """

    http: "aiohttp.ClientSession"
    user: str
    settings: Any

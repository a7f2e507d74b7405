"""What a gadget is given beside its arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who makes a gadget run, and where.

    `user` is the asker's platform and immutable id, e.g. `discord:123`. `conversation` is the conversation's id and
    `turn` the number of the turn, empty and 0 where there is none. `state` is what the gadget's family has kept about
    this conversation: an object that JSON can hold, empty at first.
    """

    user: str
    conversation: str = ""
    turn: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Effects:
    """What a call changes beside giving a result; see `Context`."""

    state: dict[str, Any] | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """A gadget's surroundings during one call.

    `http` is the application's one session; a gadget never closes it. `settings` is the gadget's own settings model,
    validated: `[gadgets.<name>]`. The rest is the call's `Occasion`.
    """

    http: "aiohttp.ClientSession"
    settings: Any
    occasion: Occasion
    effects: Effects = field(default_factory=Effects)

    @property
    def user(self) -> str:
        return self.occasion.user

    @property
    def conversation(self) -> str:
        return self.occasion.conversation

    @property
    def turn(self) -> int:
        return self.occasion.turn

    @property
    def state(self) -> Mapping[str, Any]:
        return self.occasion.state

    def keep(self, state: Mapping[str, Any]) -> None:
        """Replace what the gadget's family keeps about this conversation; it is stored together with the result.

        Only a gadget that says under which name (`@gadget(keeps="…")`) may, and a call that fails keeps nothing.
        """
        self.effects.state = dict(state)

    def complete(self) -> None:
        """The conversation is completed with the turn that is running, once it is answered."""
        self.effects.ends = True

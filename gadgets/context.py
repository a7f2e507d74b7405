"""What a gadget is given beside its arguments."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gadgets.errors import GadgetFailed
from gadgets.roles import Role

if TYPE_CHECKING:
    import aiohttp


TOO_LONG = "That is too long for me to work on at once; a shorter piece of it would do."


@dataclass(frozen=True, slots=True)
class Asked:
    """What the language model answered, whether it came to an end, and what that cost in tokens."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    whole: bool = True


AskModel = Callable[[str, str], Awaitable[Asked]]
"""Asks the model that answers the turn: instructions, which come from a gadget alone, and a text, which is data. Raises
GadgetFailed."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a user wanted to be remembered. `day` is the date (UTC) on which it was, e.g. `2026-11-22`."""

    text: str
    day: str


class Notes(Protocol):
    """The notes of one user."""

    async def add(self, text: str) -> Literal["added", "known", "full"]:
        """Keep a text, unless it is kept already, or there is no room for more."""
        ...

    async def all(self) -> Sequence[Note]:
        """The newest first."""
        ...


NotesOf = Callable[[str], Notes]
"""The notes of a user, e.g. of `discord:123`."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who makes a gadget run, and where.

    `user` is the asker's platform and immutable id, e.g. `discord:123`. `conversation` is the conversation's id and
    `turn` the number of the turn, empty and 0 where there is none. `state` is what the gadget's family has kept about
    this conversation: an object that JSON can hold, empty at first. `role` is the asker's when the message was taken
    in. `ask` asks the turn's model, where there is one. `said` is the message and what came just before it, empty
    where that is not known.
    """

    user: str
    conversation: str = ""
    turn: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)
    role: Role = "everyone"
    ask: AskModel | None = field(default=None, compare=False, repr=False)
    said: str = field(default="", repr=False)


@dataclass(slots=True)
class Effects:
    """What a call changes, and costs, beside giving a result; see `Context`."""

    state: dict[str, Any] | None = None
    shown: str = ""
    ends: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0


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
    notes_of: NotesOf | None = field(default=None, repr=False)

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

    @property
    def notes(self) -> Notes:
        """What the asker wanted to be remembered; nobody else's. Raises GadgetFailed where nothing can be."""
        if self.notes_of is None or not self.user:
            raise GadgetFailed("Notes cannot be kept here.")
        return self.notes_of(self.user)

    async def ask(self, system: str, text: str) -> str:
        """What the turn's language model makes of a text. It counts as the turn's own tokens.

        `system` is the gadget's, `text` is data. Raises GadgetFailed when the text is too long or the model fails.
        """
        if self.occasion.ask is None:
            raise GadgetFailed("No language model can be asked here.")
        asked = await self.occasion.ask(system, text)
        self.effects.prompt_tokens += asked.prompt_tokens
        self.effects.completion_tokens += asked.completion_tokens
        if not asked.whole:
            raise GadgetFailed(TOO_LONG)
        return asked.text

    def keep(self, state: Mapping[str, Any]) -> None:
        """Replace what the gadget's family keeps about this conversation; it is stored together with the result.

        Only a gadget that says under which name (`@gadget(keeps="…")`) may, and a call that fails keeps nothing.
        """
        self.effects.state = dict(state)

    def show(self, text: str) -> None:
        """Show this Markdown behind the answer, letter by letter: for what no model may change or leave out."""
        self.effects.shown = text

    def complete(self) -> None:
        """The conversation is completed with the turn that is running, once it is answered."""
        self.effects.ends = True

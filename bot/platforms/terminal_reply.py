"""One answer in the terminal."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from bot.errors import PlatformGone
from bot.platforms.platform import ApprovalRef, Final, TurnRef
from bot.platforms.terminal_screen import Screen

HINT = "Answer with /mission approve or /mission decline."


class Attendant(Protocol):
    """Whoever waits for the answers."""

    @property
    def attends(self) -> bool:
        """Whether answers may grow on the screen now: nobody is typing."""
        ...

    def ended(self, turn: int, final: Final | None) -> None:
        """A turn's answer is shown, or, with None, cannot be."""
        ...

    def asks(self, turn: int) -> None:
        """A turn has asked something, which waits for an answer."""
        ...

    async def above(self, show: Callable[[], None]) -> None:
        """Print something while somebody may be typing."""
        ...


class TerminalReply:
    """Only what was asked in this run grows on the screen; the rest is shown whole at its end."""

    def __init__(self, attendant: Attendant, screen: Screen, turn: TurnRef, *, asked: bool) -> None:
        self._attendant = attendant
        self._screen = screen
        self._turn = turn
        self._asked = asked
        self._status = ""
        self._begun = False
        """Whether some of it is on the screen."""

    async def post(self, part: int, text: str, *, key: str) -> str:  # noqa: ARG002 - printing has no memory of keys
        self._show(text)
        return f"{self._turn.turn}.{part}"

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        await self.edit(0, remote_id, text)
        if self._grows and status != self._status:
            with self._telling_when_gone():
                self._screen.status(status)
            self._status = status
        return True

    async def ask(self, remote_id: str, text: str, approval: ApprovalRef) -> None:  # noqa: ARG002 - typed, not clicked
        await self._show_whole(f"{text}\n\n{HINT}", "A question in mission")
        self._attendant.asks(self._turn.turn)

    async def edit(self, part: int, remote_id: str, text: str) -> None:  # noqa: ARG002 - there is one part
        self._show(text)

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:  # noqa: ARG002 - there is one part
        await self._show_whole(final.text, "The answer that was interrupted, in mission")
        self._attendant.ended(self._turn.turn, final)

    @property
    def _grows(self) -> bool:
        return self._begun or (self._asked and self._attendant.attends)

    def _show(self, text: str) -> None:
        if self._grows:
            with self._telling_when_gone():
                self._screen.answer(text)
            self._begun = self._begun or text != ""

    async def _show_whole(self, text: str, what: str) -> None:
        """To the end of an answer or question, from where it is on the screen. `what` introduces one that is not."""
        with self._telling_when_gone():
            if self._grows:
                self._print(text)
            else:
                await self._attendant.above(lambda: self._print(text, f"{what} {self._turn.conversation}:"))

    def _print(self, text: str, note: str = "") -> None:
        if note:
            self._screen.note(note)
        self._screen.answer(text)
        self._screen.end()

    @contextmanager
    def _telling_when_gone(self) -> Iterator[None]:
        """The core hears of it by the exception; whoever waits for the answer has to hear of it too."""
        try:
            yield
        except PlatformGone:
            self._attendant.ended(self._turn.turn, None)
            raise

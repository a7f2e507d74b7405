"""An answer as it grows: the lines of a response folded into deltas. Pure: no I/O."""

import logging
from abc import ABC, abstractmethod

from bot.errors import ModelBroken, ModelError
from bot.models.model import Delta, Finished, TextDelta, ThinkingDelta, ToolCall
from bot.models.payload import mended
from bot.models.peer import Peer

_UNREADABLE = (ValueError, RecursionError)
_said = logging.getLogger(f"content.{__name__}")


class Answer(ABC):
    """Folds the lines of one response into deltas; neighbouring pieces of text become one.

    `over` turns true when the model has said everything; lines after that carry at most the token counts.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.over = False
        self.size = 0
        self._deltas: list[Delta] = []
        self._parts: list[str] = []
        self._kind: type[TextDelta | ThinkingDelta] = TextDelta

    @abstractmethod
    def feed(self, line: bytes) -> None:
        """Take in one line. Raises ValueError when it is not this protocol, ModelError when it reports one."""

    @abstractmethod
    def end(self) -> Finished:
        """How the answer ended; valid once it is over."""

    def say(self, kind: type[TextDelta | ThinkingDelta], text: str) -> None:
        if kind is not self._kind:
            self._merge()
            self._kind = kind
        self._parts.append(text)
        self.size += len(text)

    def call(self, call: ToolCall) -> None:
        self._merge()
        self._deltas.append(call)

    def take(self) -> list[Delta]:
        """The deltas since the last time."""
        self._merge()
        deltas, self._deltas = self._deltas, []
        return deltas

    def fold(self, lines: list[bytes], most_chars: int) -> ModelError | None:
        """Take in all lines. An error is returned, not raised, so that the text before it is not lost."""
        try:
            for line in lines:
                try:
                    self.feed(line)
                except _UNREADABLE:
                    self.feed(mended(line))
        except ModelError as error:
            return error
        except _UNREADABLE as error:
            _said.debug("not a line of its protocol: %r", lines[:1])
            return self.peer.error(ModelBroken, f"sent what is not its protocol ({type(error).__name__})")
        if self.size > most_chars:
            return self.peer.error(ModelBroken, f"sent more than {most_chars} characters")
        return None

    def _merge(self) -> None:
        if self._parts:
            text = "".join(self._parts).replace("\0", "\ufffd")  # PostgreSQL's text cannot hold it
            self._deltas.append(self._kind(text))
            self._parts.clear()

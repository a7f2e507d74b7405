"""The terminal as a place to write answers to: text that only grows, and a status line that goes away again."""

import shutil
from typing import TextIO

from bot.errors import PlatformGone
from bot.platforms.terminal_text import DIM, ERASE_LINE, PLAIN, continuation, shown_of, status_line


class Screen:
    """`live`: a person looks on, so answers may grow and a status may come and go; else only answers are written."""

    def __init__(self, out: TextIO, notes: TextIO, *, live: bool) -> None:
        self.live = live
        self._out = out
        self._notes = notes
        self._shown = ""
        self._has_status = False

    def answer(self, text: str) -> None:
        """Show the whole answer so far. Raises PlatformGone when nobody reads any more."""
        text = shown_of(text)
        more = continuation(self._shown, text)
        if more is None:  # printed text cannot be recalled: begin again below it
            more = f"\n{text}"
        if more:
            self.status("")
            self._write(self._out, more)
            self._shown = text

    def status(self, text: str) -> None:
        """Replace the status line, which is only there until the answer begins."""
        if not self.live or self._shown:
            return
        line = status_line(text, shutil.get_terminal_size().columns) if text else ""
        if line or self._has_status:
            self._write(self._out, ERASE_LINE + line)
        self._has_status = bool(line)

    def end(self) -> None:
        """The answer is complete: the next thing begins on a new line."""
        self.status("")
        if self._shown:
            self._write(self._out, "\n\n" if self.live else "\n")
        self._shown = ""

    def note(self, text: str) -> None:
        """Tell something that is no answer: dimly to a person, on standard error otherwise."""
        self.status("")
        line = shown_of(text)
        self._write(self._notes, f"{DIM}{line}{PLAIN}\n" if self.live else f"{line}\n")

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError) as error:
            raise PlatformGone("The terminal is closed.") from error

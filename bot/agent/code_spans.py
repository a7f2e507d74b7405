"""Code in an answer, passed on as it is: inline code and fences, as CommonMark delimits them, and where they end.

Two differences, because a stream cannot look ahead as far as it likes: inline code that is left open ends with its
line, and a closing fence may be followed by a special token.
"""

import re

from bot.agent.markup import FENCE_CLOSED
from bot.agent.shown import Shown

LONGEST_RUN = 64
"""Backticks or tildes read as one run; longer runs are read in pieces."""

_EVENT = re.compile(r"[`\n]")
_RUN = re.compile(r"`{1,64}|~{1,64}")


def run_end(text: str, at: int, final: bool) -> int | None:
    """Where the run of backticks or tildes at `at` ends; None while it may go on."""
    found = _RUN.match(text, at)
    end = found.end() if found else at
    return None if end == len(text) and not final and end - at < LONGEST_RUN else end


class CodeSpan:
    """One piece of code, read after its opening run of `length` times `char`. `fence`: the run began its line.

    `ended`: what follows is text again. `starved`: more text is needed to go on.
    """

    __slots__ = ("_char", "_fence", "_in_info", "_length", "_shown", "ended", "starved")

    def __init__(self, shown: Shown, char: str, length: int, *, fence: bool) -> None:
        self.ended = False
        self.starved = False
        self._shown = shown
        self._char = char
        self._length = length
        self._fence = fence
        self._in_info = fence

    def read(self, text: str, at: int, final: bool) -> int:
        """Read on from `at`; returns how far it came: at least to the next run or line end, or as far as it may."""
        self.starved = False
        if self._in_info:
            return self._info(text, at)
        return self._fenced(text, at, final) if self._fence else self._inline(text, at, final)

    def _info(self, text: str, at: int) -> int:
        """The rest of the opening line; a backtick in it tells that backticks opened inline code after all."""
        newline, tick = text.find("\n", at), text.find("`", at) if self._char == "`" else -1
        ends = [end for end in (newline, tick) if end >= 0]
        end = min(ends, default=len(text))
        self._shown.add(text[at:end])
        self._in_info = not ends
        self._fence = self._fence and (tick < 0 or end != tick)
        return end

    def _inline(self, text: str, at: int, final: bool) -> int:
        found = _EVENT.search(text, at)
        begin = found.start() if found else len(text)
        self._shown.add(text[at:begin])
        if found is None or found[0] == "\n":
            self.ended = found is not None
            return begin
        end = run_end(text, begin, final)
        if end is None:
            return self._wait(begin)
        self.ended = end - begin == self._length
        self._shown.add(text[begin:end])
        return end

    def _fenced(self, text: str, at: int, final: bool) -> int:
        begin = text.find(self._char, at)
        self._shown.add(text[at:begin] if begin >= 0 else text[at:])
        if begin < 0:
            return len(text)
        end = run_end(text, begin, final)
        if end is None:
            return self._wait(begin)
        if end - begin >= self._length and self._shown.line_is_empty():
            if FENCE_CLOSED.undecided(text, end, final):
                return self._wait(begin)
            self.ended = bool(FENCE_CLOSED.match(text, end)) or (final and not text[end:].strip())
        self._shown.add(text[begin:end])
        return end

    def _wait(self, at: int) -> int:
        self.starved = True
        return at

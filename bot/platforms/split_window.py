"""What one part of a long Markdown text can hold: how far it reaches, what it reopens, what in it must stay whole."""

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

from bot.platforms.markdown_blocks import NOTHING, Fence, Kind, Line, Open, scan
from bot.platforms.markdown_spans import Span, continues, whole_spans

Length = Callable[[str], int]


class Place(NamedTuple):
    """Where a part begins and what is open there.

    `mid_line` tells that the cut before fell inside a line, `bare_until` where the overlong span ends that it fell in.
    """

    at: int
    inside: Open = NOTHING
    mid_line: bool = False
    bare_until: int = 0


class Window:
    """What can be seen of `text` from `place` on: twice the limit."""

    def __init__(self, text: str, place: Place, limit: int, length: Length) -> None:
        self.text, self.at, self.inside = text, place.at, place.inside
        self.end = min(len(text), place.at + 2 * limit + 1)
        self.content = place.at + len(seen := text[place.at : self.end]) - len(seen.lstrip())
        self._limit, self._length, self._bare_until = limit, length, place.bare_until
        self._reaches: dict[Fence | None, int] = {}
        self._spans: dict[int, list[Span]] = {}
        self._opening = self._reopened(place.mid_line)

    def part(self, end: int, fence: Fence | None) -> str:
        """The part that ends at `end`, with the lines that reopen and close what is cut."""
        closing = self._frame(fence)[1]
        return self._opening + self.text[self.at : end] + (f"\n{closing}" if closing else "")

    def closes(self, fence: Fence | None) -> bool:
        """Whether a part that ends inside `fence` gets a line that closes it."""
        return bool(self._frame(fence)[1])

    def reach(self, fence: Fence | None) -> int:
        """How far the text may go, so that it fits with the line that closes `fence`."""
        if fence not in self._reaches:
            closing = self._frame(fence)[1]
            self._reaches[fence] = self._find_reach(self._opening + (f"\n{closing}" if closing else ""))
        return self._reaches[fence]

    def stands_alone(self, start: int, stop: int, fence: Fence | None) -> bool:
        """Whether the text from `start` to `stop` fits into a part of its own."""
        text = "\n".join([line for line in self._frame(fence) if line] + [self.text[start:stop].rstrip()])
        return self._length(text) <= self._limit

    def span_at(self, at: int, block: Line) -> Span | None:
        """The span around `at` that must stay whole, in the paragraph that begins with `block`."""
        span = self._around(at, block)
        return span if span and self._length(self.text[slice(*span)]) <= self._limit else None

    def bare_until(self, at: int, block: Line) -> int:
        """Where the span ends that a cut at `at` falls into, in which no span is looked for any more."""
        span = self._around(at, block)
        return span[1] if span else self._bare_until

    def _frame(self, fence: Fence | None) -> tuple[str, str]:
        """The lines that reopen and close `fence`; empty where they would fill much of a part."""
        if fence is None or self._length(fence.closing) >= self._limit // 4:
            return "", ""
        wordy, terse, bare = fence.closing + fence.info, fence.closing + fence.language, fence.closing
        return next((line for line in (wordy, terse) if self._length(line) < self._limit // 4), bare), fence.closing

    def _reopened(self, mid_line: bool) -> str:
        if self.inside.fence:
            opening = self._frame(self.inside.fence)[0]
            return f"{opening}\n" if opening else ""
        header = self.inside.header
        first = next(scan(self.text, self.at, self.end, self.inside))
        if mid_line or first.kind is not Kind.ROW or self._length(header) >= self._limit // 2:
            return ""
        row = self.text[first.start : first.stop].rstrip()
        return f"{header}\n" if self._length(f"{header}\n{row}") <= self._limit else ""

    def _find_reach(self, added: str) -> int:
        room = self._limit - self._length(added)
        low, high = self.at, min(self.end, self.at + room)
        if self._length(self.text[low:high]) <= room:
            return high
        while high - low > 1:
            middle = (low + high) // 2
            fits = self._length(self.text[self.at : middle]) <= room
            low, high = (middle, high) if fits else (low, middle)
        return low

    def _around(self, at: int, block: Line) -> Span | None:
        if block.kind in {Kind.OPEN, Kind.CODE, Kind.CLOSE}:
            return None
        if block.start not in self._spans:
            self._spans[block.start] = self._spans_of(block)
        spans = self._spans[block.start]
        before = bisect_left(spans, (at, 0)) - 1
        return spans[before] if before >= 0 and spans[before][1] > at else None

    def _spans_of(self, block: Line) -> list[Span]:
        lines = scan(self.text, block.start, self.end, block.inside)
        before, stop = next(lines), self.end
        for line in lines:
            if not continues(before.kind, line.kind):
                stop = line.start
                break
            before = line
        start = max(block.start, self._bare_until)
        return [(start + first, start + last) for first, last in whole_spans(self.text[start:stop])]

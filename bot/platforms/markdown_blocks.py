"""The lines of a Markdown text: which are code, tables, headings, list items, and what is open before each of them.

After CommonMark 0.31 (fences, https://spec.commonmark.org/0.31.2/#fenced-code-blocks) and GitHub's tables
(https://github.github.com/gfm/#tables-extension-), reduced to what cutting and rewriting a chat message needs. One
deliberate difference: a fence may be indented at will, because models indent fences in lists in every way and chat
clients accept it.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple


class Kind(Enum):
    BLANK = auto()
    PROSE = auto()
    HEADING = auto()
    ITEM = auto()
    QUOTE = auto()
    OPEN = auto()
    CODE = auto()
    CLOSE = auto()
    HEADER = auto()
    DELIMITER = auto()
    ROW = auto()
    END = auto()


class Fence(NamedTuple):
    """An open code fence: what stands before the marker on its line (list markers as spaces), the marker, the rest."""

    lead: str
    marker: str
    info: str

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info.split() else ""

    @property
    def closing(self) -> str:
        return self.lead + self.marker

    def closed_by(self, line: str) -> bool:
        """Whether `line` is the closing fence; it may be indented by three spaces more than the opening one."""
        bare = line.lstrip(" \t>" if ">" in self.lead else " \t").rstrip()
        fitting = len(bare) >= len(self.marker) and not bare.strip(self.marker[0])
        return fitting and len(line) - len(line.lstrip(" \t>")) <= len(self.lead) + 3

    def left_by(self, line: str) -> bool:
        """Whether `line` stands outside the block quote that the fence is in."""
        return ">" in self.lead and not line.lstrip().startswith(">")


class Open(NamedTuple):
    """What a cut at some place leaves open: a code fence, or a table, known by its header and delimiter rows."""

    fence: Fence | None = None
    header: str = ""


class Line(NamedTuple):
    """One line from `start` to `stop`, its newline included; `inside` is what is open just before it."""

    kind: Kind
    start: int
    stop: int
    inside: Open


NOTHING = Open()

_FENCE = re.compile(
    r"(?P<lead>(?:[ \t]{0,3}> ?)*+[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)?)(?P<marker>`{3,}+|~{3,}+)(?P<info>.*)$"
)
_START = re.compile(
    r"[ \t]*+(?:(?P<quote>>)|(?P<item>(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$))|(?P<heading>#{1,6}+(?=[ \t]|$)))"
)
_KINDS = {"quote": Kind.QUOTE, "item": Kind.ITEM, "heading": Kind.HEADING}
_DELIMITER_CELL = re.compile(r"\s*:?-+:?\s*")
_PIPE = re.compile(r"(?<!\\)\|")


def scan(text: str, start: int = 0, end: int | None = None, inside: Open = NOTHING) -> Iterator[Line]:
    """The lines of `text[start:end]`, lazily, then one empty END line that tells what is still open."""
    end = len(text) if end is None else end
    before = Kind.BLANK
    while start < end:
        stop = text.find("\n", start, end) + 1 or end
        line = text[start:stop].rstrip()
        if inside.fence and inside.fence.left_by(line):
            inside = NOTHING
        kind, after = _classify(line, before, inside) or _table(text, line, stop, end) or (Kind.PROSE, NOTHING)
        yield Line(kind, start, stop, inside)
        start, inside, before = stop, after, kind
    yield Line(Kind.END, end, end, inside)


def fence_of(line: str) -> Fence | None:
    """The fence that `line` opens, if it opens one. The info string of a backtick fence holds no backtick."""
    found = _FENCE.match(line)
    if found is None or (found["marker"][0] == "`" and "`" in found["info"]):
        return None
    return Fence(re.sub(r"[^\s>]", " ", found["lead"]), found["marker"], found["info"].strip())


def cells(row: str) -> list[str]:
    """The cells of a table row, stripped; an escaped pipe does not separate."""
    inner = row.strip().lstrip("> \t").removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip() for cell in _PIPE.split(inner)]


def _classify(line: str, before: Kind, inside: Open) -> tuple[Kind, Open] | None:
    """The kind of `line` and what is open after it; None for prose that may yet be a table's header."""
    if inside.fence:
        return (Kind.CLOSE, NOTHING) if inside.fence.closed_by(line) else (Kind.CODE, inside)
    if not line:
        return Kind.BLANK, NOTHING
    if fence := fence_of(line):
        return Kind.OPEN, Open(fence=fence)
    if inside.header and "|" in line:
        return (Kind.DELIMITER if before is Kind.HEADER else Kind.ROW), inside
    started = _START.match(line)
    if started and not (started["quote"] and "|" in line):
        return _KINDS[started.lastgroup or ""], NOTHING
    return None


def _table(text: str, line: str, stop: int, end: int) -> tuple[Kind, Open] | None:
    """HEADER when the line after `line`, from `stop` on, is its delimiter row."""
    if "|" in line:
        newline = text.find("\n", stop, end)
        below = text[stop : end if newline < 0 else newline].rstrip()
        if _is_delimiter(below) and len(cells(below)) == len(cells(line)):
            return Kind.HEADER, Open(header=f"{line}\n{below}")
    return (Kind.QUOTE, NOTHING) if line.lstrip().startswith(">") else None


def _is_delimiter(line: str) -> bool:
    if "|" not in line or not set(line) <= set("|-: \t>"):
        return False
    return all(_DELIMITER_CELL.fullmatch(cell) for cell in cells(line))

"""Where a Markdown text can be cut between two lines, and how good a place each is."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from bot.platforms.markdown_blocks import NOTHING, Fence, Kind, Line, Open, scan
from bot.platforms.markdown_spans import continues


class Quality(IntEnum):
    """How good a place is to cut at; STRANDED leaves a heading or a table's header alone at the end."""

    STRANDED = 0
    CODE = 1
    LINE = 2
    GAP = 3
    BLOCK = 4
    PARAGRAPH = 5
    WHOLE = 6


class Cut(NamedTuple):
    """A place to cut: a part ends at `end` and closes `fence`; the text goes on at `resume`, inside `inside`.

    `bare_until` is where the overlong span ends that the cut falls into.
    """

    quality: Quality
    end: int
    resume: int
    fence: Fence | None
    inside: Open
    bare_until: int = 0


class Step(NamedTuple):
    """A line that is not blank (or the END), the one before it that is not, and whether blank ones lie between.

    `block` is the first line of the paragraph that `line` is in; `ended` and `content` are where the text of the line
    before and of `line` ends.
    """

    before: Line | None
    is_apart: bool
    line: Line
    block: Line
    ended: int
    content: int


def steps(text: str, start: int, end: int, inside: Open) -> Iterator[Step]:
    """The lines of `text[start:end]` that are not blank, lazily, and the END."""
    before = block = None
    ended, is_apart = start, False
    for line in scan(text, start, end, inside):
        content = line.start + len(text[line.start : line.stop].rstrip())
        if content == line.start and line.kind is not Kind.END:
            is_apart = True
            continue
        if before is None or block is None or is_apart or not continues(before.kind, line.kind):
            block = line
        yield Step(before, is_apart, line, block, ended, content)
        before, ended, is_apart = line, content, False


def cut_at(step: Step) -> Cut | None:
    """The cut before the line of `step`, if there may be one. A closing fence is replaced by the part's own."""
    if step.line.kind is Kind.CLOSE:
        return Cut(Quality.BLOCK, step.ended, step.line.stop, step.line.inside.fence, NOTHING)
    quality = _quality(step)
    if quality is None:
        return None
    return Cut(quality, step.ended, step.line.start, step.line.inside.fence, step.line.inside)


def _quality(step: Step) -> Quality | None:
    before, kind = step.before, step.line.kind
    if before is None or kind is Kind.DELIMITER or (kind is Kind.CODE and before.kind is Kind.OPEN):
        return None
    if kind is Kind.CODE:
        return Quality.GAP if step.is_apart else Quality.CODE
    if before.kind is Kind.HEADING or (before.kind is Kind.DELIMITER and kind is Kind.ROW):
        return Quality.STRANDED
    if step.is_apart:
        return Quality.PARAGRAPH
    if kind is Kind.ROW:
        return Quality.CODE
    return Quality.LINE if continues(before.kind, kind) else Quality.BLOCK

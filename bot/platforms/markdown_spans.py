"""What stands inside a Markdown paragraph and must stay in one piece: code spans, links, addresses, mentions.

After CommonMark 0.31 (https://spec.commonmark.org/0.31.2/#code-spans and #links). Every function here takes time
linear in the text, whatever the text.
"""

import re
from collections.abc import Iterator

from bot.platforms.markdown_blocks import Kind, Line, scan

Span = tuple[int, int]

_RUN = re.compile("`++")
_TOKEN = re.compile(
    r"\\[!-/:-@\[-`{-~]|`++|!?\[|\]|<(?:[a-zA-Z][a-zA-Z0-9+.-]*+:|[@#!:/])[^<>\s]*+>|https?://[^\s<>\]`|]++"
)
_TARGET = re.compile(
    r"\([ \t]*+(?:<[^<>\n]*+>|(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*+\))*+)"
    r"(?:\s++(?:\"[^\"\n]*+\"|'[^'\n]*+'|\([^()\n]*+\)))?+\s*+\)"
)
_BLOCKS = {Kind.PROSE, Kind.HEADING, Kind.ITEM, Kind.QUOTE, Kind.HEADER, Kind.ROW, Kind.DELIMITER}


def continues(before: Kind, kind: Kind) -> bool:
    """Whether a line of `kind` belongs to the same paragraph as the line before it."""
    if kind is Kind.PROSE:
        return before in {Kind.PROSE, Kind.ITEM, Kind.QUOTE}
    return kind is Kind.QUOTE and before is Kind.QUOTE


def whole_spans(text: str) -> list[Span]:
    """The outermost spans of one paragraph that must not be cut, in order, as (start, end)."""
    closers = _code_ends(text)
    found: list[Span] = []
    brackets: list[int] = []
    at = 0
    while token := _TOKEN.search(text, at):
        at = token.end()
        if token[0][0] == "`":
            at = closers.get(token.start(), at)
        if token[0] in {"[", "!["}:
            brackets.append(token.start())
        elif token[0] == "]":
            at = _link(text, at, brackets, found)
        elif token[0][0] in "<h" or at > token.end():
            found.append((token.start(), at))
    return found


def segments(text: str) -> Iterator[tuple[bool, str]]:
    """`text` in pieces, lazily, each with whether it is code; joined they are `text` again."""
    for is_code, start, stop in _paragraphs(text):
        if is_code:
            yield True, text[start:stop]
        else:
            yield from _inline(text[start:stop])


def _link(text: str, at: int, brackets: list[int], found: list[Span]) -> int:
    """Close a bracket just before `at`; where a target follows, all of it is one span, which swallows inner ones."""
    start = brackets.pop() if brackets else None
    target = _TARGET.match(text, at)
    if start is None or target is None:
        return at
    while found and found[-1][0] >= start:
        found.pop()
    found.append((start, target.end()))
    return target.end()


def _code_ends(text: str) -> dict[int, int]:
    """Where the code span that opens at a run of backticks ends: after the next run of the same length."""
    ends: dict[int, int] = {}
    next_of: dict[int, int] = {}
    for start, stop in reversed([run.span() for run in _RUN.finditer(text)]):
        if stop - start in next_of:
            ends[start] = next_of[stop - start]
        next_of[stop - start] = stop
    return ends


def _paragraphs(text: str) -> Iterator[tuple[bool, int, int]]:
    """Consecutive stretches of `text`: code blocks with their fences, and paragraphs."""
    first: Line | None = None
    before = Kind.BLANK
    for line in scan(text):
        is_code = line.kind not in _BLOCKS
        if first and not (is_code and first.kind not in _BLOCKS) and not continues(before, line.kind):
            yield first.kind not in _BLOCKS, first.start, line.start
            first = None
        first, before = first or line, line.kind
    if first and first.start < len(text):
        yield first.kind not in _BLOCKS, first.start, len(text)


def _inline(text: str) -> Iterator[tuple[bool, str]]:
    closers = _code_ends(text)
    done = at = 0
    while token := _TOKEN.search(text, at):
        at = token.end()
        if token[0][0] == "`" and token.start() in closers:
            at = closers[token.start()]
            yield False, text[done : token.start()]
            yield True, text[token.start() : at]
            done = at
    yield False, text[done:]

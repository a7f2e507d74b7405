"""A finished Markdown answer, cut into messages that a chat platform takes and that each render on their own.

A part is cut at the best place in its later half: between paragraphs, before a heading, list item or code block,
between lines, between sentences, at a space, between graphemes, in this order. Nothing that must stay whole is cut
unless it alone is longer than a part: links, addresses, code spans, lines of code, rows of tables. What a cut leaves
open is opened again: a code fence is closed and reopened with its language, a table gets its header once more.

Each part is decided from a window of twice the limit behind the place where it begins, so that the time is linear in
the text, and the first part of a growing text costs the same however long it grows.
"""

import re
from collections.abc import Iterator

from bot.platforms.graphemes import breaks_at
from bot.platforms.markdown_blocks import fence_of, scan
from bot.platforms.split_cuts import best_cut
from bot.platforms.split_window import Length, Place, Window

MIN_LIMIT = 16
"""The smallest limit that leaves room for text between the lines that are added."""

_BLANK_LINES = re.compile(r"(?:[^\S\n]*+\n)*+")
_INDENTATION = re.compile(r"[^\S\n]*+")


def split_markdown(text: str, limit: int, length: Length = len) -> list[str]:
    """Cut `text` into parts of at most `limit`, as `length` counts: at least one, `[""]` for a blank text.

    Without the lines added to close and reopen fences and to repeat table headers, the parts hold every character of
    `text` in order except white space next to the cuts. A text that fits comes back as it is, but for a code fence
    that it leaves open, which is closed. Fences and headers that would fill much of a part are not repeated.
    `length` is additive and counts at least 1 per code point (`len`, `utf16_length`, a count of bytes). Raises
    ValueError when `limit` is below `MIN_LIMIT`.
    """
    return list(_parts(text, limit, length)) or [""]


def first_part(text: str, limit: int, length: Length = len) -> str:
    """`split_markdown(text, limit, length)[0]`, looking only at the beginning.

    That is white space at the start and the `2 * limit + 1` characters behind it.
    """
    return next(_parts(text, limit, length), "")


def utf16_length(text: str) -> int:
    """The length in UTF-16 code units, as JavaScript counts; never less than the count of code points."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def _parts(text: str, limit: int, length: Length) -> Iterator[str]:
    if limit < MIN_LIMIT:
        raise ValueError(f"a part of {limit} is too short")
    place = _content(text, Place(0), limit)
    if place and _fits(text, limit, length):
        yield text
        return
    while place:
        window = Window(text, place, limit, length)
        cut = best_cut(window)
        yield window.part(cut.end, cut.fence)
        mid_line = "\n" not in text[cut.end : cut.resume]
        place = _content(text, Place(cut.resume, cut.inside, mid_line, cut.bare_until), limit)


def _fits(text: str, limit: int, length: Length) -> bool:
    if len(text) > limit or length(text) > limit:
        return False
    *_, end = scan(text)
    return end.inside.fence is None


def _content(text: str, place: Place, limit: int) -> Place | None:
    """`place` moved to where the text goes on: behind blank lines, and behind an indentation that means nothing there.

    Indentation stays in code and before a fence, whose lines keep their distance, unless it fills much of a part.
    """
    found = _BLANK_LINES.match(text, place.at)
    start = found.end() if found else place.at
    indented = _INDENTATION.match(text, start)
    stop = indented.end() if indented else start
    if stop == len(text):
        return None
    kept = place.inside.fence or fence_of(text[start : stop + limit].partition("\n")[0])
    if stop > start and (not kept or stop - start > limit // 4):
        start = stop if breaks_at(text, stop) else stop - 1
    return place._replace(at=start)

"""What the chat platforms' texts have in common: who is spoken to, titles, shortening. Pure functions."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator

from bot.platforms.graphemes import boundary_before
from bot.platforms.markdown_blocks import Kind, scan
from bot.platforms.markdown_spans import segments
from bot.platforms.splitting import utf16_length
from gadgets.text import clean

UNTITLED = "New mission"

MAX_LINE = 500
"""Characters of a line that are looked at for a title."""

_AFTER_MENTION = re.compile(r"\s*+[,:;\uff0c\uff1a]?\s*+")
_MARKERS = re.compile(r"(?:[\s>]*+(?:#{1,6}\s++|-#\s++|[-*+]\s++(?:\[[ xX]\]\s++)?|\d{1,9}[.)]\s++)?)*+")
_LINK = re.compile(r"!?\[([^\[\]]*+)\]\([^()\s]*+\)")
_EMPHASIS = re.compile(r"(\*\*|~~|\|\||(?<![\w*])\*)(?=\S)([^*~|]++)(?<=\S)\1")
_INVISIBLE = {"C", "M", "Z"}


def without_opening_mention(text: str, mention: re.Pattern[str], ids: Collection[str]) -> str:
    """`text` without the mentions of `ids` at its beginning, the comma or colon behind them, and one at its end.

    `mention` matches a mention, its first group being the id. Mentions of others stay.
    """
    opening, end = _opening(text, mention)
    kept = [found[0] for found in opening if found[1] not in ids]
    if len(kept) < len(opening):
        text = " ".join([*kept, text[end:]])
    return _without_last(text.strip(), mention, ids)


def opens_for_others(text: str, mention: re.Pattern[str], ids: Collection[str]) -> bool:
    """Whether `text` begins with mentions of which none is of `ids`."""
    opening, _ = _opening(text, mention)
    return bool(opening) and not any(found[1] in ids for found in opening)


def title(text: str, limit: int) -> str:
    """The first line of `text` that says something, plain and in one line of at most `limit` UTF-16 units."""
    lines = (
        _plain(text[line.start : min(line.stop, line.start + MAX_LINE)]) for line in scan(text) if _speaks(line.kind)
    )
    return shortened(next((line for line in lines if _is_visible(line)), UNTITLED), limit)


def shortened(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units of `text`, cut at a space, or at least between graphemes, and marked with "…"."""
    if utf16_length(text) <= limit:
        return text
    end = limit - 1
    while (over := utf16_length(text[:end]) - limit + 1) > 0:
        end -= (over + 1) // 2
    space = text.rfind(" ", end // 2, end + 1)
    end = space if space > 0 else boundary_before(text, 0, end)
    return text[:end].rstrip() + "…"


def rewritten(text: str, rewrite: Callable[[str], str]) -> str:
    """`text` with `rewrite` applied to what is not code."""
    return "".join(piece if is_code else rewrite(piece) for is_code, piece in segments(text))


def beginning(pieces: Iterable[str], limit: int) -> str:
    """As many of `pieces` as the first part of at most `limit` depends on, joined."""
    return "".join(_until(pieces, 2 * limit + 1))


def _until(pieces: Iterable[str], size: int) -> Iterator[str]:
    seen = 0
    for piece in pieces:
        yield piece
        seen += len(piece) if seen else len(piece.lstrip())
        if seen > size:
            return


def _opening(text: str, mention: re.Pattern[str]) -> tuple[list[re.Match[str]], int]:
    found: list[re.Match[str]] = []
    at = len(text) - len(text.lstrip())
    while match := mention.match(text, at):
        found.append(match)
        after = _AFTER_MENTION.match(text, match.end())
        at = after.end() if after else match.end()
    return found, at


def _without_last(text: str, mention: re.Pattern[str], ids: Collection[str]) -> str:
    """Without a mention at the very end; a question mark or full stop behind it stays."""
    bare = text.rstrip("?!. ")
    start = bare.rfind("<")
    match = mention.fullmatch(bare, start) if start >= 0 else None
    if match is None or match[1] not in ids:
        return text
    return text[:start].rstrip().removesuffix(",") + text[len(bare) :].strip()


def _speaks(kind: Kind) -> bool:
    return kind not in {Kind.BLANK, Kind.OPEN, Kind.CLOSE, Kind.DELIMITER, Kind.END}


def _plain(line: str) -> str:
    """One line without Markdown's markers. Underscores stay: they are more often part of a name than emphasis."""
    line = _LINK.sub(r"\1", clean(line))
    marked = _MARKERS.match(line)
    line = _EMPHASIS.sub(r"\2", line[marked.end() if marked else 0 :].replace("`", ""))
    return " ".join(line.split())


def _is_visible(line: str) -> bool:
    return any(unicodedata.category(character)[0] not in _INVISIBLE for character in line)

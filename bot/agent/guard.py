"""Limits on what people write, before anything else reads it: characters that break a store or a screen, and length.

A text is clipped between user-perceived characters. The rules are a conservative part of Unicode's grapheme cluster
boundaries (UAX #29) that `unicodedata` suffices for: where in doubt, two characters are not parted.
"""

import re
import unicodedata
from dataclasses import dataclass

MAX_NAME = 80
"""Characters of a person's name that are kept."""

MAX_GRAPHEME = 64
"""Code points of one user-perceived character that are kept together; a longer one is made to break things."""

NOBODY = "somebody"
"""The name of a person whose own has nothing that can be seen."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b\u2028\u2029\u2060\ufeff]")
_JOINER = "\u200d"
_VIRAMA = 9
"""The canonical combining class of the signs that join an Indic consonant to the next."""

_SPACING_VOWELS = "\u0e33\u0eb3"
_REGIONAL = "".join(map(chr, range(0x1F1E6, 0x1F200)))
"""The letters A to Z of which two make a flag."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A text that can be stored, logged and shown. `clipped`: it was longer than allowed."""

    text: str
    clipped: bool


def sanitise(text: str, limit: int) -> Guarded:
    r"""`text` as valid Unicode with `\n` line ends, at most `limit` code points, cut between whole characters.

    Surrogates that are not a pair and NUL become U+FFFD (neither SQLite's text nor PostgreSQL's holds them faithfully);
    the other C0 control characters and DEL, except tab and line ends, are removed.
    """
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = without_controls(text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) <= limit:
        return Guarded(text, clipped=False)
    return Guarded(text[: _boundary(text, max(limit, 0))], clipped=True)


def without_controls(text: str) -> str:
    """Without C0 control characters and DEL, except tab and line ends; NUL becomes U+FFFD."""
    return _CONTROL.sub("", text.replace("\0", "\ufffd"))


def clean_name(name: str) -> str:
    """A person's name on one line, at most `MAX_NAME` characters, unable to turn the direction of the text around it.

    Never empty: what cannot be seen is called `NOBODY`.
    """
    text = sanitise(one_line(sanitise(name, 16 * MAX_NAME).text), MAX_NAME).text.rstrip()
    return text if any(unicodedata.category(char)[0] in "LNPS" for char in text) else NOBODY


def one_line(text: str) -> str:
    """`text` without what cannot be seen and what turns the direction of writing, its words parted by single spaces."""
    return " ".join(_INVISIBLE.sub(" ", _DIRECTION.sub("", text)).split())


def _boundary(text: str, limit: int) -> int:
    """The last place at or before `limit` where `text` may be cut."""
    for at in range(limit, max(limit - MAX_GRAPHEME, 0), -1):
        if not _joined(text, at):
            return at
    return 0 if limit < MAX_GRAPHEME else limit


def _joined(text: str, at: int) -> bool:
    """Whether the characters on both sides of `at` may belong to one user-perceived character."""
    before, after = text[at - 1], text[at]
    return (
        _extends(after)
        or before == _JOINER
        or unicodedata.combining(before) == _VIRAMA
        or (after in _REGIONAL and _splits_flag(text[:at]))
    )


def _extends(char: str) -> bool:
    """Combining marks and variation selectors, joiners, skin tones, tag letters, Hangul vowels and finals."""
    return (
        unicodedata.category(char) in ("Mn", "Mc", "Me")
        or char in "\u200c\u200d"
        or char in _SPACING_VOWELS
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or "\u1160" <= char <= "\u11ff"
    )


def _splits_flag(head: str) -> bool:
    """Regional indicators pair from the left, so an odd number of them at the end leaves half a flag."""
    return (len(head) - len(head.rstrip(_REGIONAL))) % 2 == 1

"""What people thought of answers, as earlier programs noted it: thumbs, words, stars.

| given | becomes |
|---|---|
| `true`, "good", "up", "like", "yes", "👍", … | 1 |
| `false`, "bad", "down", "dislike", "no", "👎", … | -1 |
| "neutral", "ok", … | 0 |
| -1, 0, 1 in a log whose numbers are all at most 1 | the same |
| a number in another log: of 5, 10 or 100, whichever is the first to hold all its numbers | by its share |
| "4/5" | by its share |

A share of at most 0.4 is bad (one or two stars of five), of 0.8 or more good (four or five), what is between is
neither; nor is 0, no star at all.
"""

import math
import re
from collections.abc import Iterable
from typing import Any, Literal

Thumb = Literal[-1, 0, 1]

TOPS = (1, 5, 10, 100)
BAD_UP_TO, GOOD_FROM = 0.4, 0.8
_WORDS: dict[Thumb, str] = {
    1: "good great positive up upvote like liked helpful yes true 👍 thumbs_up thumbs-up thumbsup",
    -1: "bad poor negative down downvote dislike disliked unhelpful no false 👎 thumbs_down thumbs-down thumbsdown",
    0: "neutral ok okay none",
}
_THUMBS = {word: thumb for thumb, words in _WORDS.items() for word in words.split()}
_EXACT: dict[float, Thumb] = {-1.0: -1, 0.0: 0, 1.0: 1}
_NUMBER = re.compile(r"[+-]?\d{1,3}(\.\d{1,9})?", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,9})?) ?/ ?(\d{1,3})", re.ASCII)


def top_of(values: Iterable[Any]) -> int:
    """What the numbers among a log's ratings count up to."""
    highest = max((number for value in values if (number := _number(value)) is not None), default=0.0)
    return next((top for top in TOPS if highest <= top), TOPS[-1])


def thumb(value: Any, top: int) -> Thumb | None:
    """1 (good), -1 (bad) or 0; None for what is not understood. `top`: see `top_of`."""
    if isinstance(value, bool):
        return 1 if value else -1
    number = _number(value)
    if number is not None:
        return _EXACT.get(number) if top == 1 or number < 0 else _of_share(number, top)
    return _of_word(value.strip().casefold()) if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= TOPS[-1] else None


def _of_share(number: float, top: float) -> Thumb | None:
    share = number / top if top else math.inf
    if number == 0:
        return 0
    return None if share > 1 else -1 if share <= BAD_UP_TO else 1 if share >= GOOD_FROM else 0


def _of_word(word: str) -> Thumb | None:
    if share := _SHARE.fullmatch(word):
        return _of_share(float(share[1]), float(share[2]))
    return _THUMBS.get(word)

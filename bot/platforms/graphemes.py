"""Where a text may be cut without cutting a character that a person sees as one (Unicode Standard Annex #29)."""

import re

from wcwidth import iter_graphemes

MAX_LOOK_BACK = 64
"""Characters before a place in which two plain ones are looked for, so that the search need not begin at the start."""

_PLAIN_PAIR = re.compile("[!-~\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff]{2}")


def breaks_at(text: str, at: int) -> bool:
    """Whether a character begins at `at`, given that the one before it is white space or punctuation."""
    if not 0 < at < len(text):
        return True
    pair = text[at - 1 : at + 1]
    return pair != "\r\n" if pair.isascii() else next(iter_graphemes(pair)) != pair


def boundary_before(text: str, start: int, at: int) -> int:
    """The last place not after `at` where a character ends; `at` where one character fills all from `start` on."""
    if at >= len(text):
        return len(text)
    near = max(start, at - MAX_LOOK_BACK)
    plain = _PLAIN_PAIR.search(text, near, at)
    ended = plain.start() + 1 if plain else start
    for cluster in iter_graphemes(text[ended : at + 1]):
        if ended + len(cluster) > at:
            break
        ended += len(cluster)
    return ended if ended > start else at

"""Text that comes from outside, made fit to be shown and to be read by a model."""

import re

CUT = "\n… [the rest was cut off]"
"""Marks a clipped text."""

MAX_EXCERPT = 80
"""Characters of somebody else's text that a sentence of ours quotes."""

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """Without control characters, bidirectional overrides and lone surrogates; newlines and tabs stay."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n"))


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, ending with the mark `CUT` where something is missing."""
    return text if len(text) <= limit else text[: limit - len(CUT)] + CUT


def excerpt(text: str) -> str:
    """A short, single-line piece of somebody else's text, to be quoted in a sentence."""
    line = " ".join(clean(text).split())
    return line if len(line) <= MAX_EXCERPT else line[: MAX_EXCERPT - 1] + "…"

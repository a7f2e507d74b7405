"""A server's words, made fit to be told to a model in a line of ours."""

import unicodedata
from typing import Any

from gadgets.text import clean

_BRACKETS = str.maketrans({"<": "(", ">": ")", "`": "'"})
"""Of markup, and of the marks that begin and end messages in many models' prompts; in code, too."""


def told(text: Any, limit: int) -> str:
    """At most `limit` characters on one line, without what cannot be seen and without anything like markup.

    A line cannot pretend to be another message or the end of a list; what it says in plain words it still says.
    """
    if not isinstance(text, str):
        return ""
    begun = clean(text[: 8 * limit])
    seen = "".join(each for each in begun if unicodedata.category(each) != "Cf")
    line = " ".join(seen.translate(_BRACKETS).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"

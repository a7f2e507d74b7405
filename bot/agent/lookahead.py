r"""Regular expressions over text that is still arriving.

A pattern that looks at the start of an unfinished text has three answers: it matches, it cannot match, or it needs more
text. The third is found with a second, softened expression in which every atom may also match the end of the text
(`ab?` becomes `(?:a|\Z)(?:b|\Z)?`): it matches the whole of a text exactly when some continuation of that text, or
the text itself, is matched by the original. While that holds, nothing is decided; once it does not, no later text can
change the answer. That is what makes the result the same however a text is cut into chunks.

Patterns are written in a small part of the syntax of `re`: literals, escapes, classes, groups, alternatives and
quantifiers. Assertions (`\b`, `$`, look-around) are not in it, because they look beyond what they match.
"""

import re

_ATOM = re.compile(
    r"\\u[0-9a-fA-F]{4}|\\.|\[\^?(?:\\.|[^\]\\])+\]|\(\?(?:P<\w+>|-?i:|:)|\{\d+,\d+\}|[()|?*+]|[^\\\[{]", re.DOTALL
)


def _soften(atom: re.Match[str]) -> str:
    text = atom[0]
    return text if text[0] in "()|?*+{" else rf"(?:{text}|\Z)"


class Lookahead:
    """A case-insensitive pattern that never looks further than `window` characters ahead."""

    __slots__ = ("_full", "_partial", "_window")

    def __init__(self, source: str, window: int) -> None:
        self._full = re.compile(source, re.IGNORECASE)
        self._partial = re.compile(_ATOM.sub(_soften, source), re.IGNORECASE)
        self._window = window

    def undecided(self, text: str, at: int, final: bool, limit: int | None = None) -> bool:
        """Whether more text could change what `match` says. `final`: no more text comes.

        `limit` is where looking ends whatever follows; by default only the window ends it.
        """
        end = at + self._window if limit is None else min(at + self._window, limit)
        return not final and len(text) < end and self._partial.fullmatch(text, at) is not None

    def match(self, text: str, at: int, limit: int | None = None) -> re.Match[str] | None:
        """The match that begins at `at`, once it is no longer undecided."""
        end = at + self._window if limit is None else min(at + self._window, limit)
        return self._full.match(text, at, end)

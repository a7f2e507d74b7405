"""Tool calls that a model prints as text: where their JSON ends."""

import re

from bot.agent.call_shapes import is_call_text
from bot.agent.lookahead import Lookahead

MAX_KEPT = 4_096
"""Characters of one call that are kept for the agent; a longer one is not shown either, but would not validate."""

_OUTSIDE = re.compile(r'["{}\[\]<`]')
_INSIDE = re.compile(r'["\\]')


class JsonSpan:
    """Finds the end of one JSON object or array by its brackets, reading every character once.

    A `<` or a backtick outside of strings is never JSON: it ends a value whose closing brackets were forgotten.
    """

    __slots__ = ("_depth", "_escaped", "_quoted", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def advance(self, text: str, at: int, limit: int) -> int:
        """Read on from `at`; returns where the value ends (then `closed`), or `limit`."""
        while at < limit and not self.closed:
            at = self._string(text, at, limit) if self._quoted else self._structure(text, at, limit)
        return at

    def _string(self, text: str, at: int, limit: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        found = _INSIDE.search(text, at, limit)
        if found is None:
            return limit
        self._escaped = found[0] == "\\"
        self._quoted = self._escaped
        return found.end()

    def _structure(self, text: str, at: int, limit: int) -> int:
        found = _OUTSIDE.search(text, at, limit)
        if found is None:
            return limit
        if found[0] in "<`":
            self.closed = True
            return found.start()
        self._quoted = found[0] == '"'
        self._depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found[0], 0)
        self.closed = self._depth == 0
        return found.end()


class PrintedCall:
    """One or more JSON values that are, or may be, a tool call, read as they arrive.

    `name`: the called name where it came before the JSON.
    `values`: the raw text of each, at most `MAX_KEPT` characters together. `ended`: the end was found. `whole`: what
    `after` demands to follow did follow.
    """

    def __init__(self, after: Lookahead, name: str = "") -> None:
        self.values = [""]
        self.ended = False
        self.whole = False
        self._starved = False
        self._after = after
        self._name = name
        self._span: JsonSpan | None = JsonSpan()
        self._room = MAX_KEPT

    def scan(self, text: str, at: int, final: bool, limit: int | None = None) -> int:
        """Read on from `at`, not beyond `limit`; returns how far it came. `final`: no text comes after `text`."""
        stop = len(text) if limit is None else min(len(text), limit)
        self._starved = False
        while at < stop and not self.ended and not self._starved:
            at = self._value(self._span, text, at, stop) if self._span else self._between(text, at, final, limit)
        self._conclude(text, at, final)
        return at

    def _value(self, span: JsonSpan, text: str, at: int, limit: int) -> int:
        stop = span.advance(text, at, limit)
        kept = text[at : min(stop, at + self._room)]
        self.values[-1] += kept
        self._room -= len(kept)
        if span.closed:
            self._span = None
        return stop

    def _between(self, text: str, at: int, final: bool, limit: int | None) -> int:
        if self._after.undecided(text, at, final, limit):
            self._starved = True
            return at
        found = self._after.match(text, at, limit)
        if found is not None and found.lastgroup == "more":
            self._span = JsonSpan()
            self.values.append("")
            return found.start("more")
        self.ended = True
        self.whole = found is not None or (final and not text[at:].strip())
        return found.end() if found else at

    def raw(self) -> list[str]:
        """The calls as the model wrote them; where it wrote the name before the JSON, both in one object."""
        values = [value.strip() for value in self.values if value]
        if not self._name:
            return values
        return [f'{{"name": "{self._name}", "arguments": {value}}}' for value in values]

    def _conclude(self, text: str, at: int, final: bool) -> None:
        """At the end of the answer nothing needs to follow any more."""
        if final and self._span is None and at == len(text) and not self.ended:
            self.ended = self.whole = True

    def is_call(self) -> bool:
        """Whether this is a tool call, by its shape; of an unfinished or malformed one by its beginning."""
        if self.ended and not self.whole:
            return False
        return all(map(is_call_text, self.values))

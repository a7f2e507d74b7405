"""What a call may use of others' results: `"$1"`, `"$PREVIOUS_RESULT"`, also within a text: `"translate: $1"`. Pure.

`$1` is the result of the first call of the same plan; `$PREVIOUS_RESULT` that of the call before, and for a plan's
first call the last result of the round before. What is put in is data: a reference in it stays the text that it is.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from bot.agent.protocols import Result, Round
from bot.agent.reference_names import PREVIOUS, SCALARS, WHOLE, WITHIN
from bot.models.model import ToolCall

MAX_REFERENCES = 8
"""In one call. A result has a bound of its own, so this bounds what they can grow to."""
MAX_NESTING = 4
"""Lists and objects within each other in which references are found; deeper ones are left as they are."""

Put = Callable[[str], str]
"""What stands in the place of a reference, given its name: `1` or `PREVIOUS_RESULT`."""


class BadReference(Exception):
    """A reference leads to no result. `retry`: another plan may do better."""

    def __init__(self, text: str, *, retry: bool = True) -> None:
        super().__init__(text)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Referring:
    """The last of the `rounds` as a plan whose calls refer to each other.

    `plain` is what looks like a reference and is none where it stands within a longer text: see `amounts`.
    """

    rounds: Sequence[Round]
    plain: frozenset[str] = frozenset()

    def needed(self, index: int) -> list[int]:
        """The calls of the plan whose results the call uses, each once. Raises BadReference."""
        names = self._names(index)
        if len(names) > MAX_REFERENCES:
            raise BadReference(f"A call can use {MAX_REFERENCES} results at most.")
        used = {self._used(index, name) for name in names}
        return sorted(each for each in used if each is not None)

    def resolved(self, index: int, schema: Mapping[str, Any]) -> ToolCall:
        """The call with the results in the places of its references; those it needs must be there.

        A result that is a number, true or false as JSON becomes one where the schema of the gadget's parameters wants
        one. Raises BadReference for a call that failed.
        """
        call = self._calls[index]
        properties = schema.get("properties", {})

        def put(name: str) -> str:
            return self._text(index, name)

        values = {
            name: _fitting(self._put(value, put), value, properties.get(name, {}))
            for name, value in call.arguments.items()
        }
        return call if values == call.arguments else replace(call, arguments=values)

    @property
    def _calls(self) -> Sequence[ToolCall]:
        return self.rounds[-1].calls

    def _names(self, index: int) -> list[str]:
        found: list[str] = []

        def note(name: str) -> str:
            found.append(name)
            return ""

        self._put(dict(self._calls[index].arguments), note, depth=-1)
        return found

    def _put(self, value: Any, put: Put, depth: int = 0) -> Any:
        """The value with what `put` gives in the place of every reference."""
        if isinstance(value, str):
            if whole := WHOLE.fullmatch(value):
                return put(whole[1])
            return WITHIN.sub(lambda found: put(found[1]) if self._is_meant(found) else found[0], value)
        if depth >= MAX_NESTING:
            return value
        if isinstance(value, list):
            return [self._put(each, put, depth + 1) for each in value]
        if isinstance(value, dict):
            return {name: self._put(each, put, depth + 1) for name, each in value.items()}
        return value

    def _is_meant(self, found: re.Match[str]) -> bool:
        """Whether this is a reference within a text, or an amount of money, as far as that can be known."""
        if found[1] == PREVIOUS:
            return True
        return len(self._calls) > 1 and int(found[1]) <= len(self._calls) and found[0] not in self.plain

    def _used(self, index: int, name: str) -> int | None:
        """The call of the plan that is meant; None for the last one of an earlier round."""
        if name == PREVIOUS and index == 0:
            if self._before() is None:
                raise BadReference(f"${PREVIOUS} cannot be used in the first call: nothing was called before it.")
            return None
        used = index - 1 if name == PREVIOUS else int(name) - 1
        if used >= len(self._calls):
            raise BadReference(f"${name} refers to no call: this plan has {len(self._calls)}.")
        if used == index:
            raise BadReference(f"${name} refers to the call in which it stands; a call can use earlier results only.")
        if used > index:
            raise BadReference(f"${name} refers to a later call; a call can use the results of earlier ones only.")
        return used

    def _before(self) -> Result | None:
        """The result of the last call that was made before this plan."""
        earlier = next((round_ for round_ in reversed(self.rounds[:-1]) if round_.results), None)
        return earlier.results[max(earlier.results)] if earlier else None

    def _text(self, index: int, name: str) -> str:
        used = self._used(index, name)
        result = self._before() if used is None else self.rounds[-1].results[used]
        assert result is not None
        if not result.ok:
            said = f"${name} cannot be used: {result.call.name} gave no result. So this call did not run."
            raise BadReference(said, retry=result.retry)
        return result.text


def amounts(said: str) -> frozenset[str]:
    """What a user's message has that looks like a reference, such as the price `$2`."""
    return frozenset(found[0] for found in WITHIN.finditer(said))


def _fitting(value: Any, written: Any, schema: Mapping[str, Any]) -> Any:
    """A text that came from a result, as what the parameter wants."""
    types = schema.get("type")
    wanted = {types} if isinstance(types, str) else set(types or ())
    if value == written or not isinstance(value, str) or not wanted & SCALARS:
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return read if isinstance(read, int) or (isinstance(read, float) and isfinite(read)) else value

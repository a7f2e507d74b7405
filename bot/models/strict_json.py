"""JSON that a model wrote, read strictly (RFC 8259): what could be read in two ways is not read at all. Pure: no I/O.

Refused beside what is no JSON: NaN and infinities, also written as a number that is too large; a key that is there
twice; half characters (lone surrogates); brackets beyond `MAX_DEPTH`, before the parser sees them.
"""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
"""Brackets within brackets; no call comes near it, and a deeper text is an attack on the parser."""


class NotStrict(ValueError):
    """The text is not strict JSON."""


def first_value(text: str) -> Any:
    """The first JSON array or object in the text, whatever stands around it. Raises ValueError."""
    start = re.search(r"[\[{]", text)
    if start is None:
        raise NotStrict("no JSON")
    _check(text, start.start())
    value, _ = _DECODER.raw_decode(text, start.start())
    return _storable(value)


def whole_value(text: str) -> Any:
    """The JSON value that the whole text is. Raises ValueError."""
    _check(text, 0)
    return _storable(_DECODER.decode(text))


def is_too_deep(value: Any) -> bool:
    """Whether there are values within values of this one beyond `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        nested = [each for each in level if isinstance(each, dict | list)]
        if not nested:
            return False
        level = [inner for each in nested for inner in (each.values() if isinstance(each, dict) else each)]
    return True


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*\\?(?:"|\Z)|[\[{\]}]', re.DOTALL)
"""A bracket, or a whole string, which may hold brackets of its own; an unclosed one reaches to the end."""


def _check(text: str, start: int) -> None:
    """Half characters could be neither stored nor sent on; the depth is bounded up to the end of the first value."""
    text.encode()
    depth = 0
    for token in _TOKEN.finditer(text, start):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > MAX_DEPTH:
            raise NotStrict("nested too deeply")
        if depth <= 0 and token[0][0] != '"':
            return


def _storable(value: Any) -> Any:
    json.dumps(value, ensure_ascii=False).encode()  # half characters written as \ud800 are in the value only
    return value


def _refuse_constant(name: str) -> Any:
    raise NotStrict(f"{name} is not JSON")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotStrict("a number is too large")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotStrict("a key is there twice")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_refuse_constant, parse_float=_number)

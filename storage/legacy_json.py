"""Reading the JSON of a log that some earlier program wrote: leniently, and so that nothing in it gets lost.

What JSON for others (https://www.rfc-editor.org/rfc/rfc8259) cannot say, and Python's `json` module writes all the
same, is taken as text: NaN and infinities, numbers too large to hold, halves of surrogate pairs (as the escape
sequence they were). Of a name that an object has twice, the earlier value is kept as `name (1)`.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import Any

from storage.errors import ImportRefused

MAX_BYTES = 500_000_000
"""Of a file that is read whole; what is read takes ten times its size in memory."""
MAX_DEPTH = 200
"""How deep lists and objects may be nested. What is kept of them is read again by programs that have a limit."""
MAX_DIGITS = 1000
"""Of a number that is kept as a number."""
_CUT_OFF = "The file ends in the middle: it was cut off. Get a whole copy of it."
_AT_END = re.compile(r"\s*|[\w\\+.-]{1,8}")  # nothing more, or the beginning of `true`, of an escape
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_NO_HALF = re.compile(  # as far as one gets without meeting half a pair: whole pairs, other escapes, other text
    r"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+"
)


def in_utf8(data: memoryview) -> memoryview:
    """The text of a file in UTF-8, -16 or -32, with a byte order mark or without. Raises ImportRefused."""
    encoding = json.detect_encoding(bytes(data[:4]))
    if encoding == "utf-8":
        return data
    if encoding == "utf-8-sig":
        return data[3:]
    return memoryview(_decoded(data, encoding).encode())


def parsed(data: memoryview) -> Any:
    """The value of a JSON text in UTF-8. Raises ImportRefused, with a sentence that says what to do."""
    if len(data) > MAX_BYTES:
        raise ImportRefused(
            f"The file is too large: {MAX_BYTES // 1_000_000} MB is the limit. Split its log into several."
        )
    text = _decoded(data, "utf-8")
    if not text.strip():
        raise ImportRefused("The file is empty: get another copy of it.")
    value = _parsed(_without_halves(text) if _HALF.search(text) else text)
    _require_shallow(value)
    return value


def _decoded(data: memoryview, encoding: str) -> str:
    try:
        return str(data, encoding)
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":  # half a character at the end
            raise ImportRefused(_CUT_OFF) from error
        raise ImportRefused("The file is not text in UTF-8 or UTF-16: save it as UTF-8 and import it again.") from error


def _without_halves(text: str) -> str:
    """Half a pair gets another backslash, so that it stands for its own six characters."""
    pieces, begin = [], 0
    while (whole := _NO_HALF.match(text, begin)) and _HALF.match(text, whole.end()):
        pieces += [whole[0], r"\\"]
        begin = whole.end() + 1
    return "".join([*pieces, text[begin:]])


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=lambda name: name
        )
    except json.JSONDecodeError as error:
        raise ImportRefused(_what_is_wrong(error)) from error
    except RecursionError as error:
        raise _too_deep() from error


def _what_is_wrong(error: json.JSONDecodeError) -> str:
    is_at_end = error.pos > 0 and _AT_END.fullmatch(error.doc, error.pos) and error.msg != "Extra data"
    if is_at_end or error.msg.startswith("Unterminated string"):  # which is reported where it begins
        return _CUT_OFF
    place = f"line {error.lineno}, column {error.colno}"
    return f"The file is not JSON: {error.msg}, {place}. Mend it there, or get another copy."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _with_repeated(pairs)


def _with_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    taken = {name for name, _ in pairs}
    numbers: defaultdict[str, Iterable[int]] = defaultdict(lambda: count(1))
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            other = next(free for number in numbers[name] if (free := f"{name} ({number})") not in taken)
            found[other] = found.pop(name)
        found[name] = value
    return found


def _float(literal: str) -> float | str:
    value = float(literal)
    return value if math.isfinite(value) else literal


def _integer(literal: str) -> int | str:
    return int(literal) if len(literal) <= MAX_DIGITS else literal


def _require_shallow(value: Any) -> None:
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _values(outer) if isinstance(inner, (dict, list))]
        if not level:
            return
    raise _too_deep()


def _values(outer: Any) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer


def _too_deep() -> ImportRefused:
    return ImportRefused(f"The file is nested too deeply: {MAX_DEPTH} lists and objects in each other are the limit.")

"""Pydantic's findings as one line each: `[discord] token: what is wrong and what to do`. No line shows a value."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from bot.settings import keys
from bot.settings.sources import Problem
from bot.settings.suggestion import suggestion

_TABLE = "must be a table of keys"
_PHRASES = {
    "missing": "is missing",
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "dict_type": _TABLE,
    "mapping_type": _TABLE,
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text (in quotes)",
    "tuple_type": 'must be a list such as ["a", "b"]',
    "list_type": 'must be a list such as ["a", "b"]',
    "literal_error": "must be one of {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "too_short": "must have at least {min_length} characters",
}


def from_pydantic(errors: Iterable[ErrorDetails]) -> Iterator[Problem]:
    for error in errors:
        place = tuple(each for each in error["loc"] if each != "[key]")
        context = error.get("ctx", {})
        if error["type"] == "keys":
            yield from (Problem((*place, *key.split(".")), text) for key, text in context["problems"].items())
        elif error["type"] == "extra_forbidden":
            yield _unknown(place, table=isinstance(error["input"], dict))
        else:
            yield Problem(place, _phrase(error, context))


def _unknown(place: tuple[str | int, ...], *, table: bool) -> Problem:
    path = tuple(str(each) for each in place)
    hint = suggestion(path[-1], keys.siblings(path))
    if len(path) == 1 and not table:
        return Problem(path[0], f"is not a known key{hint}")
    is_section = len(path) == 1 or (path[0] == "gadgets" and len(path) == 2)
    return Problem(place, f"is not a known {'section' if is_section else 'key'}{hint}")


def _phrase(error: ErrorDetails, context: Mapping[str, Any]) -> str:
    if context.get("min_length") == 1:
        return "must not be empty"
    template = _PHRASES.get(error["type"])
    plain = {
        name: int(each) if isinstance(each, float) and each.is_integer() else each for name, each in context.items()
    }
    return template.format(**plain) if template else error["msg"].removeprefix("Value error, ")


def lines(problems: Iterable[Problem], origins: Mapping[keys.Path, str]) -> list[str]:
    """Sorted, one line per place: the first problem of a place is the one to solve first."""
    first: dict[str, str] = {}
    for problem in problems:
        first.setdefault(_where(problem.place), f"{problem.text}{_origin(problem.place, origins)}")
    return [f"{where}: {text}" for where, text in sorted(first.items())]


def _where(place: tuple[str | int, ...] | str) -> str:
    if isinstance(place, str):
        return place
    names = [each for each in place if isinstance(each, str)]
    item = "".join(f" item {each + 1}" for each in place if isinstance(each, int))
    depth = 2 if names[:1] in (["agents"], ["gadgets"], ["mcp"]) else 1
    if len(names) == 1 and keys.find((names[0],)) is not None:
        return names[0]
    return " ".join([f"[{'.'.join(names[:depth])}]", *names[depth:]]) + item


def _origin(place: tuple[str | int, ...] | str, origins: Mapping[keys.Path, str]) -> str:
    path = tuple(each for each in place if isinstance(each, str)) if not isinstance(place, str) else ()
    name = next((origins[path[:end]] for end in range(len(path), 0, -1) if path[:end] in origins), "")
    return f" (set by {name})" if name else ""

"""Pydantic's findings as one plain sentence that a small model can act on."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from gadgets.text import excerpt

MAX_PROBLEMS = 3

_PHRASES = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode text",
    "list_type": "must be a list",
}


def sentence(gadget: str, parameters: Mapping[str, Any], problems: Sequence[ErrorDetails]) -> str:
    """What is wrong with a call of `gadget`, whose known `parameters` are named where the model missed one."""
    found = [_problem(each) for each in problems[:MAX_PROBLEMS]]
    missed = any(each["type"] in {"missing", "extra_forbidden"} for each in problems)
    known = ", ".join(f"`{name}`" for name in parameters)
    has = f" {gadget} has the parameters {known}." if known else f" {gadget} has no parameters."
    return f"Wrong arguments for {gadget}: {'; '.join(found)}.{has if missed else ''}"


def _problem(error: ErrorDetails) -> str:
    name, *inner = error["loc"] or ("arguments",)
    item = "".join(f" item {place + 1}" for place in inner if isinstance(place, int))
    where = f"`{excerpt(str(name))}`{item}"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "extra_forbidden":
        return f"{where} is not one of its parameters"
    return f"{where} {_PHRASES.get(error['type']) or _said(error['msg'])}"


def _said(message: str) -> str:
    return message.replace("Input should be", "must be").rstrip(".")

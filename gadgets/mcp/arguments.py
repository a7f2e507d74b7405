"""A model's arguments, checked against a server's JSON Schema before the server hears of them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped] # ships no types

from gadgets.errors import BadArguments
from gadgets.mcp.wording import told
from gadgets.problems import MAX_PROBLEMS
from gadgets.text import excerpt

MAX_PROBLEM = 160
"""Characters."""

_KINDS = {"integer": int, "number": int | float, "boolean": bool}


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one gadget, as its (reduced) schema has them."""

    gadget: str
    schema: dict[str, Any]

    def __call__(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments to send: a number or a truth value that was written as text is taken as one.

        Raises BadArguments with one sentence that names each problem.
        """
        if not isinstance(arguments, Mapping):
            raise BadArguments(f"The arguments of {self.gadget} must be a JSON object.")
        values = self._mended(arguments)
        errors = islice(Draft202012Validator(self.schema).iter_errors(values), MAX_PROBLEMS)
        if problems := [_problem(each) for each in errors]:
            known = ", ".join(f"`{excerpt(name)}`" for name in self.schema["properties"])
            has = f"has the parameters {known}" if known else "has no parameters"
            raise BadArguments(f"Wrong arguments for {self.gadget}: {'; '.join(problems)}. {self.gadget} {has}.")
        return values

    def _mended(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Small models write numbers as text, and an absent value as `null`, in words even."""
        properties, required = self.schema["properties"], self.schema.get("required", ())
        values: dict[str, Any] = {}
        for name, value in arguments.items():
            known = properties.get(name, {})
            if name in required or not (value is None and _refuses_null(known)):
                values[name] = _read(value, known)
        return values


def _refuses_null(schema: Mapping[str, Any]) -> bool:
    return isinstance(schema.get("type"), str) and schema["type"] != "null"


def _read(value: Any, schema: Mapping[str, Any]) -> Any:
    kind = _KINDS.get(schema["type"]) if isinstance(schema.get("type"), str) else None
    if kind is None or not isinstance(value, str):
        return value
    try:
        read = json.loads(value.strip().lower())
    except (ValueError, RecursionError):
        return value
    fits = isinstance(read, kind) and isinstance(read, bool) == (kind is bool) and -math.inf < read < math.inf
    return read if fits else value


def _problem(error: ValidationError) -> str:
    where = "".join(f"`{excerpt(str(each))}` " for each in error.absolute_path)
    return where + told(error.message, MAX_PROBLEM)

"""The arguments of a Web API call as clients send them: query string, form, multipart or JSON body, checked by kind.

Source: https://docs.slack.dev/apis/web-api/#basics. Arrays and objects in a form are JSON text, booleans also 0 and 1.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.slack.refusals import Json, Mistake

EVERYWHERE = {"token", "team_id"}
"""Arguments that clients may add to any call."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came in: `arguments` as sent (from a form all text), the token, and mistakes seen on the way."""

    arguments: Json
    token: str
    as_json: bool
    token_in_query: bool


@dataclass(frozen=True, slots=True)
class Field:
    kind: str = "str"
    required: bool = False


def fields(declared: str) -> Mapping[str, Field]:
    """`"channel! blocks:list limit:int"`: an exclamation mark for what is required, text unless a kind follows."""
    made: dict[str, Field] = {}
    for word in declared.split():
        name, _, kind = word.partition(":")
        made[name.rstrip("!")] = Field(kind or "str", required=name.endswith("!"))
    return made


async def read(request: web.Request) -> Sent:
    """Raises Mistake for a body that cannot be read."""
    query: Json = dict(request.query)
    as_json = request.content_type == "application/json" and request.can_read_body
    body = await _json(request) if as_json else dict(await request.post())
    header = request.headers.get("Authorization", "")
    scheme, _, bearer = header.partition(" ")
    inner = body.pop("token", None) or query.get("token", "")
    token = bearer if scheme.lower() == "bearer" else str(inner)
    found = {**query, **body}
    found.pop("token", None)
    return Sent(found, token.strip(), as_json, "token" in query)


async def _json(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Mistake("invalid_json", "the body is no JSON") from None
    if not isinstance(body, dict):
        raise Mistake("json_not_object", "the body is no JSON object")
    return body


def checked(sent: Json, known: Mapping[str, Field]) -> Json:
    """The arguments in their kinds; raises Mistake("invalid_arguments")."""
    for name in sorted(known.keys() - sent.keys()):
        if known[name].required:
            raise Mistake("invalid_arguments", f"missing required field: {name}")
    if unknown := sent.keys() - known.keys() - EVERYWHERE:
        raise Mistake("invalid_arguments", f"no such argument: {sorted(unknown)}")
    return {name: _converted(name, value, known[name].kind) for name, value in sent.items() if name in known}


def _converted(name: str, value: Any, kind: str) -> Any:
    try:
        return _CONVERSIONS[kind](value)
    except (ValueError, TypeError, KeyError):
        raise Mistake("invalid_arguments", f"must be a {kind} [json-pointer:/{name}]: {value!r}"[:300]) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _int(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return int(value)


def _bool(value: Any) -> bool:
    return {True: True, False: False, "1": True, "0": False, "true": True, "false": False}[value]


def _list(value: Any) -> list[Any]:
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, list):
        raise TypeError
    return found


def _dict(value: Any) -> Json:
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise TypeError
    return found


_CONVERSIONS: Mapping[str, Any] = {"str": _text, "int": _int, "bool": _bool, "list": _list, "dict": _dict}

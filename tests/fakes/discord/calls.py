"""One REST call: what came in, decoded, and what a route answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.discord.errors import DiscordError, invalid
from tests.fakes.discord.state import Json

Handler = Callable[["Call"], Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart request; `index` is the n in `files[n]`."""

    index: int
    filename: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` None means no body at all."""

    status: int
    body: Any = None


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is the template of Discord's OpenAPI description. `open` routes need no bot token."""

    method: str
    path: str
    handler: Handler
    open: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    route: Route
    path: dict[str, str]
    query: dict[str, str]
    body: Any = None
    files: tuple[Upload, ...] = field(default=())

    def id(self, name: str) -> int:
        """A snowflake of the path. Raises 50035."""
        if not self.path[name].isdigit():
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{self.path[name]}" is not snowflake.')
        return int(self.path[name])

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A number of the query, within its bounds. Raises 50035."""
        text = self.query.get(name, str(default))
        if not text.isdigit() or not low <= int(text) <= high:
            raise invalid(name, "NUMBER_TYPE_MAX", f"int value should be between {low} and {high}.")
        return int(text)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in {"1", "true"}

    @property
    def major(self) -> str:
        """What a rate limit is counted by, beside the route."""
        return "/".join(self.path.get(name, "") for name in ("channel_id", "guild_id", "webhook_id", "webhook_token"))


async def read_call(route: Route, request: web.Request) -> Call:
    """Decode a request. Raises 50035 for what is neither JSON nor a multipart form with payload_json."""
    body: Any = None
    files: tuple[Upload, ...] = ()
    if request.content_type == "multipart/form-data":
        body, files = await _read_form(request)
    elif request.can_read_body:
        if request.content_type != "application/json":
            raise invalid(
                "body", "CONTENT_TYPE_INVALID", 'Expected "Content-Type" header to be one of JSON, multipart.'
            )
        body = _decoded(await request.read())
    return Call(route, dict(request.match_info), dict(request.query), body, files)


async def _read_form(request: web.Request) -> tuple[Json, tuple[Upload, ...]]:
    form = await request.post()
    body, files = {}, []
    for name, value in form.items():
        if isinstance(value, web.FileField):
            files.append(Upload(_index(name), value.filename, value.file.read()))
        elif name == "payload_json":
            body = _decoded(str(value).encode())
        else:
            raise DiscordError(50035)
    return body, tuple(files)


def _index(name: str) -> int:
    if not (name.startswith("files[") and name.endswith("]") and name[6:-1].isdigit()):
        raise DiscordError(50035)
    return int(name[6:-1])


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise invalid("body", "JSON_INVALID", "The request body contains invalid JSON.") from None

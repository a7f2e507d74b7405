"""What the page's server tells operators and their programs: whether all is well, and the figures.

GET /readyz   {"status": "ready", "model": {"name": "ollama/qwen3:8b", "state": "ready"}, "database": "ok",
               "platforms": {"discord": "connected", "web": "connected"}}                     503 when not ready
GET /metrics  Prometheus's text format
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from aiohttp import web

from bot.addresses import is_loopback
from bot.platforms.web.logins import Logins
from bot.platforms.web.sessions import Sessions
from bot.platforms.web.watch import Answering, model_name
from storage import keepsakes
from storage.clock import utc_now
from storage.database import Connection, Database
from storage.errors import StorageError

DATABASE_SECONDS = 5.0
"""How long it may take: a lock of another program is waited for, as a message does."""
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BEARER = "Bearer "
_PROBE = "write_probe"

Stored = Literal["ok", "not writable", "failed"]


@dataclass(frozen=True, slots=True)
class Operation:
    """What the rest of the program knows of itself: whether the other platforms (by name) are connected, whether the
    database took what was written last, and its figures, where they are to be told.
    """

    platforms: Callable[[], Mapping[str, bool]] = dict
    stores: Callable[[], bool] = lambda: True
    figures: Callable[[], Awaitable[bytes]] | None = None


class Operators:
    """Handlers of aiohttp."""

    def __init__(self, sessions: Sessions, model: Answering, database: Database, operation: Operation) -> None:
        self._sessions = sessions
        self._model = model
        self._database = database
        self._operation = operation
        self._logins = Logins()

    async def ready(self, _: web.Request) -> web.Response:
        """200 when a message would be answered, wherever it comes from; for load balancers and people, so without
        addresses.
        """
        health, stored = await asyncio.gather(self._model.health(), self._stored())
        platforms = {**self._operation.platforms(), "web": True}
        ready = health.state == "ready" and stored == "ok" and all(platforms.values())
        body = {
            "status": "ready" if ready else "not ready",
            "model": {"name": model_name(self._model), "state": health.state},
            "database": stored,
            "platforms": {name: "connected" if up else "not connected" for name, up in platforms.items()},
        }
        return web.json_response(body, status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def figures(self, request: web.Request) -> web.Response:
        """For programs of this machine; where an access token is set, for whoever has it."""
        address, figures = request.remote or "", self._operation.figures
        if figures is None:
            raise web.HTTPNotFound
        if wait := self._logins.wait(address):
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(math.ceil(wait))})
        if not self._may_read(request, address):
            raise web.HTTPUnauthorized(text="Send the access token.", headers={"WWW-Authenticate": "Bearer"})
        return web.Response(body=await figures(), headers={"Content-Type": METRICS_TYPE})

    def _may_read(self, request: web.Request, address: str) -> bool:
        if not self._sessions.guarded:
            return is_loopback(address)
        given = request.headers.get("Authorization", "")
        if not given.startswith(_BEARER):
            return self._sessions.read(request.cookies).trusted
        accepted = self._sessions.accepts(given.removeprefix(_BEARER))
        (self._logins.succeeded if accepted else self._logins.failed)(address)
        return accepted

    async def _stored(self) -> Stored:
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await self._database.read(_probe)
        except (StorageError, TimeoutError):
            return "failed"
        if self._operation.stores():
            return "ok"
        try:  # it may have recovered since, and only a write tells
            async with asyncio.timeout(DATABASE_SECONDS):
                await self._database.write(keepsakes.replace, _PROBE, utc_now())
        except (StorageError, TimeoutError):
            return "not writable"
        return "ok"


def _probe(connection: Connection) -> None:
    connection.execute("SELECT 1 FROM keepsakes LIMIT 1").fetchall()

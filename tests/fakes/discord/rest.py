"""What every REST call goes through: authorisation, rate limits, faults, validation, errors, headers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from tests.fakes.discord.calls import Answer, Call, Route, read_call
from tests.fakes.discord.errors import DiscordError
from tests.fakes.discord.faults import Fault, Faults
from tests.fakes.discord.gateway import Portal
from tests.fakes.discord.rate_limits import RateLimits, refusal
from tests.fakes.discord.validation import Validation

API = "/api/v10"
VIA = {"Via": "1.1 google"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request and its answer's status; 0 where the connection was broken. `route` is normalised."""

    method: str
    route: str
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    status: int


class Rest:
    def __init__(
        self, portal: Portal, limits: RateLimits, faults: Faults, validation: Validation, changed: Callable[[], None]
    ) -> None:
        self.requests: list[Recorded] = []
        self._portal = portal
        self._limits = limits
        self._faults = faults
        self._validation = validation
        self._changed = changed
        self._known: set[tuple[str, str]] = set()

    def install(self, app: web.Application, routes: list[Route]) -> None:
        for route in sorted(routes, key=lambda each: _variables(each.path)):
            self._known.add((route.method, normal(route.path)))
            app.router.add_route(route.method, API + route.path, self._serving(route))
        app.router.add_route("*", API + "/{rest:.*}", self._nowhere)

    def checked(self, method: str, route: str) -> tuple[str, str]:
        """The key of a route that exists; a test that names another one fails at once."""
        key = (method, normal(route))
        assert key in self._known, f"this server has no {method} {route}"
        return key

    def _serving(self, route: Route) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                return await self._serve(route, request)
            finally:
                self._changed()

        return serve

    async def _nowhere(self, request: web.Request) -> web.Response:
        self._validation.violations.append(f"{request.method} {request.path}: this server has no such route")
        return _response(404, {"message": "404: Not Found", "code": 0}, {})

    async def _serve(self, route: Route, request: web.Request) -> web.StreamResponse:
        key = (route.method, normal(route.path))
        call = Call(route, dict(request.match_info), dict(request.query))
        verdict = self._limits.check(*key, call.major)
        if verdict.retry_after is not None:
            return self._finish(call, Answer(429, verdict.body()), verdict.headers)
        fault = self._faults.take(*key)
        if fault is not None and not fault.after_effect:
            return self._fail(call, fault, request, verdict.headers)
        try:
            self._authorise(route, request)
            call = await read_call(route, request)
            if hold := self._faults.take_hold(*key, call.path.get("channel_id", "")):
                await hold.wait()
            answer = self._carried_out(call)
        except DiscordError as error:
            answer = Answer(error.status, error.body())
        if fault is not None:
            return self._fail(call, fault, request, verdict.headers)
        return self._finish(call, answer, verdict.headers)

    def _authorise(self, route: Route, request: web.Request) -> None:
        if not route.open and request.headers.get("Authorization") != f"Bot {self._portal.token}":
            raise DiscordError(0)
        if not request.headers.get("User-Agent"):
            raise self._validation.refused("a request without User-Agent")

    def _carried_out(self, call: Call) -> Answer:
        self._validation.incoming(call)
        found = call.route.handler(call)
        answer = found if isinstance(found, Answer) else Answer(204 if found is None else 200, found)
        self._validation.answer(call, answer.status, answer.body)
        return answer

    def _finish(self, call: Call, answer: Answer, headers: dict[str, str]) -> web.Response:
        self._record(call, answer.status)
        return _response(answer.status, answer.body, headers)

    def _fail(self, call: Call, fault: Fault, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        if fault.status is None:
            self._record(call, 0)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
            limited = refusal(fault.retry_after, "shared", headers)
            return self._finish(call, Answer(429, limited.body()), limited.headers)
        return self._finish(call, Answer(fault.status, fault.body()), headers)

    def _record(self, call: Call, status: int) -> None:
        route = normal(call.route.path)
        self.requests.append(Recorded(call.route.method, route, call.path, call.query, call.body, status))


def normal(route: str) -> str:
    """`/channels/{channel.id}/messages` and `/channels/{channel_id}/messages` are one route."""
    return re.sub(r"\{[^}]*\}", "{}", route)


def _variables(path: str) -> tuple[int, int]:
    """Literal paths are matched before those with variables."""
    return path.count("{"), -len(path)


def _response(status: int, body: Any, headers: dict[str, str]) -> web.Response:
    if status == HTTPStatus.NO_CONTENT:
        return web.Response(status=204, headers=VIA | headers)
    response = web.json_response(body, status=status, headers=VIA | headers)
    response.headers["Content-Type"] = "application/json"
    return response

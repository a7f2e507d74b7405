"""The Web API's front door: who calls, whether they may, what may go wrong, then the method itself.

Source: https://docs.slack.dev/apis/web-api. Errors are {"ok": false, "error": …} with status 200; only rate limits and
broken servers have another status.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.slack.arguments import Sent, checked, read
from tests.fakes.slack.faults import Fault, Faults
from tests.fakes.slack.hub import Hub
from tests.fakes.slack.method import Method
from tests.fakes.slack.rate_limits import RateLimits
from tests.fakes.slack.refusals import Json, Mistake, Refusal
from tests.fakes.slack.workspace import Workspace

OPEN_SOCKET = "apps.connections.open"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in. `error` is None where it was answered with `ok`."""

    method: str
    team: str
    args: Json
    error: str | None
    at: float


class WebApi:
    """`methods` by name; `calls` is every call ever made, in order."""

    def __init__(self, hub: Hub, methods: Mapping[str, Method], teams: Mapping[str, Workspace]) -> None:
        self.calls: list[Call] = []
        self.faults = Faults()
        self.limits = RateLimits()
        self._hub = hub
        self.methods = methods
        self._teams = teams

    async def handle(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        fault = self.faults.take(name)
        if fault is not None and not fault.after_effect:
            self._record(name, "", {}, fault.error or f"fault {fault.status}")
            return _broken(request, fault)
        status, body, headers = await self._answer(request, name)
        if fault is not None:
            return _broken(request, fault)
        return web.json_response(body, status=status, headers=headers)

    async def _answer(self, request: web.Request, name: str) -> tuple[int, Json, dict[str, str]]:
        """(status, body, headers); every refusal is recorded, the client's mistakes as violations."""
        team_id, args = "", {}
        try:
            sent = await read(request)
            args = sent.arguments
            team, method = self._authorized(name, sent)
            team_id = team.id
            self._check_limits(name, team_id, str(args.get("channel", "")))
            body = {"ok": True, **method.run(team, self._checked(method, sent))}
        except Refusal as refusal:
            self._refused(name, team_id, args, refusal)
            return _refused(refusal)
        self._record(name, team_id, args, None)
        return 200, body, {"X-OAuth-Scopes": ",".join(sorted(team.scopes))}

    def _check_limits(self, name: str, team: str, channel: str) -> None:
        if wait := self.limits.check(name, team, channel):
            raise Refusal("ratelimited", retry_after=wait)

    def _authorized(self, name: str, sent: Sent) -> tuple[Workspace, Method]:
        if name not in self.methods:
            raise Mistake("unknown_method", f"no such method: {name}")
        method = self.methods[name]
        if sent.token_in_query:
            raise Mistake("invalid_auth", "a token in the query string ends up in logs")
        team = self._caller(name, sent.token)
        self.faults.check(name)
        if method.scopes and not team.scopes & set(method.scopes):
            needed, provided = ",".join(method.scopes), ",".join(sorted(team.scopes))
            raise Refusal("missing_scope", needed=needed, provided=provided)
        return team, method

    def _caller(self, name: str, token: str) -> Workspace:
        """The workspace that the token belongs to; an app's own token opens sockets and nothing else."""
        if not token:
            raise Mistake("not_authed", "no token")
        team = next((team for team in self._teams.values() if team.bot_token == token), None)
        is_app = token == self._hub.app_token
        if team is None and not is_app:
            raise Refusal("invalid_auth")
        if is_app != (name == OPEN_SOCKET):
            raise Mistake("not_allowed_token_type", f"{name} does not take this type of token")
        found = team or next(iter(self._teams.values()))
        if found.revoked is not None and not is_app:
            raise Refusal(found.revoked)
        return found

    def _checked(self, method: Method, sent: Sent) -> Json:
        if sent.as_json and not method.json:
            raise Mistake("invalid_arguments", f"{method.name} reads no JSON body")
        return checked(sent.arguments, method.arguments)

    def _refused(self, name: str, team: str, args: Json, refusal: Refusal) -> None:
        self._record(name, team, args, refusal.error)
        if isinstance(refusal, Mistake):
            self._hub.violations.append(f"{name}: {refusal.error}: {refusal.why}")

    def _record(self, name: str, team: str, args: Json, error: str | None) -> None:
        self.calls.append(Call(name, team, args, error, time.monotonic()))
        self._hub.changes.tell()


def _refused(refusal: Refusal) -> tuple[int, Json, dict[str, str]]:
    if refusal.error != "ratelimited":
        return 200, refusal.body(), {}
    return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(refusal.details["retry_after"])}


def _broken(request: web.Request, fault: Fault) -> web.Response:
    if fault.drop:
        assert request.transport is not None
        request.transport.close()
        return web.Response()
    if fault.status == 429:
        headers = {"Retry-After": str(fault.retry_after or 1)}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
    if fault.status != 200:
        return web.Response(status=fault.status, text="<html>Server Error</html>", content_type="text/html")
    return web.json_response({"ok": False, "error": fault.error or "internal_error"})

"""A strict fake of Slack on 127.0.0.1: Web API, Socket Mode, signed HTTP delivery, files and response URLs.

    async with FakeSlack.running() as slack:
        client = AsyncWebClient(slack.team.bot_token, base_url=slack.api_url)
        slack.team.say(GENERAL, ALICE, f"{slack.team.mention} hello")
        answer = await slack.team.answered(GENERAL)

It refuses what the real Slack refuses, with its words, and writes into `violations` what only a mistake in the
client's program can cause.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self, TypeVar

from aiohttp import web

from tests.fakes.slack import (
    web_api_agents,
    web_api_conversations,
    web_api_files,
    web_api_messages,
    web_api_people,
    web_api_streams,
)
from tests.fakes.slack.changes import PATIENCE, Changes
from tests.fakes.slack.clock import Clock
from tests.fakes.slack.delivery import Attempt, Delivery, Dispatcher
from tests.fakes.slack.faults import Fault
from tests.fakes.slack.http_events import HttpEvents
from tests.fakes.slack.hub import Hub
from tests.fakes.slack.method import Method, method
from tests.fakes.slack.rate_limits import RateLimits
from tests.fakes.slack.refusals import Json
from tests.fakes.slack.response_urls import ResponseUrls
from tests.fakes.slack.socket_mode import SocketMode
from tests.fakes.slack.team import Team
from tests.fakes.slack.web_api import OPEN_SOCKET, Call, WebApi
from tests.fakes.slack.workspace import Workspace

T = TypeVar("T")
ALICE, BOB, CAROL = "U0ALICE", "U0BOB", "U0CAROL"
"""People of every team; Carol is its admin."""
GENERAL, SECRET = "C0GENERAL", "G0SECRET"
"""A public and a private channel, with everybody and the bot in it. The ids are the same in every team."""
LATE = 3.0


class FakeSlack:
    """`team` is the first workspace; `add_team` makes more. `http` is set once `deliver_over_http` was called."""

    def __init__(self, *, speed: float = 1.0, seed: int = 1) -> None:
        self.clock = Clock(speed)
        self.changes = Changes()
        self.violations: list[str] = []
        rng = random.Random(seed)
        self.socket_mode = SocketMode("A0APP", self.changes, rng, self.violations)
        self.dispatcher = Dispatcher(self.clock, self.changes, rng, self.socket_mode)
        self.hub = Hub(self.clock, self.changes, rng, self.dispatcher, self.violations)
        self.http: HttpEvents | None = None
        self.teams: dict[str, Team] = {}
        self._files = web_api_files.Uploads()
        self._urls = ResponseUrls(self.violations)
        self.web_api = WebApi(self.hub, self._methods(), self.teams)
        self.team = self.add_team("T0HOME", "home")

    @classmethod
    @asynccontextmanager
    async def running(cls, *, speed: float = 1.0, seed: int = 1, port: int = 0) -> AsyncIterator[Self]:
        """`speed`: Slack's minutes (retries, streams, response URLs) pass so many times as fast."""
        async with AsyncExitStack() as stack:
            slack = cls(speed=speed, seed=seed)
            runner = web.AppRunner(slack._app(), access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.push_async_callback(slack._close)
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            slack.hub.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield slack

    @property
    def api_url(self) -> str:
        """For `AsyncWebClient(base_url=…)`."""
        return f"{self.hub.base}/api/"

    @property
    def app_token(self) -> str:
        return self.hub.app_token

    @property
    def limits(self) -> RateLimits:
        return self.web_api.limits

    @property
    def calls(self) -> list[Call]:
        return self.web_api.calls

    @property
    def deliveries(self) -> list[Delivery]:
        return self.dispatcher.deliveries

    def add_team(self, team_id: str, domain: str) -> Team:
        """Another workspace with the app installed: the same people and channels, a token and a bot of its own."""
        number = len(self.teams)
        token = f"xoxb-{number}-{team_id}-fake"
        bot_user, bot_id = ("U0BOT", "B0BOT") if number == 0 else (f"U0BOT{number}", f"B0BOT{number}")
        team = Team(self.hub, self._urls, team_id, domain=domain, bot_token=token, bot_user=bot_user, bot_id=bot_id)
        team.add_user(ALICE, "alice")
        team.add_user(BOB, "bob")
        team.add_user(CAROL, "carol", is_admin=True)
        team.add_channel(GENERAL, "general")
        team.add_channel(SECRET, "secret", "group")
        self.teams[team_id] = team
        return team

    def deliver_over_http(self, url: str, signing_secret: str) -> HttpEvents:
        """From now on events, commands and clicks are POSTed there instead of going through sockets."""
        if self.http is None:
            self.http = HttpEvents(url, signing_secret)
        self.http.url, self.http.signing_secret = url, signing_secret
        self.dispatcher.transport = self.http
        return self.http

    def fail_next(
        self,
        name: str,
        *,
        error: str | None = None,
        status: int = 200,
        drop: bool = False,
        times: int = 1,
        after_effect: bool = False,
        retry_after: int | None = None,
    ) -> None:
        """The next `times` calls of a method fail, `after_effect` only after they did their work."""
        assert name in self.web_api.methods
        self.web_api.faults.add(name, Fault(error, status, drop, after_effect, retry_after), times)

    def refuse(self, name: str, error: str) -> None:
        """The workspace does not have the feature, until `allow`."""
        assert name in self.web_api.methods
        self.web_api.faults.refuse(name, error)

    def allow(self, name: str) -> None:
        self.web_api.faults.allow(name)

    def limit_realistically(self) -> None:
        """From now on the documented rate limits hold."""
        self.limits.realistic({name: each.tier for name, each in self.web_api.methods.items()})

    def redeliver(self, delivery: Delivery) -> None:
        """Send an event once more, as Slack does when an acknowledgement got lost."""
        self.dispatcher.redeliver(delivery)

    def called(self, name: str, *, ok: bool = True) -> list[Call]:
        """The calls of a method so far; with `ok` only those that succeeded."""
        return [call for call in self.calls if call.method == name and (not ok or call.error is None)]

    def late(self) -> list[Attempt]:
        """Every delivery attempt that was not acknowledged within three seconds."""
        attempts = [attempt for delivery in self.deliveries for attempt in delivery.attempts]
        return [a for a in attempts if a.failure or (a.seconds is not None and a.seconds > LATE)]

    async def until(self, condition: Callable[[], T], *, seconds: float = PATIENCE) -> T:
        """Wait for anything about this fake; the first true value. Raises TimeoutError."""
        return await self.changes.until(condition, seconds=seconds)

    async def settled(self) -> None:
        """Wait until every event so far was acknowledged or given up."""
        await self.dispatcher.settled()

    def take_violations(self) -> list[str]:
        """The violations so far, for a test that provokes them on purpose."""
        found = list(self.violations)
        self.violations.clear()
        return found

    def _methods(self) -> dict[str, Method]:
        begin, complete = web_api_files.BEGIN_ARGUMENTS, web_api_files.COMPLETE_ARGUMENTS
        here = (
            method(OPEN_SOCKET, self._open_socket, tier=1),
            method("files.getUploadURLExternal", self._files.begin, begin, scopes="files:write", tier=4, json=False),
            method("files.completeUploadExternal", self._files.complete, complete, scopes="files:write", tier=4),
            web_api_files.INFO,
        )
        modules = (web_api_agents, web_api_conversations, web_api_messages, web_api_people, web_api_streams)
        return {each.name: each for methods in (here, *(m.METHODS for m in modules)) for each in methods}

    def _open_socket(self, _: Workspace, args: Json) -> Json:
        ticket = self.socket_mode.ticket()
        return {"url": f"{self.hub.base.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self.hub.app_id}"}

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.web_api.handle)
        app.router.add_get("/link/", self.socket_mode.handle)
        app.router.add_post("/actions/{team}/{key}", self._urls.handle)
        app.router.add_post("/upload/v1/{file_id}", self._files.receive)
        app.router.add_get("/files-pri/{key}/{name:.+}", self._download)
        app.router.add_get("/login", web_api_files.login)
        return app

    async def _download(self, request: web.Request) -> web.Response:
        return web_api_files.download(dict(self.teams), request)

    async def _close(self) -> None:
        await self.dispatcher.close()
        await self.socket_mode.kick()
        if self.http is not None:
            await self.http.close()

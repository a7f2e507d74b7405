"""The web platform: the chat page, its WebSocket, and whether all is well.

`GET /` the page, `GET /static/…` its files, `GET /ws` the WebSocket (see `frames`), `GET /files/…` what answers to
commands come with, `POST /login` where an access token is set, `GET /healthz` (the process lives: its event loop
answers), `GET /readyz` (it can answer), `GET /metrics` (its figures). Everything else is 404.
"""

import asyncio
import errno
import logging
import secrets
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.addresses import is_loopback
from bot.commands import Commands
from bot.errors import ConfigurationError
from bot.inbox import Inbox
from bot.platforms.platform import Reply, TurnRef
from bot.platforms.web.assets import load_assets
from bot.platforms.web.chat import PLATFORM, Chat
from bot.platforms.web.downloads import FILES, Downloads
from bot.platforms.web.gate import Gate
from bot.platforms.web.hub import Hub
from bot.platforms.web.operators import Operation, Operators
from bot.platforms.web.outbox import Outbox
from bot.platforms.web.pages import Pages
from bot.platforms.web.reply import WebReply
from bot.platforms.web.sessions import Sessions
from bot.platforms.web.sockets import Sockets
from bot.platforms.web.watch import Answering, watch_model
from storage import keepsakes
from storage.database import Database

COOKIE_KEY = "web_cookie_key"
MAX_BODY = 16 * 1024
"""Bytes of a request's body; only the login form has one."""
CLOSE_SECONDS = 3.0
_log = logging.getLogger(__name__)


class WebPlatform:
    """See bot.platforms.platform.Platform. Call `attach` once, then `run`.

    `agents` = name → description of those who can be asked for; `port` 0 takes a free one. Raises ConfigurationError
    when it would be open to others without an access token.
    """

    name = PLATFORM
    pace = 0.1
    """Seconds; a reply takes longer by itself when its text takes long to lay out."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        database: Database,
        model: Answering,
        agents: Mapping[str, str],
        allowed_hosts: Iterable[str] = (),
        access_token: str | None = None,
        doors: Mapping[str, Handler] | None = None,
        operation: Operation | None = None,
    ) -> None:
        if not is_loopback(host) and not access_token:
            raise ConfigurationError("[web] access_token: is missing while host is open to others")
        self._host = host
        self._port = port
        self._database = database
        self._model = model
        self._agents = agents
        self._gate = Gate(host, allowed_hosts)
        self._access_token = access_token
        self._doors = dict(doors or {})
        self._operation = operation or Operation()
        self._hub = Hub()
        self._core: tuple[Inbox, Commands] | None = None
        self.opened = asyncio.Event()
        """Set while `run` serves; `url` tells where."""
        self.url = ""

    def attach(self, inbox: Inbox, commands: Commands) -> None:
        """Where messages go. Called once, before `run`."""
        self._core = (inbox, commands)

    def reply(self, turn: TurnRef) -> Reply:
        return WebReply(self._hub, turn)

    def split(self, text: str) -> list[str]:
        """A page has room for everything."""
        return [text]

    def preview(self, text: str) -> str:
        return text

    async def run(self) -> None:
        """Serve until cancelled, then close every page's WebSocket with 1001.

        Raises ConfigurationError when host or port cannot be used, StorageError when the cookies' key cannot be read.
        """
        key = await self._database.write(keepsakes.keep, COOKIE_KEY, secrets.token_urlsafe(32))
        sessions = Sessions(key, self._access_token)
        downloads = Downloads(sessions)
        sockets = Sockets(self._hub, sessions, partial(self._chat, downloads))
        async with AsyncExitStack() as stack:
            stack.callback(downloads.close)
            runner = await self._serve(self._application(sessions, sockets, downloads), stack)
            stack.push_async_callback(sockets.close)
            stack.callback(self.opened.clear)
            self.url = _url(self._host, runner)
            self.opened.set()
            _log.info("the chat page is at %s", self.url)
            await watch_model(self._model, self._hub)

    def _chat(self, downloads: Downloads, browser: str, page: Outbox) -> Chat:
        assert self._core is not None, "attach() comes before run()"
        inbox, commands = self._core
        return Chat(inbox, commands, self._agents, self._hub, downloads, browser, page)

    def _application(self, sessions: Sessions, sockets: Sockets, downloads: Downloads) -> web.Application:
        pages = Pages(sessions, load_assets(), self._gate, frozenset(self._doors))
        operators = Operators(sessions, self._model, self._database, self._operation)
        app = web.Application(middlewares=[pages.watch, pages.guard], client_max_size=MAX_BODY)
        app.on_response_prepare.append(pages.add_headers)
        app.add_routes(
            [
                web.get("/", pages.page),
                web.get("/static/{name}", pages.static),
                web.post("/login", pages.login),
                web.get("/ws", sockets.serve),
                web.get(f"{FILES}{{token}}", downloads.serve, allow_head=False),  # a look is no download
                web.get("/healthz", pages.alive),
                web.get("/readyz", operators.ready),
                web.get("/metrics", operators.figures),
            ]
        )
        app.add_routes([web.post(path, handler) for path, handler in self._doors.items()])
        return app

    async def _serve(self, app: web.Application, stack: AsyncExitStack) -> web.AppRunner:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=CLOSE_SECONDS)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            raise ConfigurationError(self._problem(error)) from error
        return runner

    def _problem(self, error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            return f"[web] port: {self._port} is in use; end the other program, or choose another port (0: any)"
        if error.errno == errno.EACCES:
            return f"[web] port: {self._port} may not be used by this account; choose one above 1023"
        return f"[web] host: {self._host!r} cannot be listened on: {error.strerror or error}"


def _url(host: str, runner: web.AppRunner) -> str:
    address = runner.addresses[0]
    port = address[1] if isinstance(address, tuple) else 0
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"

"""The plain HTTP requests: the page, its files, logging in, health; and what holds for every response."""

import math
import secrets
from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.observing.about import about
from bot.platforms.web.assets import Asset
from bot.platforms.web.cookies import set_cookie
from bot.platforms.web.gate import Gate
from bot.platforms.web.logins import Logins
from bot.platforms.web.sessions import Sessions

POLICY = "Content-Security-Policy"
HEADERS = {
    POLICY: (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "secret-agents",
}
_NOTE = b"<!--note-->"
_WRONG = b"That is not the access token."


class Pages:
    """Handlers of aiohttp."""

    def __init__(
        self, sessions: Sessions, assets: Mapping[str, Asset], gate: Gate, doors: frozenset[str] = frozenset()
    ) -> None:
        self._sessions = sessions
        self._assets = assets
        self._gate = gate
        self._doors = doors
        self._logins = Logins()

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Gives the request a name in the log."""
        with about(request=secrets.token_hex(4)):
            return await handler(request)

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse foreign names and foreign pages.

        Browsers send `Origin: null` with a form of a page that, like ours, asks for no referrer. Logging in may come
        so: whoever knows the token to send gains nothing by sending it from another page.
        """
        if request.path in self._doors:  # for other programs, who prove who they are in a way of their own
            return await handler(request)
        origin = request.headers.get("Origin")
        if origin == "null" and request.path == "/login":
            origin = None
        if refusal := self._gate.refusal(request.headers.get("Host"), origin):
            return web.Response(status=403, text=refusal)
        return await handler(request)

    async def add_headers(self, _: web.Request, response: web.StreamResponse) -> None:
        """What a response forbids of its own is forbidden, too."""
        own = response.headers.get(POLICY)
        response.headers.update(HEADERS)
        if own:
            response.headers[POLICY] += f"; {own}"
        response.headers.setdefault("Cache-Control", "no-store")

    async def page(self, request: web.Request) -> web.Response:
        """The chat page, or the login form.

        When a link on another site led here, a browser holds the cookie back: such a request gets none, because a
        fresh one would take the place of the one held back.
        """
        session = self._sessions.read(request.cookies)
        if not session.trusted:
            return self._form()
        response = self._file("page.html")
        if session.known or request.headers.get("Sec-Fetch-Site") != "cross-site":
            set_cookie(response, request, self._sessions, session.browser)
        return response

    async def login(self, request: web.Request) -> web.Response:
        """Expects the form field `token`."""
        address = request.remote or ""
        if wait := self._logins.wait(address):
            return self._form(429, b"Too many attempts. Wait a minute.", {"Retry-After": str(math.ceil(wait))})
        token = (await request.post()).get("token")
        if not isinstance(token, str) or not self._sessions.accepts(token):
            self._logins.failed(address)
            return self._form(401, _WRONG)
        self._logins.succeeded(address)
        response = web.Response(status=303, headers={"Location": "/"})
        set_cookie(response, request, self._sessions, self._sessions.read(request.cookies).browser)
        return response

    async def static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        asset = self._assets.get(name)
        if asset is None or name.endswith(".html"):
            raise web.HTTPNotFound
        headers = {"ETag": f'"{asset.etag}"', "Cache-Control": "no-cache"}
        if request.if_none_match and any(tag.value == asset.etag for tag in request.if_none_match):
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, content_type=asset.media_type, charset="utf-8", headers=headers)

    async def alive(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    def _file(self, name: str) -> web.Response:
        asset = self._assets[name]
        return web.Response(body=asset.body, content_type=asset.media_type, charset="utf-8")

    def _form(self, status: int = 401, note: bytes = b"", headers: Mapping[str, str] | None = None) -> web.Response:
        body = self._assets["login.html"].body.replace(_NOTE, note)
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8", headers=headers)

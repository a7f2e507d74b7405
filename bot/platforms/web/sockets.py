"""The WebSockets of the open pages."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import WSCloseCode, WSMsgType, web

from bot.platforms.web import rendering
from bot.platforms.web.chat import Chat
from bot.platforms.web.cookies import set_cookie
from bot.platforms.web.frames import ClientFrame, Error, FrameError, decode, encode
from bot.platforms.web.hub import Hub, TooManyPages
from bot.platforms.web.outbox import Outbox
from bot.platforms.web.sessions import Sessions

HEARTBEAT_SECONDS = 30.0
CLOSE_SECONDS = 1.0
"""How long a page has to answer a close."""
MAX_MESSAGE = 8 * 1024 * 1024
"""Bytes that are read at all; frames above `frames.MAX_FRAME` are read only to be answered by an error."""
_log = logging.getLogger(__name__)


class Sockets:
    """Serves `GET /ws`. `chat` makes what carries out the frames of one page: browser id, outbox → Chat."""

    def __init__(self, hub: Hub, sessions: Sessions, chat: Callable[[str, Outbox], Chat]) -> None:
        self._hub = hub
        self._sessions = sessions
        self._chat = chat
        self._open: set[web.WebSocketResponse[bool]] = set()
        self._closing = False

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A browser without a valid cookie gets one with the handshake, unless it needs the access token."""
        session = self._sessions.read(request.cookies)
        if not session.trusted:
            raise web.HTTPUnauthorized(text="Log in on the page first.")
        if self._closing:
            raise web.HTTPServiceUnavailable(text="I am about to restart.")
        socket = _socket()
        if not session.known:
            set_cookie(socket, request, self._sessions, session.browser)
        await socket.prepare(request)
        await rendering.prepare()
        self._open.add(socket)
        try:
            await self._converse(request, socket, session.browser)
        finally:
            self._open.discard(socket)
        return socket

    async def close(self) -> None:
        """Say goodbye to every page: it comes back by itself when the server does."""
        self._closing = True
        farewells = [socket.close(code=WSCloseCode.GOING_AWAY, message=b"restarting") for socket in self._open]
        await asyncio.gather(*farewells, return_exceptions=True)

    async def _converse(self, request: web.Request, socket: web.WebSocketResponse[bool], browser: str) -> None:
        page = Outbox(lambda: _abort(request, browser))
        try:
            self._hub.join(browser, page)
        except TooManyPages as error:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=str(error).encode())
            return
        pump = asyncio.create_task(_pump(page, socket))
        try:
            await _read(socket, self._chat(browser, page), page)
        finally:
            self._hub.leave(browser, page)
            pump.cancel()
            await asyncio.wait([pump])


def _socket() -> web.WebSocketResponse[bool]:
    return web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS,
        timeout=CLOSE_SECONDS,
        max_msg_size=MAX_MESSAGE,
        compress=False,  # most pages are on this machine or near, and a growing answer is compressed over and over
        decode_text=False,
    )


async def _read(socket: web.WebSocketResponse[bool], chat: Chat, page: Outbox) -> None:
    """Carry out frames one after another until the page leaves."""
    async for message in socket:
        try:
            await chat.handle(_decoded(message.type, message.data))
        except FrameError as error:
            page.put(encode(Error(text=str(error))))


def _decoded(kind: WSMsgType, data: bytes) -> ClientFrame:
    if kind is not WSMsgType.TEXT:
        raise FrameError("I read text frames only.")
    return decode(data)


async def _pump(page: Outbox, socket: web.WebSocketResponse[bool]) -> None:
    """Send what there is to send. Waits where the page is slow; ends with the connection."""
    try:
        while True:
            await socket.send_frame(await page.take(), WSMsgType.TEXT)
    except ConnectionError as error:
        _log.debug("a page is gone: %s", error)


def _abort(request: web.Request, browser: str) -> None:
    _log.warning("a page of browser %s does not take what it is sent, so it is cut off", browser)
    if request.transport is not None:
        request.transport.abort()

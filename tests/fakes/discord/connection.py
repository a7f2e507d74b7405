"""One WebSocket of the gateway: what is said goes out in order, deflated if the client asked for it."""

import asyncio
import json
import zlib
from typing import Any

from aiohttp import web

from tests.fakes.discord.sessions import Session


class Connection:
    def __init__(self, socket: web.WebSocketResponse, request: web.Request, *, compressed: bool) -> None:
        self.socket = socket
        self.session: Session | None = None
        self._request = request
        self._deflate = zlib.compressobj() if compressed else None
        self._outgoing: asyncio.Queue[str | int] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())
        self._closed_with: int | None = None

    @property
    def code(self) -> int:
        """What the connection was closed with, by whichever side; 1006 if it broke."""
        return self._closed_with or self.socket.close_code or 1006

    @property
    def cut_by_server(self) -> bool:
        return self._closed_with is not None

    def say(self, op: int, data: Any) -> None:
        self.send(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def send(self, text: str) -> None:
        self._outgoing.put_nowait(text)

    def hang_up(self, code: int) -> None:
        """Close after everything that was said before."""
        self._outgoing.put_nowait(code)

    def abort(self) -> None:
        """Break off without a word."""
        self._closed_with = self._closed_with or 1006
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, code: int) -> None:
        """Close now; what is not written yet is lost."""
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        await self._close(code)

    async def _write(self) -> None:
        while isinstance(item := await self._outgoing.get(), str):
            try:
                await self._put(item)
            except ConnectionError:
                return
        await self._close(item)

    async def _put(self, text: str) -> None:
        if self._deflate is None:
            await self.socket.send_str(text)
        else:
            data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            await self.socket.send_bytes(data)

    async def _close(self, code: int) -> None:
        if not self.socket.closed:
            self._closed_with = self._closed_with or code
            await self.socket.close(code=code)

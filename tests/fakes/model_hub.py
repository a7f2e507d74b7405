"""A hub of large files that honours ranges, ignores them, or breaks, as it is told. Records the ranges asked for."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class ModelHub:
    """Serves `content` under every path. `cuts` are the lengths after which the next responses break off.

    With `stall_after` a response stops there and stays open until the client goes.
    """

    content: bytes
    ranges: bool = True
    status: int = 200
    stall_after: int | None = None
    cuts: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.path} {request.headers.get('Range', '')}".strip())
        if self.status != 200:
            return web.Response(status=self.status)
        start = self._start(request)
        response = web.StreamResponse(status=206 if start else 200)
        response.content_length = len(self.content) - start
        if start:
            response.headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        await response.prepare(request)
        if self.stall_after is not None:
            await response.write(self.content[start : self.stall_after])
            await asyncio.Event().wait()
        end = start + self.cuts.pop(0) if self.cuts else len(self.content)
        await response.write(self.content[start:end])
        if end < len(self.content):
            assert request.transport is not None
            request.transport.close()
        return response

    def _start(self, request: web.Request) -> int:
        given = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "bytes=0-"))
        assert given is not None, f"odd range {request.headers['Range']}"
        return int(given[1]) if self.ranges else 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ModelHub"]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.handle)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self

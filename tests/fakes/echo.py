"""A server that refuses everything and, as some do, repeats in its error all it was told: headers, address, body."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(slots=True)
class Echo:
    """`heard` is what it was told."""

    url: str = ""
    heard: list[str] = field(default_factory=list)

    async def refuse(self, request: web.Request) -> web.Response:
        told = (
            f"{request.method} {request.url} {dict(request.headers)} {(await request.read()).decode(errors='replace')}"
        )
        self.heard.append(told)
        body = {"error": {"message": told}, "message": told, "code": 0, "ok": False}
        return web.json_response(body, status=503)


@asynccontextmanager
async def echoing() -> AsyncIterator[Echo]:
    echo = Echo()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo.refuse)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    echo.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield echo
    finally:
        await runner.cleanup()

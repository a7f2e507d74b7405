"""The real web platform on a free port of this machine, with the real core behind it and a scripted model."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
from yarl import URL

from bot.command_rights import Rights
from bot.models.model import Model
from bot.platforms.web.operators import Operation
from bot.platforms.web.server import COOKIE_KEY, WebPlatform
from bot.platforms.web.sessions import Sessions
from gadgets.gadget import Gadget
from storage import keepsakes
from storage.database import Database
from storage.sqlite import BUSY_SECONDS, OnBatch, SQLiteDatabase
from tests.core import PLAIN, PROFILE, core_around, shout, whisper
from tests.waiting import PATIENCE

Frame = dict[str, Any]
TOKEN = "correct horse battery"


@dataclass(slots=True)
class Site:
    """A running page. `stop` ends the platform as the program's end does."""

    url: str
    port: int
    platform: WebPlatform
    database: SQLiteDatabase
    stop: Callable[[], Awaitable[None]]


@asynccontextmanager
async def running_site(
    path: Path,
    model: Model,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    access_token: str | None = None,
    allowed_hosts: tuple[str, ...] = (),
    busy_seconds: float = BUSY_SECONDS,
    rights: Rights | None = None,
    gadgets: Sequence[Gadget] = (shout, whisper),
    operation: Operation | None = None,
    on_batch: OnBatch | None = None,
) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            SQLiteDatabase(str(path), busy_seconds=busy_seconds, on_batch=on_batch)
        )
        platform = WebPlatform(
            host=host,
            port=port,
            database=database,
            model=model,
            agents={profile.name: profile.description for profile in (PROFILE, PLAIN)},
            allowed_hosts=allowed_hosts,
            access_token=access_token,
            operation=operation,
        )
        core = await stack.enter_async_context(core_around(database, model, platform, rights=rights, gadgets=gadgets))
        serving = asyncio.create_task(platform.run())
        stack.push_async_callback(_ended, serving)
        await stack.enter_async_context(core.engine)
        await _opened(platform, serving)
        yield Site(platform.url, int(platform.url.rsplit(":", 1)[1][:-1]), platform, database, lambda: _ended(serving))


async def _opened(platform: WebPlatform, serving: asyncio.Task[None]) -> None:
    """Wait until it serves; raises what `run` raised when it does not."""
    opening = asyncio.create_task(platform.opened.wait())
    await asyncio.wait([opening, serving], return_when=asyncio.FIRST_COMPLETED)
    opening.cancel()
    if serving.done():
        serving.result()


async def _ended(serving: asyncio.Task[None]) -> None:
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def cookie_of(database: Database, browser: str) -> dict[str, str]:
    """What makes a client the browser of this id, on a running page that is open to all."""
    key = await database.read(keepsakes.find, COOKIE_KEY)
    assert key is not None
    sessions = Sessions(key, None)
    return {sessions.cookie: sessions.write(browser)}


class Browser:
    """A client with a cookie jar of its own; `connect` opens a page's WebSocket."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.http.close()

    def cookies(self) -> dict[str, str]:
        kept = self.http.cookie_jar.filter_cookies(URL(self.url))
        return {name: morsel.value for name, morsel in kept.items()}

    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies().items())

    async def fetch(self, path: str, method: str = "GET", **headers: str) -> "Fetched":
        url = URL(self.url).join(URL(path, encoded=True))
        async with self.http.request(method, url, headers=headers) as response:
            return Fetched(response.status, await response.read(), response.headers)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Page"]:
        async with self.http.ws_connect(f"{self.url}ws", max_msg_size=0) as socket:
            yield Page(socket)


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    body: bytes
    headers: Mapping[str, str]


class Page:
    """One WebSocket as a page uses it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def get(self, kind: str, **fields: object) -> Frame:
        """The next frame of this type whose fields have these values; others on the way are dropped."""
        return (await self.until(kind, **fields))[-1]

    async def until(self, kind: str, **fields: object) -> list[Frame]:
        """Every frame up to the next of this type whose fields have these values."""
        frames: list[Frame] = []
        async with asyncio.timeout(PATIENCE):
            while not frames or not _fits(frames[-1], {"type": kind, **fields}):
                frames.append(await self.next())
        return frames

    async def next(self) -> Frame:
        async with asyncio.timeout(PATIENCE):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)  # type: ignore[no-any-return]

    async def ask(self, text: str, **fields: object) -> Frame:
        """Send a message; its `response_complete`."""
        message_id = fields.setdefault("message_id", f"m{abs(hash(text))}")
        await self.send("message", text=text, **fields)
        return await self.get("response_complete", message_id=message_id)

    async def history(self, conversation: str, **fields: object) -> list[Frame]:
        await self.send("get_conversations", conversation_id=conversation, **fields)
        while "messages" not in (frame := await self.get("conversations")):
            pass
        return list(frame["messages"])


def _fits(frame: Frame, wanted: Frame) -> bool:
    return all(frame.get(name) == value for name, value in wanted.items())

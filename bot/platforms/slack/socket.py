"""Slack's Socket Mode: one WebSocket that is open at any time, each from an address that is good for one try.

    ← {"type": "hello", "num_connections": 1, …}
    ← {"envelope_id": "…", "type": "events_api", "payload": {…}, "retry_attempt": 0, …}
    → {"envelope_id": "…"}                                                     within three seconds
    ← {"type": "disconnect", "reason": "refresh_requested", …}                 some hours later

Source: https://docs.slack.dev/apis/events-api/using-socket-mode. The SDK's own client tries a used address again for
ever, waits ten seconds after a broken connection, and gives the old one up before there is a new one.
"""

import asyncio
import json
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import aiohttp
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.errors import ConfigurationError, PlatformError
from bot.platforms.slack.api import OPEN_SOCKET, Api, Refused, TokenRefused

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
OPENING_SECONDS = 20.0
CLOSING = aiohttp.ClientWSTimeout(ws_close=1.0)
HANDLING_SECONDS = 3.0
"""Within which an event is acknowledged or given up."""
STABLE_SECONDS = 10.0
"""After which a connection counts as one that worked: the next one is opened at once."""
FIRST_RETRY_SECONDS = 0.25
LAST_RETRY_SECONDS = 60.0
REFUSED = "[slack] app_token: Slack does not accept it ({}); copy it anew from your app's page, with connections:write"


class _Connection:
    """One WebSocket. `over` is set when another one is needed; until then, and somewhat longer, it is read."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, app: AsyncApp) -> None:
        self.over = asyncio.Event()
        self._ws = ws
        self._app = app
        self._tasks: set[asyncio.Task[None]] = set()

    async def read(self) -> None:
        try:
            async for frame in self._ws:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._take(frame.data)
        finally:
            self.over.set()

    async def close(self) -> None:
        """What is being handled may be acknowledged here, and nowhere else."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=HANDLING_SECONDS)
        await self.abandon()

    async def abandon(self) -> None:
        """Slack repeats what is not acknowledged."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ws.close()

    def _take(self, frame: str) -> None:
        told = json.loads(frame)
        if told["type"] == "disconnect":
            _log.info("Slack asks to connect anew: %s", told.get("reason"))
            self.over.set()
        elif "envelope_id" in told:
            task = asyncio.create_task(self._handled(told["envelope_id"], told["payload"]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _handled(self, envelope_id: str, payload: dict[str, Any]) -> None:
        try:
            response = await self._app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))
        except Exception:  # noqa: BLE001 - nobody awaits it
            _log.exception("an event of Slack's is not what it should be")
            return
        if response.status == 200:
            with suppress(ConnectionError):  # then Slack repeats it
                await self._ws.send_json({"envelope_id": envelope_id})


class Socket:
    """`api` is that of the app's token. Events go to `app`, and are acknowledged where it answers 200."""

    def __init__(self, app: AsyncApp, api: Api, session: aiohttp.ClientSession) -> None:
        self._app = app
        self._api = api
        self._session = session
        self._failures = 0
        self._known = False
        self._open: _Connection | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        return self._open is not None and not self._open.over.is_set()

    async def run(self) -> None:
        """Stay connected until cancelled. Raises ConfigurationError when Slack does not accept the token at first."""
        connection: _Connection | None = None
        try:
            while True:
                old, connection = connection, await self._connected()
                self._open, began = connection, time.monotonic()
                self._spawn(connection.read())
                if old is not None:
                    self._spawn(old.close())
                await connection.over.wait()
                await self._pause(time.monotonic() - began)
        finally:
            await self._closed(connection)

    async def _connected(self) -> _Connection:
        while True:
            try:
                url = (await self._api.call(OPEN_SOCKET))["url"]
                async with asyncio.timeout(OPENING_SECONDS):
                    ws = await self._session.ws_connect(url, heartbeat=HEARTBEAT_SECONDS, timeout=CLOSING)
            except (Refused, TokenRefused) as refused:
                if not self._known:
                    raise ConfigurationError(REFUSED.format(refused)) from refused
                await self._failed(str(refused))
            except PlatformError as error:
                await self._failed(str(error))
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                await self._failed(type(error).__name__)  # its text holds the address, which is a secret
            else:
                if not self._known:
                    _log.info("Slack: listening through a socket")
                self._known = True
                return _Connection(ws, self._app)

    async def _pause(self, lived: float) -> None:
        """The next connection is opened at once, unless the last ones were given up at once, too."""
        if lived > STABLE_SECONDS:
            self._failures = 0
        if self._failures:
            await self._failed("it is closed again and again")
        else:
            self._failures = 1

    async def _failed(self, why: str) -> None:
        wait = min(FIRST_RETRY_SECONDS * 2**self._failures, LAST_RETRY_SECONDS)
        self._failures = min(self._failures + 1, 10)
        _log.error("Slack: no socket, trying again in %.1f s: %s", wait, why)
        await asyncio.sleep(wait)

    async def _closed(self, connection: _Connection | None) -> None:
        if connection is not None:
            await connection.abandon()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("Slack: a socket broke", exc_info=error)

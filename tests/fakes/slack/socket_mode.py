"""Slack's side of Socket Mode: single-use tickets, hello, envelopes and their acknowledgements, disconnects.

    → {"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0APP"}, "debug_info": {…}}
    → {"envelope_id": "…", "type": "events_api", "payload": {…}, "accepts_response_payload": false,
       "retry_attempt": 0, "retry_reason": ""}
    ← {"envelope_id": "…"}

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
import random
import time
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack.changes import Changes
from tests.fakes.slack.delivery import Attempt, Delivery, Unacknowledged
from tests.fakes.slack.refusals import Json

MAX_SOCKETS = 10
CLOSING = 1.0
"""Seconds for a client's part in closing a socket."""


@dataclass(slots=True, eq=False)
class Socket:
    """`draining`: it was told to disconnect and gets nothing new."""

    ws: web.WebSocketResponse
    request: web.Request
    draining: bool = False


@dataclass(slots=True, eq=False)
class _Envelope:
    socket: Socket
    answer: asyncio.Future[Any]
    answered: bool = False
    takes_payload: bool = False


class SocketMode:
    """The transport of an app in Socket Mode. `hellos` counts the connections ever made."""

    def __init__(self, app_id: str, changes: Changes, rng: random.Random, violations: list[str]) -> None:
        self.ack_seconds = 3.0
        self.late = "timeout"
        self.sockets: list[Socket] = []
        self.hellos = 0
        self.broken = 0
        """So many of the next connections break off in their handshake: their tickets are used up all the same."""
        self._app_id = app_id
        self._changes = changes
        self._rng = rng
        self._violations = violations
        self._tickets: set[str] = set()
        self._envelopes: dict[str, _Envelope] = {}

    def ticket(self) -> str:
        """For one connection, once."""
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return ticket

    async def connected(self, number: int = 1) -> None:
        """Wait for so many open sockets."""
        await self._changes.until(lambda: len(self._open()) >= number)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=408, text="ticket is expired or used")
        self._tickets.discard(ticket)
        if self.broken:
            self.broken -= 1
            assert request.transport is not None
            request.transport.abort()
        ws = web.WebSocketResponse(timeout=CLOSING)
        await ws.prepare(request)
        if len(self._open()) >= MAX_SOCKETS:
            await _say(ws, {"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}})
            await ws.close()
            return ws
        await self._serve(Socket(ws, request))
        return ws

    async def send(self, delivery: Delivery, attempt: Attempt) -> None:
        """Over one arbitrary socket. Events wait for one to open; commands and clicks fail at once without."""
        if delivery.kind != "events_api" and not self._open():
            raise Unacknowledged("dispatch_failed")
        await self._changes.until(self._open, seconds=None)
        attempt.sent_at = time.monotonic()
        envelope_id = str(uuid.uuid4())
        envelope = self._envelope(delivery)
        self._envelopes[envelope_id] = envelope
        try:
            await _say(envelope.socket.ws, _enveloped(envelope_id, delivery, attempt))
            async with asyncio.timeout(self.ack_seconds):
                attempt.body = await envelope.answer
        except TimeoutError:
            raise Unacknowledged(self.late) from None
        except ConnectionError:
            raise Unacknowledged("connection_failed") from None
        finally:
            envelope.answer.cancel()  # nobody waits for it any more

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every client to reconnect, as Slack does every few hours; the sockets get nothing new."""
        for socket in self._open():
            socket.draining = True
            await _say(socket.ws, {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}})

    async def warn(self) -> None:
        """Announce a disconnect; the sockets stay usable until the client reconnects."""
        for socket in self._open():
            await _say(socket.ws, {"type": "disconnect", "reason": "warning", "debug_info": {"host": "applink-fake"}})

    async def kick(self) -> None:
        """Close every socket, as a host that goes down does."""
        for socket in list(self.sockets):
            socket.draining = True
            await socket.ws.close(code=1001)

    async def cut(self) -> None:
        """Break every connection off without a closing handshake, as a failing network does."""
        for socket in list(self.sockets):
            socket.draining = True
            if socket.request.transport is not None:
                socket.request.transport.abort()

    def _open(self) -> list[Socket]:
        return [socket for socket in self.sockets if not socket.draining and not socket.ws.closed]

    def _envelope(self, delivery: Delivery) -> _Envelope:
        answer = asyncio.get_running_loop().create_future()
        takes_payload = delivery.kind != "events_api"
        return _Envelope(self._rng.choice(self._open()), answer, takes_payload=takes_payload)

    async def _serve(self, socket: Socket) -> None:
        self.hellos += 1
        await _say(socket.ws, self._hello())
        self.sockets.append(socket)
        self._changes.tell()
        try:
            async for message in socket.ws:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
                    self._changes.tell()
        finally:
            self._forget(socket)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open()) + 1,
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "applink-fake", "build_number": 1, "approximate_connection_time": 18060},
        }

    def _acknowledge(self, frame: str) -> None:
        """Any of the app's sockets may acknowledge. A late one changes nothing: the retry is on its way."""
        answer = json.loads(frame)
        envelope = self._envelopes.get(answer.get("envelope_id", ""))
        if envelope is None:
            self._violations.append(f"socket mode: not an envelope of ours: {frame[:200]}")
            return
        if envelope.answered:
            self._violations.append(f"socket mode: acknowledged twice: {frame[:200]}")
        if "payload" in answer and not envelope.takes_payload:
            self._violations.append(f"socket mode: events take no payload: {frame[:200]}")
        envelope.answered = True
        if not envelope.answer.done():
            envelope.answer.set_result(answer.get("payload"))

    def _forget(self, socket: Socket) -> None:
        self.sockets.remove(socket)
        for envelope in self._envelopes.values():
            if envelope.socket is socket and not envelope.answer.done():
                envelope.answer.set_exception(ConnectionError("the socket closed"))
        self._changes.tell()


def _enveloped(envelope_id: str, delivery: Delivery, attempt: Attempt) -> Json:
    envelope: Json = {
        "envelope_id": envelope_id,
        "type": delivery.kind,
        "payload": delivery.payload,
        "accepts_response_payload": delivery.kind != "events_api",
    }
    if delivery.kind == "events_api":
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return envelope


async def _say(ws: web.WebSocketResponse, frame: Json) -> None:
    await ws.send_str(json.dumps(frame))

"""Streaming an answer over HTTP: one request, read as it arrives, turned into deltas.

A token stream's cost is the wake-up, not the JSON. So the socket is left alone between two looks at it; each look takes
everything that has arrived, decodes it line by line with one prebuilt msgspec decoder, and hands on one merged
`TextDelta`. The session is the application's one
`aiohttp.ClientSession`; its connector should have `limit=0`, or the 101st stream waits in silence.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from io import BytesIO

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
)

from bot.errors import ModelBroken, ModelError, ModelSilent, ModelUnreachable
from bot.models.answer import Answer
from bot.models.lines import Splitter
from bot.models.model import Delta, Notice
from bot.models.peer import Peer

CONNECT_SECONDS = 5.0
FIRST_TOKEN_SECONDS = 120.0
"""A server may have to load the model before its first token."""
IDLE_SECONDS = 60.0
NOTICE_SECONDS = 3.0
REST_SECONDS = 0.05
"""Between two looks at a growing answer: more often than any platform shows it, less often than tokens come."""
LINGER_SECONDS = 1.0
"""After the answer is complete: how long to wait for the response's end, which lets the connection be used again."""
STALE_SECONDS = 1.0
"""A connection lost this soon after the request was a kept-alive one that the server had closed."""
MAX_ANSWER_CHARS = 1_000_000
"""The longest answer, thinking and tool calls included; more means that the server ignores its own limits."""
MAX_ERROR_BYTES = 64 * 1024
ERROR_BODY_SECONDS = 5.0

WAITING = Notice("waiting for the model (it may be loading or busy with another question)")

_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_LARGE_BODY = 1024 * 1024
_LOST = (ClientError, ConnectionError, RuntimeError)
"""What a read raises when the connection is gone; aiohttp says RuntimeError("Connection closed.") for one such case."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds, and how much to take."""

    first_token_seconds: float = FIRST_TOKEN_SECONDS
    idle_seconds: float = IDLE_SECONDS
    notice_seconds: float = NOTICE_SECONDS
    answer_chars: int = MAX_ANSWER_CHARS


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model server."""

    http: ClientSession
    url: str
    body: bytes = field(repr=False)
    peer: Peer
    limits: Limits
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """May hold the key, so that a traceback must not show them."""


async def relay(
    prepare: Callable[[], Awaitable[tuple[Call, Answer]]], splitter: Splitter
) -> AsyncGenerator[Delta, None]:
    """Yield what the server answers, ending with one `Finished`. Raises ModelError; close it to stop the server.

    This is the models' `stream` itself: one generator less for every chunk to pass. Hence `prepare`, run when begun.
    """
    call, answer = await prepare()
    async with aclosing(stream_lines(call, splitter, answer)) as batches:
        async for lines in batches:
            if not lines:
                yield WAITING
                continue
            failure = answer.fold(lines, call.limits.answer_chars)
            for delta in answer.take():
                yield delta
            if failure is not None and not answer.over:
                raise failure
    yield answer.end()


async def stream_lines(call: Call, splitter: Splitter, answer: Answer) -> AsyncGenerator[list[bytes], None]:
    """Yield the lines of each wake-up until `answer.over`; an empty list once if the server is slow to begin.

    Only the wait for the first line is a task of its own, because a generator cannot speak while it waits. Raises
    ModelError. Closing the generator closes the socket, unless the whole response has been read.
    """
    opening = asyncio.create_task(_open(call, splitter))
    try:
        if not (await asyncio.wait((opening,), timeout=call.limits.notice_seconds))[0]:
            yield []
        reader, lines = await opening
        yield lines
        reader.watch()
        while not answer.over:
            await reader.rest()
            if lines := await reader.lines():
                yield lines
        deadline = asyncio.get_running_loop().time() + LINGER_SECONDS
        while late := await reader.late_lines(deadline):  # bounded by the deadline
            yield late
    finally:
        await _close(opening)


class _Reader:
    """The body of one response, line by line.

    Silence is watched by one timer that is looked at only when it rings: setting a new one for every chunk would cost
    as much as reading the chunk. It rings the response closed, which wakes the waiting read.
    """

    __slots__ = ("_call", "_loop", "_response", "_silent", "_since", "_splitter", "_timer")

    def __init__(self, call: Call, response: ClientResponse, splitter: Splitter) -> None:
        self._call = call
        self._response = response
        self._splitter = splitter
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._since: float | None = None
        self._silent = False

    def watch(self) -> None:
        self._timer = self._loop.call_later(self._call.limits.idle_seconds, self._ring)

    def close(self) -> None:
        """Give the connection back if the response was read to its end, else close it so that the server stops."""
        if self._timer is not None:
            self._timer.cancel()
        self._response.close()

    async def lines(self) -> list[bytes]:
        """The lines that one wake-up completes, perhaps none. Raises ModelError when nothing more will come."""
        self._since = self._loop.time()
        try:
            data = await self._response.content.readany()
            self._since = None
            return self._splitter.feed(data) if data else self._last_lines()
        except _LOST as error:
            raise self._lost(error) from error
        except ValueError as error:
            raise self._call.peer.error(ModelBroken, f"sent {error}") from error

    async def rest(self) -> None:
        """Let more of the answer gather in the socket's own buffer, where waiting costs nothing."""
        connection = self._response.connection
        transport = connection.transport if connection else None
        if transport is None:  # the response has been read to its end
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(REST_SECONDS)
        finally:
            transport.resume_reading()

    async def late_lines(self, deadline: float) -> list[bytes]:
        """What still comes after the answer: token counts, the end. Nothing here is worth an error."""
        with suppress(TimeoutError, ValueError, *_LOST):
            async with asyncio.timeout_at(deadline):
                while data := await self._response.content.readany():
                    if lines := self._splitter.feed(data):
                        return lines
        return []

    def _last_lines(self) -> list[bytes]:
        if lines := self._splitter.flush():
            return lines
        raise self._call.peer.error(ModelSilent, "the connection ended before the answer was complete")

    def _ring(self) -> None:
        seconds = self._call.limits.idle_seconds
        waited = 0.0 if self._since is None else self._loop.time() - self._since
        if waited < seconds:
            self._timer = self._loop.call_later(seconds - waited, self._ring)
        else:
            self._silent = True
            self._response.close()

    def _lost(self, error: Exception) -> ModelError:
        if self._silent:
            what = f"fell silent for {self._call.limits.idle_seconds:g} s before the answer was complete"
        else:
            what = f"the connection was lost: {error!r}"
        return self._call.peer.error(ModelSilent, what)


async def _open(call: Call, splitter: Splitter) -> tuple[_Reader, list[bytes]]:
    """Send the request and wait for the first complete line. Raises ModelError."""
    try:
        async with asyncio.timeout(call.limits.first_token_seconds):
            response = await _post(call)
            try:
                reader = _Reader(call, response, splitter)
                return reader, await _first_lines(call, response, reader)
            except BaseException:
                response.close()
                raise
    except TimeoutError as error:
        what = f"nothing came within {call.limits.first_token_seconds:g} s"
        raise call.peer.error(ModelSilent, what) from error


async def _post(call: Call) -> ClientResponse:
    """Send the request; once more if the connection is lost at once.

    That is how a kept-alive connection fails which the server has closed in the meantime (RFC 9112, 9.3.1). Asking a
    model again is safe: nothing was answered yet.
    """
    started = asyncio.get_running_loop().time()
    try:
        return await _send(call)
    except ModelSilent:
        if asyncio.get_running_loop().time() - started > STALE_SECONDS:
            raise
    return await _send(call)


async def _send(call: Call) -> ClientResponse:
    body = BytesIO(call.body) if len(call.body) > _LARGE_BODY else call.body
    headers = {**_HEADERS, **call.headers}
    # The first-token and idle limits are this module's own: aiohttp's would also bound the whole answer.
    timeout = ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=None)
    try:
        return await call.http.post(call.url, data=body, headers=headers, timeout=timeout, allow_redirects=False)
    except InvalidURL as error:
        raise call.peer.error(ModelUnreachable, "its address is not a URL") from error
    except (ClientConnectorError, ConnectionTimeoutError) as error:
        raise call.peer.error(ModelUnreachable, f"cannot be reached: {error}") from error
    except (ClientError, ConnectionError) as error:
        raise call.peer.error(ModelSilent, f"the connection was lost: {error!r}") from error


async def _first_lines(call: Call, response: ClientResponse, reader: _Reader) -> list[bytes]:
    if response.status != 200:
        raise call.peer.refusal(response.status, await _error_body(response))
    lines: list[bytes] = []
    while not lines:  # bounded by the first-token timeout around it
        lines = await reader.lines()
    return lines


async def _error_body(response: ClientResponse) -> bytes:
    body = b""
    with suppress(TimeoutError, *_LOST):
        async with asyncio.timeout(ERROR_BODY_SECONDS):
            while len(body) < MAX_ERROR_BYTES and (data := await response.content.readany()):
                body += data
    return body[:MAX_ERROR_BYTES]


async def _close(opening: asyncio.Task[tuple[_Reader, list[bytes]]]) -> None:
    if not opening.done():
        opening.cancel()
        await asyncio.wait((opening,))
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].close()

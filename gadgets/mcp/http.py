"""A gadget server over HTTP: the SDK's transport ("streamable HTTP"), with bounds.

Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client.streamable_http import streamable_http_client

from gadgets.mcp.spec import MAX_MESSAGE, Address

EXCESS = "it gives more than can be taken in"
ASK_SECONDS = 10.0
"""For a connection, and for a request to be sent."""
SILENT_SECONDS = 3_600.0
"""How long a server that tells of changes may be silent; calls have their own limits."""


class Endpoint:
    """Where a server listens. `refused` is the last status that was no success, 0 while there is none."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.refused = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Any]:
        """The streams that the SDK's sessions use."""
        timeout = httpx2.Timeout(ASK_SECONDS, read=SILENT_SECONDS)
        hooks = {"response": [self._came]}
        async with (
            httpx2.AsyncClient(headers=dict(self._address.headers), timeout=timeout, event_hooks=hooks) as http,
            streamable_http_client(self._address.url, http_client=http, max_sse_event_size=MAX_MESSAGE) as streams,
        ):
            yield streams

    async def _came(self, response: httpx2.Response) -> None:
        """Called with every response before it is read: remembers refusals, and bounds what is read at once."""
        if response.is_error:
            self.refused = response.status_code
        if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    """A response's body, which must come to its end within the bound."""

    def __init__(self, stream: object) -> None:
        assert isinstance(stream, httpx2.AsyncByteStream)
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        room = MAX_MESSAGE
        async for chunk in self._stream:
            room -= len(chunk)
            if room < 0:
                raise httpx2.StreamError(EXCESS)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()

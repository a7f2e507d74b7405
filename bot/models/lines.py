"""Cuts a byte stream into lines (NDJSON) or events (SSE), whatever pieces it arrives in. Pure: no I/O.

NDJSON is one JSON value per line (https://github.com/ndjson/ndjson-spec). Server-sent events are `data:` lines ended
by an empty line (https://html.spec.whatwg.org/multipage/server-sent-events.html); a lone CR, which that text allows
and no known model server sends, does not end a line here.
"""

from typing import Protocol

MAX_LINE_BYTES = 4 * 1024 * 1024
"""The longest line or event taken in. A tool call with all its arguments arrives on one line."""

_BARE_ERROR = b"error:"


class LineTooLong(ValueError):
    """A line or event is longer than any answer of a model server."""


class Splitter(Protocol):
    """Turns pieces of a byte stream into complete lines or events. Both methods raise LineTooLong."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines or events that `data` completes, none of them empty."""
        ...

    def flush(self) -> list[bytes]:
        """What is left when the stream has ended in good order without a last line end."""
        ...


class _RawLines:
    """Lines with their carriage returns, empty ones included."""

    __slots__ = ("_limit", "_parts", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        may_be_long = self._size + len(data) > self._limit
        lines = data.split(b"\n")
        rest = lines.pop()
        if lines and self._parts:
            lines[0] = b"".join([*self._parts, lines[0]])
            self._parts, self._size = [], 0
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
        if may_be_long:
            self._check(lines)
        return lines

    def flush(self) -> list[bytes]:
        parts, self._parts, self._size = self._parts, [], 0
        return [b"".join(parts)] if parts else []

    def _check(self, lines: list[bytes]) -> None:
        if self._size > self._limit or (lines and max(map(len, lines)) > self._limit):
            raise LineTooLong(f"a line of more than {self._limit} bytes")


class LineSplitter:
    """NDJSON: one line, one value. White space around a line, CR included, and empty lines mean nothing."""

    __slots__ = ("_raw",)

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._raw = _RawLines(limit)

    def feed(self, data: bytes) -> list[bytes]:
        return [line for raw in self._raw.feed(data) if (line := raw.strip())]

    def flush(self) -> list[bytes]:
        return [line for raw in self._raw.flush() if (line := raw.strip())]


class EventSplitter:
    """SSE: the data of each event, its lines joined by a newline. Comments and other fields are left out.

    A line that is itself a JSON object, and the field `error:` that older llama.cpp servers use, become events of
    their own: so a server reports an error it has met after the stream began.
    """

    __slots__ = ("_data", "_limit", "_raw", "_size")

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._raw = _RawLines(limit)
        self._limit = limit
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        return self._events(self._raw.feed(data))

    def flush(self) -> list[bytes]:
        return self._events([*self._raw.flush(), b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        for raw in lines:
            line = raw.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._add(line[5:].removeprefix(b" "))
            elif not line:
                self._end(events)
            elif line.startswith(_BARE_ERROR):
                events.append(b'{"error":' + line[len(_BARE_ERROR) :] + b"}")
            elif line.startswith(b"{"):
                events.append(line)
        return events

    def _add(self, data: bytes) -> None:
        self._data.append(data)
        self._size += len(data) + 1
        if self._size > self._limit + 1:
            raise LineTooLong(f"an event of more than {self._limit} bytes")

    def _end(self, events: list[bytes]) -> None:
        if self._size > 1:
            events.append(b"\n".join(self._data))
        self._data.clear()
        self._size = 0

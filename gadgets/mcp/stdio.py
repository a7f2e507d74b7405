"""A gadget server as a child process: one JSON-RPC message per line on its standard input and output.

Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio, and …/basic/lifecycle#shutdown
for its end. The SDK's own transport takes in lines of any length, lets the child write on our standard error and ends
it more slowly than this program may take to end.
"""

import asyncio
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage

from gadgets.mcp.spec import MAX_MESSAGE, Command, ServerSpec
from gadgets.text import excerpt

END_SECONDS = 1.0
"""For a process to end by itself, and again for it to end when it is asked to."""
WAITING = 64
"""Messages to a server that does not read."""
SAID_LINES = 3

_said = logging.getLogger(f"content.{__name__}")
"""What a server prints may repeat what it was asked: it is in the log only where the operator wants such things."""

Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]


class ChildProcess:
    """A running server. `said` are its last words on standard error; `excess`: it was left for too long a message."""

    def __init__(self, spec: ServerSpec) -> None:
        self._spec = spec
        self.said: deque[str] = deque(maxlen=SAID_LINES)
        self.excess = False

    @asynccontextmanager
    async def opened(self, command: Command, ended: Callable[[], None]) -> AsyncIterator[tuple[Incoming, Outgoing]]:
        """Start it and give the streams that the SDK's sessions use. `ended` is called when it has said its last.

        Raises OSError when it cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            *command.words, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=MAX_MESSAGE, start_new_session=True,
            env=get_default_environment() | dict(command.env),
        )  # fmt: skip
        received, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        outgoing, to_send = anyio.create_memory_object_stream[SessionMessage](WAITING)
        tasks = [
            asyncio.create_task(self._read(process, received, ended)),
            asyncio.create_task(_write(process, to_send)),
            asyncio.create_task(self._listen(process)),
        ]
        try:
            yield incoming, outgoing
        finally:
            for stream in (received, incoming, outgoing, to_send):
                stream.close()
            try:
                await _end(process)
            finally:
                _kill_group(process, signal.SIGKILL)
                for task in tasks:
                    task.cancel()
                # Nothing public closes the pipes where the process left something unread, or to a process of its own.
                process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001

    async def _read(
        self, process: Process, received: MemoryObjectSendStream[SessionMessage | Exception], ended: Callable[[], None]
    ) -> None:
        assert process.stdout is not None
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with received:
                while line := await self._line(process.stdout):
                    if message := _message(line):
                        await received.send(message)
        ended()

    async def _line(self, stdout: asyncio.StreamReader) -> bytes:
        """The next line; nothing at the end, and after a line that is too long."""
        try:
            return await stdout.readline()
        except ValueError:
            self.excess = True
            return b""

    async def _listen(self, process: Process) -> None:
        """Keep the last words: they tell why a process ended."""
        assert process.stderr is not None
        while data := await process.stderr.read(65_536):
            for line in self._spec.hide(data.decode("utf-8", "replace")).splitlines()[-SAID_LINES:]:
                self.said.append(excerpt(line))
                _said.debug("%s says: %s", self._spec.name, excerpt(line))


def _message(line: bytes) -> SessionMessage | None:
    """None for what is no message: some programs greet on standard output."""
    try:
        return SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        return None


async def _write(process: Process, to_send: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None
    with suppress(OSError, anyio.ClosedResourceError):
        async for each in to_send:
            process.stdin.write(each.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            await process.stdin.drain()


async def _end(process: Process) -> None:
    """Close its input, which asks it to end, then ask by signals, the last of which nothing survives."""
    assert process.stdin is not None
    process.stdin.close()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            _kill_group(process, number)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_SECONDS)
            return


def _kill_group(process: Process, number: signal.Signals) -> None:
    """The process leads a group of its own, in which are those that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)

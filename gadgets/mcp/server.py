"""A gadget server that is kept connected: connected in the background, and again whenever the connection is lost."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from gadgets.errors import GadgetFailed
from gadgets.gadget import Gadget
from gadgets.mcp.spec import ServerSpec

if TYPE_CHECKING:
    from gadgets.mcp.connection import Connection
    from gadgets.mcp.tools import Tool

CONNECT_SECONDS = 60.0
"""Until the tools are known. Some commands first download what they start."""
FIRST_PAUSE = 0.5
MAX_PAUSE = 60.0
"""Seconds before the next attempt; each is twice as long as the one before."""
STEADY_SECONDS = 30.0
"""A connection that held so long makes the next pause a short one."""
LIST_PAUSE = 0.5
"""Seconds between two looks at the tools of a server that says they change."""

_log = logging.getLogger(__name__)


class Server:
    """One configured server. `gadgets` are those it had when it was last connected.

    `settled` is set when the first attempt to connect has come to its end. `announce` is called when there are other
    gadgets.
    """

    def __init__(self, spec: ServerSpec, announce: Callable[[], None]) -> None:
        self.spec = spec
        self.gadgets: tuple[Gadget, ...] = ()
        self.settled = asyncio.Event()
        self.announce = announce
        self._connection: Connection | None = None
        self._listed: Sequence[Tool] = ()
        self._news = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.lost

    async def keep(self) -> None:
        """Connect, and connect again, until it is cancelled."""
        await asyncio.to_thread(_machinery)
        pause = 0.0
        clock = asyncio.get_running_loop().time
        while True:  # ends by being cancelled, and waits in every round
            began = clock()
            try:
                await self._serve()
                _log.warning("%s: the connection is lost", self.spec.name)
            except Exception as error:  # noqa: BLE001 - of any kind: a third party is on the other side
                _log.warning("%s: no connection: %s", self.spec.name, _told(error))
            self.settled.set()
            pause = next_pause(pause, clock() - began)
            await asyncio.sleep(pause)

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """What the tool gave. Raises GadgetError."""
        connection = self._connection
        if connection is None or connection.lost:
            raise GadgetFailed(self.absence)
        return await connection.call(tool, arguments)

    @property
    def absence(self) -> str:
        return f"The gadget server `{self.spec.name}` is not reachable at the moment."

    async def _serve(self) -> None:
        """Until the connection is lost."""
        from gadgets.mcp.connection import connect  # noqa: PLC0415 - expensive, and imported in a thread before

        self._news.clear()
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(CONNECT_SECONDS):
                    connection = await stack.enter_async_context(connect(self.spec, self._news.set))
                    await self._list(connection)
                self._connection = connection
                self.settled.set()
                _log.info("%s: connected, %d gadgets", self.spec.name, len(self.gadgets))
                await self._follow(connection)
        finally:
            self._connection = None

    async def _follow(self, connection: "Connection") -> None:
        while not connection.lost:
            await self._news.wait()
            self._news.clear()
            if connection.changed:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._list(connection)
                await asyncio.sleep(LIST_PAUSE)

    async def _list(self, connection: "Connection") -> None:
        from gadgets.mcp.tools import gadgets_of  # noqa: PLC0415 - as above

        tools = await connection.tools()
        if tools != self._listed:
            self.gadgets = await asyncio.to_thread(gadgets_of, self.spec, tools, self.call)
            self._listed = tools
            self.announce()


def next_pause(last: float, held: float) -> float:
    """Seconds before the next attempt, after the last pause and an attempt or a connection that `held` so long."""
    return FIRST_PAUSE if held > STEADY_SECONDS or not last else min(MAX_PAUSE, 2 * last)


def _machinery() -> None:
    """Import what takes long, in a thread."""
    import gadgets.mcp.connection  # noqa: F401, PLC0415


def _told(error: Exception) -> str:
    return str(error) or ("it gave no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)

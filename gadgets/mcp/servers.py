"""All gadget servers together: gadgets that come and go while the program runs."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Self

from gadgets.gadget import Gadget
from gadgets.mcp.server import Server
from gadgets.mcp.spec import ServerSpec

FIRST_SECONDS = 10.0
"""After the start, how long a message waits for the gadgets of a server that is still being connected."""
END_SECONDS = 4.0
"""For all servers to be left, at the end of the program."""


class GadgetServers:
    """What a `Toolbox` asks for gadgets beside its own. `async with` begins to connect, and waits for nobody."""

    def __init__(self, specs: Sequence[ServerSpec]) -> None:
        self.servers = tuple(Server(spec, self._renew) for spec in specs)
        self.version = 0
        self.gadgets: tuple[Gadget, ...] = ()
        self._by_name: dict[str, Gadget] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._until = 0.0

    async def __aenter__(self) -> Self:
        self._until = asyncio.get_running_loop().time() + FIRST_SECONDS
        self._tasks = [asyncio.create_task(server.keep(), name=server.spec.name) for server in self.servers]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, slow = await asyncio.wait(self._tasks, timeout=END_SECONDS)
            for task in slow:  # e.g. a server that does not take our leave
                task.cancel()

    def find(self, name: str) -> Gadget | None:
        return self._by_name.get(name)

    async def settle(self, named: Collection[str]) -> None:
        """Wait, not longer than a few seconds after the start, for the servers whose gadgets are named."""
        left = self._until - asyncio.get_running_loop().time()
        waited = [server for server in self.servers if not server.settled.is_set() and _is_named(server, named)]
        if left <= 0 or not waited:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                for server in waited:
                    await server.settled.wait()

    def absence(self, name: str) -> str | None:
        """A sentence about a gadget that is not there because its server is not."""
        for server in self.servers:
            if name.startswith(f"{server.spec.name}_") and not server.connected:
                return server.absence
        return None

    def _renew(self) -> None:
        self.gadgets = tuple(gadget for server in self.servers for gadget in server.gadgets)
        self._by_name = {gadget.name: gadget for gadget in self.gadgets}
        self.version += 1


def _is_named(server: Server, named: Collection[str]) -> bool:
    return any(each == "*" or each.startswith(f"{server.spec.name}_") for each in named)

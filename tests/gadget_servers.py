"""Gadget servers as processes of their own, and gadgets of them being called."""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from gadgets.context import Occasion
from gadgets.mcp.servers import GadgetServers
from gadgets.mcp.spec import Address, Command, ServerSpec
from gadgets.roles import Role
from gadgets.toolbox import Outcome, Toolbox
from tests.waiting import until

ROOT = Path(__file__).parents[1]
KEY = "sesame-open"
"""What a server on a socket asks for."""
POLITE = (sys.executable, "-P", str(ROOT / "tests/fakes/mcp_server.py"))
RUDE = (sys.executable, "-P", str(ROOT / "tests/fakes/mcp_rude_server.py"))


def on_pipes(*options: str, name: str = "files", timeout: float = 20.0, **more: Any) -> ServerSpec:
    return ServerSpec(name, Command((*POLITE, *options)), timeout=timeout, **more)


def rude(habit: str, *, name: str = "rude", timeout: float = 20.0, env: Mapping[str, str] | None = None) -> ServerSpec:
    return ServerSpec(name, Command((*RUDE, habit), env or {}), timeout=timeout)


def on_socket(port: int, *, key: str = KEY, name: str = "files") -> ServerSpec:
    return ServerSpec(name, Address(f"http://127.0.0.1:{port}/mcp", {"X-Key": key}), timeout=20.0)


def with_env(spec: ServerSpec, env: Mapping[str, str]) -> ServerSpec:
    assert isinstance(spec.reach, Command)
    return replace(spec, reach=replace(spec.reach, env=env))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@asynccontextmanager
async def listening(port: int, *options: str) -> AsyncIterator[Process]:
    """The polite server on a socket; killed in the end."""
    process = await asyncio.create_subprocess_exec(*POLITE, "--port", str(port), "--key", KEY, *options)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Callers:
    """A toolbox with nothing but the gadgets of servers."""

    def __init__(self, servers: GadgetServers, http: aiohttp.ClientSession) -> None:
        self.servers = servers
        self.toolbox = Toolbox((), visiting=servers)
        self._http = http

    @property
    def names(self) -> list[str]:
        return [gadget.name for gadget in self.toolbox.gadgets]

    async def __call__(self, name: str, /, *, role: Role = "everyone", **arguments: Any) -> Outcome:
        occasion = Occasion("test:1", role=role)
        return await self.toolbox.call(name, arguments, http=self._http, occasion=occasion, settings={})

    async def connected(self) -> None:
        await until(lambda: all(server.connected for server in self.servers.servers))


@asynccontextmanager
async def servers_of(*specs: ServerSpec) -> AsyncIterator[Callers]:
    """All settled: connected, or not to be reached for now."""
    async with aiohttp.ClientSession() as http, GadgetServers(specs) as servers:
        for server in servers.servers:
            await server.settled.wait()
        yield Callers(servers, http)


def journal(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """The calls that arrived at a polite server."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [(name, arguments) for name, arguments in map(json.loads, lines)]


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

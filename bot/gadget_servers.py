"""The gadget servers of the settings, `[mcp.<name>]`. Nothing of them is imported where there are none."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from logging import WARNING, getLogger

from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.settings.mcp import GadgetServer
from bot.settings.sources import variables
from gadgets.mcp.spec import Address, Command, ServerSpec
from gadgets.toolbox import Visiting


@asynccontextmanager
async def gadget_servers(settings: Settings) -> AsyncIterator[Visiting | None]:
    """Those that are configured, being connected to in the background; None where there are none.

    Raises ConfigurationError.
    """
    if not settings.mcp:
        yield None
        return
    from gadgets.mcp.servers import GadgetServers  # noqa: PLC0415 - only where there are any

    quieten()
    async with GadgetServers(specs_of(settings)) as servers:
        yield servers


def specs_of(settings: Settings) -> list[ServerSpec]:
    """Raises ConfigurationError for a variable that is named and not set."""
    given = variables() if settings.mcp else {}
    return [_spec(name, server, given) for name, server in settings.mcp.items()]


def quieten() -> None:
    """The SDK logs every request, and traces of what is told here in a line."""
    for name in ("httpx2", "mcp", "client"):
        getLogger(name).setLevel(WARNING if name == "httpx2" else WARNING + 20)


def _spec(name: str, server: GadgetServer, given: Mapping[str, str]) -> ServerSpec:
    return ServerSpec(
        name=name,
        reach=_reach(name, server, given),
        allow=server.allow,
        tools=server.tools,
        timeout=server.timeout,
        cache_ttl=server.cache_ttl,
        approve=server.approve,
    )


def _reach(name: str, server: GadgetServer, given: Mapping[str, str]) -> Command | Address:
    if server.command:
        return Command(server.command, {each: _value(f"[mcp.{name}] env", each, given) for each in server.env})
    where = f"[mcp.{name}] headers"
    headers = {header: _header(where, header, each, given) for header, each in server.headers.items()}
    if server.token is not None:
        headers["Authorization"] = f"Bearer {server.token.get_secret_value()}"
    return Address(server.url, headers)


def _value(where: str, variable: str, given: Mapping[str, str]) -> str:
    if not given.get(variable):
        raise ConfigurationError(f"{where}: the variable {variable} is not set; set it in .env")
    return given[variable]


def _header(where: str, header: str, variable: str, given: Mapping[str, str]) -> str:
    """Messages do not name the variable: by mistake it may be the secret itself."""
    value = given.get(variable, "")
    if not value:
        raise ConfigurationError(f"{where}: the variable for {header} is not set; set it in .env")
    if not (value.isascii() and value.isprintable()):
        raise ConfigurationError(f"{where}: what the variable for {header} holds cannot be sent in a header")
    return value

"""One connection to a gadget server, from its opening to its loss. Importing this imports the SDK.

The SDK speaks the newest protocol with servers that know it (`server/discover`) and the older handshake with others.
Servers may ask nothing of us: no sampling, no questions to the user, no files.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import mcp_types as types
from mcp import Client, MCPError
from mcp.client.subscriptions import SubscriptionLost
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError

from gadgets.errors import BadArguments, GadgetFailed
from gadgets.mcp.http import EXCESS, Endpoint
from gadgets.mcp.results import text_of
from gadgets.mcp.spec import Command, ServerSpec
from gadgets.mcp.stdio import ChildProcess
from gadgets.mcp.tools import MAX_TOOLS, Tool
from gadgets.mcp.wording import told

MAX_PAGES = 100
"""Of a list of tools."""
MAX_SAID = 500
"""Characters of a server's error."""
SESSION_IS_GONE = "Session terminated"
"""The SDK's words for a server that does not know our session any more, because it was started anew."""

_log = logging.getLogger(__name__)
_Result = TypeAdapter[types.CallToolResult | types.InputRequiredResult](
    types.CallToolResult | types.InputRequiredResult
)
"""The SDK's own `call_tool` also checks results against the server's schema, which may keep the program busy."""


class Unreachable(Exception):
    """There is no connection: what is known of the reason, without any secret."""


class Connection:
    """An open connection. `lost` turns true when it has ended, `changed` when the tools may be others.

    `stir` is called when either does.
    """

    def __init__(self, spec: ServerSpec, process: ChildProcess, stir: Callable[[], None]) -> None:
        self._spec = spec
        self._process = process
        self._stir = stir
        self.client: Client | None = None
        self.lost = False
        self.changed = False

    async def tools(self) -> list[Tool]:
        """All that the server lists, within bounds. Raises MCPError, or pydantic's ValidationError."""
        self.changed = False
        found: list[Tool] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await self._opened.list_tools(cursor=cursor)
            found += [Tool(each.name, each.description or "", each.input_schema) for each in page.tools]
            cursor = page.next_cursor
            if cursor is None or len(found) >= MAX_TOOLS:
                break
        return found[:MAX_TOOLS]

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """What the tool gave. Raises BadArguments and GadgetFailed."""
        params = types.CallToolRequestParams(name=tool, arguments=dict(arguments))
        name = self._spec.name
        try:
            result = await self._opened.session.send_request(types.CallToolRequest(params=params), _Result)
        except MCPError as error:
            raise self._failure(error) from None
        except ValidationError:
            raise GadgetFailed(f"The gadget server `{name}` gave a result that cannot be read.") from None
        if isinstance(result, types.InputRequiredResult):
            raise GadgetFailed(f"The gadget server `{name}` asks for something that cannot be given here.")
        text = self._spec.hide(text_of(result))
        if result.is_error:
            raise GadgetFailed(f"The gadget server `{name}` reports an error: {told(text, MAX_SAID)}")
        return text

    def lose(self) -> None:
        self.lost = True
        self._stir()

    def change(self) -> None:
        self.changed = True
        self._stir()

    async def heard(self, message: object) -> None:
        """What the server says unasked."""
        if isinstance(message, types.ToolListChangedNotification):
            self.change()

    async def listen(self) -> None:
        """Since 2026-07-28 a server tells of changes only where it is asked to. Until the connection ends."""
        try:
            async with self._opened.listen(tools_list_changed=True) as events:
                async for _ in events:
                    self.change()
        except SubscriptionLost:
            self.lose()
        except MCPError as error:
            _log.debug("%s: tells of no changes: %s", self._spec.name, error)

    @property
    def _opened(self) -> Client:
        assert self.client is not None
        return self.client

    def _failure(self, error: MCPError) -> BadArguments | GadgetFailed:
        name = self._spec.name
        if error.code == types.CONNECTION_CLOSED or error.message == SESSION_IS_GONE:
            self.lose()
            if self._process.excess:
                return GadgetFailed(f"The gadget server `{name}` was left, because {EXCESS}.")
            return GadgetFailed(f"The connection to the gadget server `{name}` was lost; what was asked may be done.")
        said = told(self._spec.hide(error.message), MAX_SAID)
        kind = BadArguments if error.code == types.INVALID_PARAMS else GadgetFailed
        return kind(f"The gadget server `{name}` refuses: {said}")


@asynccontextmanager
async def connect(spec: ServerSpec, stir: Callable[[], None]) -> AsyncIterator[Connection]:
    """Connect, and close in the end, with the process of a server that was started. Raises Unreachable."""
    process, endpoint = ChildProcess(spec), None
    connection = Connection(spec, process, stir)
    transport: AbstractAsyncContextManager[Any]
    if isinstance(spec.reach, Command):
        transport = process.opened(spec.reach, connection.lose)
    else:
        endpoint = Endpoint(spec.reach)
        transport = endpoint.opened()
    info = types.Implementation(name="secret-agents", version="1")
    try:
        async with Client(transport, cache=None, message_handler=connection.heard, client_info=info) as client:
            connection.client = client
            listening = asyncio.create_task(connection.listen()) if _tells(client) else None
            try:
                yield connection
            finally:
                if listening is not None:
                    listening.cancel()
                    await asyncio.gather(listening, return_exceptions=True)
    except Exception as error:  # noqa: BLE001 - of any kind: a third party is on the other side
        said = " ".join(process.said)
        refused = f"HTTP {endpoint.refused}" if endpoint and endpoint.refused else ""
        reason = "; ".join(filter(None, [refused or _reason(error), said]))
        raise Unreachable(told(spec.hide(reason), MAX_SAID)) from None
    finally:
        connection.lost = True


def _tells(client: Client) -> bool:
    tools = client.server_capabilities.tools
    return bool(tools and tools.list_changed) and client.protocol_version in MODERN_PROTOCOL_VERSIONS


def _reason(error: BaseException) -> str:
    """The first cause, in a few words; never a trace."""
    for _ in range(10):
        if not isinstance(error, BaseExceptionGroup):
            break
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, TimeoutError):
        return "it gave no answer in time"
    if isinstance(error, ValidationError):
        return "it does not speak the protocol"
    return str(error).strip() or type(error).__name__

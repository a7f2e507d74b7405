"""A server's tools as gadgets."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gadgets.gadget import Gadget
from gadgets.mcp.arguments import Arguments
from gadgets.mcp.naming import gadget_names
from gadgets.mcp.spec import ServerSpec
from gadgets.mcp.tool_schema import reduced, tellable, told
from gadgets.mcp.wording import told as told_text

MAX_TOOLS = 1_000
"""Of one server. How many of them a model is told of, its context window decides."""
MAX_ABOUT = 400
"""Characters of a description."""

Call = Callable[[str, Mapping[str, Any]], Awaitable[str]]
"""Calls a tool of the server by the tool's own name. Raises GadgetError."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as its server describes it."""

    name: str
    description: str
    schema: Mapping[str, Any]


def gadgets_of(spec: ServerSpec, tools: Sequence[Tool], call: Call) -> tuple[Gadget, ...]:
    """Those of the tools that the operator allows and that can be told of. Blocking: thousands take a second."""
    wanted = {tool.name: tool for tool in tools if not spec.tools or tool.name in spec.tools}
    names = gadget_names(spec.name, list(wanted)[:MAX_TOOLS])
    schemas = {tool: reduced(wanted[tool].schema) for tool in names}
    fit = [tool for tool in names if tellable(schemas[tool])]
    made = [_gadget(spec, wanted[tool], names[tool], schemas[tool], call) for tool in fit]
    if len(made) < len(wanted):
        _log.warning("%s: %d of its %d tools cannot be gadgets", spec.name, len(wanted) - len(made), len(wanted))
    if not isinstance(spec.approve, bool) and (unknown := sorted(set(spec.approve) - {tool.name for tool in tools})):
        _log.warning("%s: approve names tools that it does not have: %s", spec.name, ", ".join(unknown))
    return tuple(made)


def _gadget(spec: ServerSpec, tool: Tool, name: str, schema: dict[str, Any], call: Call) -> Gadget:
    async def function(**arguments: Any) -> str:
        return await call(tool.name, arguments)

    return Gadget(
        name=name,
        description=told_text(spec.hide(tool.description), MAX_ABOUT) or f"A tool of {spec.name}.",
        parameters=told(schema),
        function=function,
        timeout=spec.timeout,
        status=f"using {name}…",
        allow=spec.allow,
        cache_ttl=spec.cache_ttl or None,
        approve=spec.asks_before(tool.name),
        check=Arguments(name, schema),
        origin=spec.name,
    )

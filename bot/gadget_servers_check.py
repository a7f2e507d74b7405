"""`secret-agents check` of one gadget server: it is started, or called, and asked for its tools."""

from bot.errors import ConfigurationError
from bot.finding import Finding
from bot.gadget_servers import quieten, specs_of
from bot.settings import Settings
from gadgets.mcp.connection import Unreachable, connect
from gadgets.mcp.spec import Command, ServerSpec
from gadgets.mcp.tools import Tool

SHOWN = 3
"""Names that a line has room for."""


async def check_gadget_server(settings: Settings, name: str) -> Finding:
    part = f"mcp {name}"
    quieten()
    try:
        spec = next(each for each in specs_of(settings) if each.name == name)
        async with connect(spec, lambda: None) as connection:
            tools = await connection.tools()
    except ConfigurationError as error:
        return Finding(part, "failed", str(error))
    except Unreachable as error:
        what = f"[mcp.{name}] command" if settings.mcp[name].command else f"[mcp.{name}] url, its token or headers"
        return Finding(part, "failed", f"{_where(spec)}: {error}", f"mend {what}")
    return _finding(part, spec, tools)


def _finding(part: str, spec: ServerSpec, tools: list[Tool]) -> Finding:
    offered = {tool.name for tool in tools}
    if missing := [name for name in spec.tools if name not in offered]:
        known = ", ".join(sorted(offered)[:SHOWN]) or "none"
        return Finding(part, "warning", f"has no tool {missing[0]!r}; it has {known}", f"mend [mcp.{spec.name}] tools")
    gadgets = len(spec.tools) or len(offered)
    return Finding(part, "ok", f"{_where(spec)}: {gadgets} gadgets for {spec.allow}")


def _where(spec: ServerSpec) -> str:
    return spec.reach.words[0] if isinstance(spec.reach, Command) else spec.reach.url

"""What a server's tools are called as gadgets: `<server>_<tool>`, as every model's function calling allows it."""

import re
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

MAX_NAME = 64
"""Characters of a function's name, as OpenAI's API has it: letters, digits, `_` and `-`."""
DIGITS = 8
"""Of a hash that tells names apart."""

_OTHERS = re.compile(r"[^A-Za-z0-9_-]+")


def gadget_names(server: str, tools: Iterable[str]) -> dict[str, str]:
    """Tool → gadget, each a different name, whatever order the tools come in.

    A tool whose name can be kept keeps it. One that has to be changed gets a hash of its name at the end where it is
    too long, or would be called like another one.
    """
    wanted = {tool: f"{server}_{_OTHERS.sub('_', tool).strip('_')}" for tool in tools}
    times = Counter(wanted.values())
    names: dict[str, str] = {}
    for tool, name in wanted.items():
        kept = name == f"{server}_{tool}" or times[name] == 1
        names[tool] = name if kept and len(name) <= MAX_NAME and not name.endswith("_") else _marked(name, tool)
    return _distinct(names)


def _marked(name: str, tool: str) -> str:
    mark = sha256(tool.encode("utf-8", "replace")).hexdigest()[:DIGITS]
    return f"{name[: MAX_NAME - DIGITS - 1].rstrip('_')}_{mark}"


def _distinct(names: dict[str, str]) -> dict[str, str]:
    """Without those that are called like another one after all, as only somebody who tries can bring about."""
    times = Counter(names.values())
    return {tool: name for tool, name in names.items() if times[name] == 1}

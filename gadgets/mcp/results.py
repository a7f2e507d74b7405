"""What a server's tool gave, as the text that a model reads. Pure."""

import json
from collections.abc import Iterator, Sequence

import mcp_types as types

from gadgets.mcp.wording import told

MAX_TEXT = 16_000
"""Characters that are looked at: the toolbox clips to half of that, after it has cleaned them."""
MAX_WORD = 200
"""Characters of a name or an address."""
NOTHING = "(It gave nothing.)"


def text_of(result: types.CallToolResult) -> str:
    """Texts are joined; pictures, sounds and files are named."""
    found = "\n".join(_bounded(result.content))[:MAX_TEXT]
    if not found.strip() and result.structured_content is not None:
        found = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))[:MAX_TEXT]
    return found if found.strip() else NOTHING


def _bounded(blocks: Sequence[types.ContentBlock]) -> Iterator[str]:
    room = MAX_TEXT
    for block in blocks:
        if room <= 0:
            return
        text = _named(block)[:room]
        room -= len(text) + 1
        yield text


def _named(block: types.ContentBlock) -> str:
    match block:
        case types.TextContent():
            return block.text
        case types.ImageContent() | types.AudioContent():
            return f"[{block.type}: {told(block.mime_type, MAX_WORD)}, {_size(block.data)}]"
        case types.ResourceLink():
            return f"[file: {told(block.name, MAX_WORD)}, {told(str(block.uri), MAX_WORD)}]"
        case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
            return resource.text
        case types.EmbeddedResource():
            return f"[file: {told(str(block.resource.uri), MAX_WORD)}]"


def _size(base64: str) -> str:
    """Base64 takes four characters for three bytes."""
    return f"{max(1, len(base64) * 3 // 4_000)} kB"

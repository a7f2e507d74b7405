"""The door to `markdown`: its libraries are not imported before a page is there to show what they make."""

import asyncio
import sys
from importlib import import_module

_MODULE = "bot.platforms.web.markdown"


async def prepare() -> None:
    """Import what `render` needs, in a thread: it takes 40 ms the first time, which nobody else waits for."""
    if _MODULE not in sys.modules:
        await asyncio.to_thread(import_module, _MODULE)


def render(text: str) -> str:
    """See `markdown.render`."""
    from bot.platforms.web.markdown import render as html_of  # noqa: PLC0415 - see above

    return html_of(text)

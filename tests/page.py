"""Finding the chat page of a `secret-agents run` that was just started."""

import asyncio
import re
from asyncio.subprocess import Process

from tests.command import SECONDS


async def page_of(process: Process) -> str:
    """The address that the log tells."""
    assert process.stderr
    async with asyncio.timeout(SECONDS):
        while line := (await process.stderr.readline()).decode():
            if found := re.search(r"the chat page is at (\S+)", line):
                return found[1].rstrip("/")
    raise AssertionError("the program ended before it served the page")

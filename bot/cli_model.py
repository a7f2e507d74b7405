"""`secret-agents model pull`."""

import argparse
import sys

from aiohttp import ClientSession, ClientTimeout

from bot.cli import OK
from bot.cli_output import print_text
from bot.embedded_weights import wanted_weights, weights_folder
from bot.models.downloads import Progress, progress_line
from bot.models.weights import SMALL, fetch
from bot.platforms.terminal_text import ERASE_LINE
from bot.settings import load

STEP = 10
"""Percent between two lines of a log; a terminal has one line that changes."""


async def pull(given: argparse.Namespace) -> int:
    """Raises ModelNotReady when the weights cannot be had. What has arrived is kept for the next time."""
    settings = load(given.config)
    chosen = SMALL if given.small else wanted_weights(settings)
    shown = _Shown()
    async with ClientSession(timeout=ClientTimeout(total=None)) as http:
        try:
            path = await fetch(chosen, weights_folder(settings), http=http, progress=shown.show)
        finally:
            shown.end()
    print_text(f"{chosen.name} is ready: {path}\nIt is licensed under Apache 2.0; the notice lies beside it.")
    return OK


class _Shown:
    """Progress on standard error."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._step = -1

    def show(self, progress: Progress) -> None:
        line = f"{progress_line(progress)} (from {progress.source})"
        if self._live:
            sys.stderr.write(ERASE_LINE + line)
        elif (step := 100 * progress.received // max(progress.total, 1) // STEP) != self._step:
            self._step = step
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        if self._live:
            sys.stderr.write(ERASE_LINE)

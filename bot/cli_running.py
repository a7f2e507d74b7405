"""The commands that start the bot, and those that look at what it needs."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

from bot.agent.roster import AUTO
from bot.app import App, AttachedPlatform, Parts, configured_platforms
from bot.cli import FAILED, OK
from bot.cli_missions import user_name
from bot.cli_output import print_json, print_table
from bot.errors import ConfigurationError
from bot.observing.logs import start_log
from bot.observing.redaction import redaction_of
from bot.settings import load

SIGNALLED = 128
"""A program that ends because of a signal has this plus the signal's number as exit status."""


async def run(given: argparse.Namespace) -> int:
    """Until SIGINT or SIGTERM, which is how it is meant to end."""
    settings = load(given.config)
    start_log(settings)
    if not (settings.web.enabled or settings.discord.on or settings.slack.on):
        raise ConfigurationError("[web] enabled: is false, and no other platform is on: there is nothing to run")
    asked = _Asked((signal.SIGINT, signal.SIGTERM))
    await _serve(App(settings, configured_platforms), asked.event)
    return OK


async def _serve(app: App, asked: asyncio.Event) -> None:
    """Open, run until `asked`, close. What is still being opened then is given up: it may wait for a silent server."""
    async with AsyncExitStack() as stack:
        opening = asyncio.create_task(stack.enter_async_context(app))
        waiting = asyncio.create_task(asked.wait())
        await asyncio.wait([opening, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if asked.is_set():
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            return
        await opening
        await app.run(until=asked)


async def chat(given: argparse.Namespace) -> int:
    from bot.platforms.terminal import TerminalPlatform  # noqa: PLC0415 - only for this command
    from bot.platforms.terminal_screen import Screen  # noqa: PLC0415 - see above

    settings = load(given.config)
    start_log(settings, logging.WARNING)
    live = sys.stdin.isatty() and sys.stdout.isatty()
    # A person's Ctrl-C is the platform's business; a pipe's ends the program.
    asked = _Asked((signal.SIGTERM,) if live else (signal.SIGINT, signal.SIGTERM))
    screen = Screen(sys.stdout, sys.stdout if live else sys.stderr, live=live)
    built: list[TerminalPlatform] = []

    def build(parts: Parts) -> Sequence[AttachedPlatform]:
        who = "Your agents" if settings.agent == AUTO else settings.agent
        greeting = f"{who} at your service: {parts.model.name} ({parts.model.provider})."
        user = user_name()
        descriptor = sys.stdin.fileno()
        built.append(
            TerminalPlatform(
                parts.database, screen, user=user, descriptor=descriptor, wanted=given.id, greeting=greeting
            )
        )
        return built

    await _serve(App(settings, build), asked.event)
    if asked.signal is not None:
        return SIGNALLED + asked.signal
    return FAILED if any(platform.failed for platform in built) else OK


class _Asked:
    """Signals that ask the program to end set `event`; `signal` is the first that came."""

    def __init__(self, signals: Iterable[signal.Signals]) -> None:
        self.event = asyncio.Event()
        self.signal: signal.Signals | None = None
        for each in signals:
            asyncio.get_running_loop().add_signal_handler(each, self._came, each)

    def _came(self, number: signal.Signals) -> None:
        self.signal = self.signal or number
        self.event.set()


async def check(given: argparse.Namespace) -> int:
    from bot.check import check_all  # noqa: PLC0415 - only for this command
    from bot.cli_record import check_backup  # noqa: PLC0415 - likewise

    if given.backup is not None:
        return await check_backup(given)
    settings = load(given.config)
    hidden = redaction_of(settings)  # servers repeat what they were told, and addresses have passwords
    findings = [replace(each, why=hidden(each.why), todo=hidden(each.todo)) for each in await check_all(settings)]
    if given.json:
        print_json([asdict(each) for each in findings])
    else:
        rows = [(each.part, each.state, each.why, each.todo) for each in findings]
        print_table(("Part", "State", "Why", "What to do"), rows)
    return FAILED if any(each.state == "failed" for each in findings) else OK

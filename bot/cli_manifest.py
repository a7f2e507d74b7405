"""`secret-agents manifest`: what a chat platform has to be told about the bot before it can connect."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bot.cli import OK
from bot.cli_output import print_json, print_text
from bot.platforms.discord import manifest as discord
from bot.platforms.slack import manifest as slack
from bot.settings import Settings, load


class Manifest(Protocol):
    """A platform's; nothing secret is in it."""

    def text(self) -> str: ...
    def as_json(self) -> dict[str, Any]: ...


async def manifest(given: argparse.Namespace) -> int:
    """Asks nobody: neither the network nor the platform's package is needed."""
    found = _MANIFESTS[given.platform](load(given.config))
    if given.json:
        print_json(found.as_json())
    else:
        print_text(found.text())
    return OK


def _discord(settings: Settings) -> Manifest:
    token = settings.discord.token
    return discord.manifest_of(token.get_secret_value() if token else None)


def _slack(settings: Settings) -> Manifest:
    found = slack.manifest_of(settings.slack)
    if found.note:
        sys.stderr.write(f"{found.note}\n")
    return found


_MANIFESTS: Mapping[str, Callable[[Settings], Manifest]] = {"discord": _discord, "slack": _slack}
"""Of those platforms that `bot.cli` names."""

"""`secret-agents manifest`: what a chat platform has to be told about the bot before it can connect."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bot.cli import OK
from bot.cli_output import print_json, print_text
from bot.platforms.discord.manifest import manifest_of
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
    return manifest_of(token.get_secret_value() if token else None)


_MANIFESTS: Mapping[str, Callable[[Settings], Manifest]] = {"discord": _discord}
"""Of those platforms that `bot.cli` names."""

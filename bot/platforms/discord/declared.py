"""The /mission command as Discord wants it declared, told to Discord only when it changed."""

import logging
from collections.abc import Mapping
from typing import Any

import discord

from bot.command_specs import COMMANDS, Argument, CommandSpec

_log = logging.getLogger(__name__)

NAME = "mission"
MAX_DESCRIPTION = 100
_CHAT_INPUT, _SUB_COMMAND, _STRING = 1, 1, 3
_GUILD_INSTALL, _IN_GUILDS, _IN_BOT_DM = 0, 0, 1


def declaration() -> dict[str, Any]:
    """Source: https://discord.com/developers/docs/interactions/application-commands."""
    return {
        "name": NAME,
        "type": _CHAT_INPUT,
        "description": "Begin, list, show, end and export missions",
        "contexts": [_IN_GUILDS, _IN_BOT_DM],
        "integration_types": [_GUILD_INSTALL],
        "options": [_subcommand(spec) for spec in COMMANDS],
    }


async def declare(http: discord.http.HTTPClient, application: int) -> bool:
    """Compare with what Discord knows, and replace it if it differs: creating is limited to 200 a day.

    Returns whether it had to be replaced. Raises discord.HTTPException.
    """
    known = await http.get_global_commands(application)
    wanted = [declaration()]
    if [_compared(each) for each in known] == [_compared(each) for each in wanted]:
        return False
    await http.bulk_upsert_global_commands(application, wanted)
    _log.info("/%s was declared to Discord", NAME)
    return True


def _subcommand(spec: CommandSpec) -> dict[str, Any]:
    return {
        "type": _SUB_COMMAND,
        "name": spec.name,
        "description": spec.description[:MAX_DESCRIPTION],
        "options": [_option(argument) for argument in spec.arguments],
    }


def _option(argument: Argument) -> dict[str, Any]:
    option: dict[str, Any] = {
        "type": _STRING,
        "name": argument.name,
        "description": argument.description[:MAX_DESCRIPTION],
        "required": False,
    }
    if argument.completes:
        return option | {"autocomplete": True}
    if argument.choices:
        return option | {"choices": [{"name": choice, "value": choice} for choice in argument.choices]}
    return option


def _compared(command: Mapping[str, Any]) -> dict[str, Any]:
    """What we declare of a command; Discord adds much, and leaves out what is empty or false."""
    compared: dict[str, Any] = {key: command.get(key) for key in ("name", "type", "description")}
    for key in ("contexts", "integration_types"):
        if key in command:
            compared[key] = sorted(command[key] or [])
    for key in ("required", "autocomplete"):
        compared[key] = bool(command.get(key))
    compared["choices"] = [(choice["name"], choice["value"]) for choice in command.get("choices") or []]
    compared["options"] = [_compared(option) for option in command.get("options") or []]
    return compared

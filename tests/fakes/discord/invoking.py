"""How a person's command or click reaches the bot: the data of INTERACTION_CREATE."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.discord.changes import Changes
from tests.fakes.discord.commands import Commands
from tests.fakes.discord.encoding import channel_json, interacting_member_json, user_json
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.permissions import P
from tests.fakes.discord.state import Channel, Json
from tests.fakes.discord.world import World

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, NUMBER = 1, 2, 3, 4, 5, 6, 10
TYPES: dict[int, type | tuple[type, ...]] = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: (int, float)}
IN_GUILD, IN_BOT_DM = 0, 1


class Invoking:
    def __init__(self, world: World, commands: Commands, changes: Changes) -> None:
        self._world = world
        self._commands = commands
        self._changes = changes

    def data(self, channel: Channel, path: Sequence[str], options: Json, typing: str | None = None) -> Json:
        """`path` is the command and its subcommands. Raises AssertionError for what nobody could type."""
        guild = channel.guild.id if channel.guild else None
        command = self._commands.find(guild, path[0])
        assert command is not None, f"there is no command /{path[0]}"
        contexts = command.get("contexts")
        here = IN_BOT_DM if guild is None else IN_GUILD
        assert contexts is None or here in contexts, f"/{path[0]} is not offered here"
        return {
            "id": command["id"],
            "name": command["name"],
            "type": command["type"],
            "options": _options(command, path[1:], options, typing),
        } | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})

    def event(self, interaction: Interaction) -> Json:
        channel, user, bot = interaction.channel, interaction.user, self._world.bot
        found: dict[str, Any] = {
            "id": str(interaction.id),
            "application_id": str(self._world.application_id),
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": channel_json(channel, bot),
            "app_permissions": str(int(self._world.allowed(bot, channel))),
            "attachment_size_limit": self._world.limits.file_bytes,
            "authorizing_integration_owners": interaction.owners(),
            "context": IN_BOT_DM if channel.guild is None else IN_GUILD,
            "entitlements": [],
            "locale": "en-US",
        }
        if interaction.source is not None:
            found["message"] = self._changes.encoder.message(interaction.source)
        if channel.guild is None:
            return found | {"user": user_json(user)}
        assert self._world.allowed(user, channel) & P.VIEW_CHANNEL, f"{user.name} does not see {channel.name}"
        guild = {"id": str(channel.guild.id), "locale": "en-US", "features": []}
        member = interacting_member_json(channel.guild.members[user.id], channel)
        return found | {"guild_id": guild["id"], "guild": guild, "guild_locale": "en-US", "member": member}


def _options(command: Json, path: Sequence[str], given: Json, typing: str | None) -> list[Json]:
    known = {each["name"]: each for each in command.get("options") or []}
    if path:
        inner = known.get(path[0])
        assert inner is not None, f"{command['name']} has no {path[0]}, only {list(known)}"
        assert inner["type"] in {SUBCOMMAND, GROUP}, f"{path[0]} is an option"
        return [{"name": path[0], "type": inner["type"], "options": _options(inner, path[1:], given, typing)}]
    nested = [name for name, each in known.items() if each["type"] in {SUBCOMMAND, GROUP}]
    assert not nested, f"{command['name']} needs one of {nested}"
    missing = [name for name, each in known.items() if each.get("required") and name not in given]
    assert typing or not missing, f"{command['name']} needs {missing}"
    return [_option(command["name"], known, name, value, typing) for name, value in given.items()]


def _option(command: str, known: Json, name: str, value: Any, typing: str | None) -> Json:
    option = known.get(name)
    assert option is not None, f"{command} has no option {name}, only {list(known)}"
    assert isinstance(value, TYPES[option["type"]]), f"{name} is of another type"
    found = {"name": name, "type": option["type"], "value": value}
    if name == typing:
        assert option.get("autocomplete"), f"{name} does not autocomplete"
        return found | {"focused": True}
    choices = [each["value"] for each in option.get("choices") or []]
    assert not choices or value in choices, f"{name} is one of {choices}"
    return found

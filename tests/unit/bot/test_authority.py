"""Roles, commands and gadgets as the settings have them."""

from pathlib import Path

import pytest

from bot.authority import configured_gadgets, rights_of
from bot.command_specs import COMMANDS
from bot.errors import ConfigurationError
from bot.platforms.platform import Author, ConversationKey
from bot.settings import Settings, load
from bot.settings.authority import CommandRoles
from gadgets.catalogue import ALL

CONFIG = """
[admins]
slack = ["U1"]
[operators]
slack = ["U2"]
[members]
web = ["w3"]
[commands]
new = "member"
export = "operator"
[gadgets.weather]
allow = "operator"
cache_ttl = 60
timeout_seconds = 3
[gadgets.dice]
allow = "member"
"""


def loaded(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return load(path)


def test_people_and_commands_become_rights(tmp_path: Path) -> None:
    rights = rights_of(loaded(tmp_path, CONFIG))
    slack, web = ConversationKey("slack", "T", "c", "t"), ConversationKey("web", "", "b", "t")
    people = [(slack, "U1"), (slack, "U2"), (slack, "w3"), (web, "w3"), (web, "U1")]
    roles = [rights.role(key, Author(user, "X")) for key, user in people]
    assert roles == ["admin", "operator", "everyone", "member", "everyone"]
    usable = {
        role: [spec.name for spec in COMMANDS if rights.may_use(spec.name, slack, Author("U9", "X", role=role))]
        for role in ("everyone", "member", "operator")
    }
    assert usable == {
        "everyone": ["list", "show", "end", "stop", "approve", "decline", "forget", "help"],
        "member": ["new", "list", "show", "end", "stop", "approve", "decline", "forget", "help"],
        "operator": [spec.name for spec in COMMANDS],
    }


def test_gadgets_are_as_their_tables_have_them(tmp_path: Path) -> None:
    settings = loaded(tmp_path, CONFIG)
    gadgets = {each.name: each for each in configured_gadgets(settings)}
    assert list(gadgets) == [each.name for each in ALL]
    assert (gadgets["weather"].allow, gadgets["weather"].cache_ttl) == ("operator", 60)
    assert (gadgets["dice"].allow, gadgets["dice"].cache_ttl) == ("member", None)
    assert gadgets["clock"] == next(each for each in ALL if each.name == "clock")


def test_every_command_but_help_has_a_setting_with_its_own_default() -> None:
    assert dict(CommandRoles().items()) == {spec.name: spec.allow for spec in COMMANDS if spec.name != "help"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[commands]\nexport = "root"', "[commands] export: must be one of"),
        ('[commands]\nhelp = "admin"', "[commands] help: is not a known key"),
        ('[gadgets.dice]\nallow = "Admin"', "[gadgets.dice] allow: must be one of"),
        ("[gadgets.dice]\ncache_ttl = 60", "[gadgets.dice] cache_ttl: is not a known key"),
        ("[gadgets.weather]\ncache_ttl = -1", "[gadgets.weather] cache_ttl: must be at least 0"),
        ("[operators]\nslack = [1]", "[operators] slack item 1: must be text"),
        ('[discord]\nmember_roles = ["Bond"]', "[discord] member_roles item 1"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, text)
    assert problem in str(refused.value)

"""Who has which role where, and what it takes to use a command."""

import pytest

from bot.command_rights import Rights
from bot.command_specs import COMMANDS
from bot.errors import NotAllowed
from bot.platforms.platform import Author, ConversationKey
from gadgets.roles import Role

HERE = ConversationKey("discord", "guild", "c", "t")
ELSEWHERE = ConversationKey("discord", "other guild", "c", "t")
PRIVATE = ConversationKey("discord", "", "dm", "")
OTHER_PLATFORM = ConversationKey("slack", "guild", "c", "t")

RIGHTS = Rights(
    {"discord": frozenset({"boss"})},
    {"discord": frozenset({"q", "boss"})},
    {"discord": frozenset({"eve", "q"})},
    commands={"end": "member", "new": "operator"},
)


@pytest.mark.parametrize(
    ("author", "role"),
    [
        (Author("nobody", "N"), "everyone"),
        (Author("eve", "E"), "member"),
        (Author("q", "Q"), "operator"),
        (Author("boss", "M"), "admin"),
        (Author("nobody", "N", role="member"), "member"),
        (Author("eve", "E", role="operator"), "operator"),
        (Author("q", "Q", role="member"), "operator"),
    ],
)
def test_the_highest_of_what_settings_and_platform_say_counts(author: Author, role: Role) -> None:
    assert RIGHTS.role(HERE, author) == RIGHTS.role(ELSEWHERE, author) == RIGHTS.role(PRIVATE, author) == role


def test_admins_by_the_platform_are_admins_in_their_workspace_only() -> None:
    author = Author("nobody", "N", admin=True)
    assert (RIGHTS.role(HERE, author), RIGHTS.role(PRIVATE, author)) == ("admin", "everyone")


@pytest.mark.parametrize("user", ["eve", "q", "boss"])
def test_an_id_means_somebody_else_on_another_platform(user: str) -> None:
    assert RIGHTS.role(OTHER_PLATFORM, Author(user, "X")) == "everyone"


def test_without_settings_export_is_for_admins_and_the_rest_for_everyone() -> None:
    usable = [spec.name for spec in COMMANDS if Rights({}).may_use(spec.name, HERE, Author("nobody", "N"))]
    assert usable == [spec.name for spec in COMMANDS if spec.name != "export"]
    Rights({}).require("export", HERE, Author("nobody", "N", admin=True))


@pytest.mark.parametrize(
    ("user", "command", "sentence"),
    [
        ("nobody", "end", "Only members and those above them may end missions."),
        ("eve", "new", "Only operators and those above them may begin missions."),
        ("q", "export", "Only admins may export missions."),
    ],
)
def test_who_may_not_use_a_command_is_told_who_may(user: str, command: str, sentence: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        RIGHTS.require(command, HERE, Author(user, "X"))
    assert str(refused.value) == sentence


@pytest.mark.parametrize(("user", "command"), [("eve", "end"), ("q", "end"), ("q", "new"), ("boss", "new")])
def test_who_may_use_it_may(user: str, command: str) -> None:
    RIGHTS.require(command, HERE, Author(user, "X"))

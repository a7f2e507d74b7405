"""The allow and deny lists of [discord]."""

from typing import Any

import pytest

from bot.platforms.discord.access import Access, Visitor
from bot.settings.sections import Discord

USER, GUILD, CHANNEL, CATEGORY, THREAD, ROLE, DM = 1, 2, 3, 4, 5, 6, 7
MEMBER = Visitor(USER, GUILD, frozenset({CHANNEL, CATEGORY, THREAD}), frozenset({ROLE}))
IN_PRIVATE = Visitor(USER, None, frozenset({DM}))


def admits(visitor: Visitor, **settings: Any) -> bool:
    return Access(Discord(**settings)).admits(visitor)


@pytest.mark.parametrize("visitor", [MEMBER, IN_PRIVATE])
def test_without_lists_everybody_is_admitted(visitor: Visitor) -> None:
    assert admits(visitor)


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("users", USER),
        ("roles", ROLE),
        ("guilds", GUILD),
        ("channels", CHANNEL),
        ("channels", CATEGORY),
        ("channels", THREAD),
    ],
)
class TestEveryList:
    def test_an_allow_list_admits_its_own(self, kind: str, own: int) -> None:
        assert admits(MEMBER, **{f"allow_{kind}": [str(own)]})

    def test_an_allow_list_admits_nobody_else(self, kind: str, own: int) -> None:
        assert not admits(MEMBER, **{f"allow_{kind}": [str(own + 100)]})

    def test_a_deny_list_denies_its_own(self, kind: str, own: int) -> None:
        assert not admits(MEMBER, **{f"deny_{kind}": [str(own)]})

    def test_a_deny_list_denies_nobody_else(self, kind: str, own: int) -> None:
        assert admits(MEMBER, **{f"deny_{kind}": [str(own + 100)]})

    def test_deny_wins(self, kind: str, own: int) -> None:
        everything = {"users": USER, "roles": ROLE, "guilds": GUILD, "channels": CHANNEL}
        allowed = {f"allow_{each}": [str(number)] for each, number in everything.items()}
        assert not admits(MEMBER, **allowed, **{f"deny_{kind}": [str(own)]})


def test_one_of_the_lists_of_users_and_roles_has_to_allow() -> None:
    assert admits(MEMBER, allow_users=["100"], allow_roles=[str(ROLE)])
    assert admits(MEMBER, allow_users=[str(USER)], allow_roles=["100"])
    assert not admits(MEMBER, allow_users=["100"], allow_roles=["100"])


def test_lists_of_servers_and_channels_say_nothing_about_direct_messages() -> None:
    assert admits(IN_PRIVATE, allow_guilds=[str(GUILD)], allow_channels=[str(CHANNEL)])
    assert not admits(IN_PRIVATE, direct_messages=False)
    assert admits(MEMBER, direct_messages=False)


def test_a_direct_message_channel_can_be_denied() -> None:
    assert not admits(IN_PRIVATE, deny_channels=[str(DM)])


@pytest.mark.parametrize("setting", ["allow_roles", "deny_roles"])
def test_where_roles_matter_direct_messages_are_only_for_allowed_users(setting: str) -> None:
    assert not admits(IN_PRIVATE, **{setting: [str(ROLE)]})
    assert admits(IN_PRIVATE, **{setting: [str(ROLE)]}, allow_users=[str(USER)])


def test_bots_and_webhooks_are_denied_unless_the_settings_say_otherwise() -> None:
    robot = Visitor(USER, GUILD, frozenset({CHANNEL}), automatic=True)
    assert not admits(robot)
    assert not admits(robot, allow_users=[str(USER)])
    assert admits(robot, answer_bots=True)
    assert not admits(robot, answer_bots=True, deny_users=[str(USER)])


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (frozenset[int](), "everyone"),
        (frozenset({ROLE + 1}), "everyone"),
        (frozenset({ROLE}), "member"),
        (frozenset({10}), "operator"),
        (frozenset({ROLE, 10}), "operator"),
    ],
)
def test_roles_of_the_server_stand_for_more_rights(roles: frozenset[int], role: str) -> None:
    access = Access(Discord.model_validate({"member_roles": [str(ROLE)], "operator_roles": ["10"]}))
    assert access.role(roles) == role
    assert Access(Discord()).role(roles) == "everyone"

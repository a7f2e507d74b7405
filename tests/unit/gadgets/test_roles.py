import pytest

from gadgets.roles import ROLES, Role, highest, lowest, reaches, role_named, those


def test_each_role_reaches_itself_and_those_before_it() -> None:
    reached = {role: [needed for needed in ROLES if reaches(role, needed)] for role in ROLES}
    assert reached == {
        "everyone": ["everyone"],
        "member": ["everyone", "member"],
        "operator": ["everyone", "member", "operator"],
        "admin": ["everyone", "member", "operator", "admin"],
    }


def test_of_no_roles_the_highest_gives_no_rights() -> None:
    assert highest() == "everyone"
    assert highest("member", "admin", "everyone") == "admin"
    assert lowest("member", "admin") == "member"


@pytest.mark.parametrize(("word", "role"), [("admin", "admin"), ("Admin", "everyone"), ("root", "everyone")])
def test_a_word_that_is_no_role_gives_no_rights(word: str, role: Role) -> None:
    assert role_named(word) == role


def test_roles_are_told_in_words() -> None:
    assert [those(role) for role in ROLES] == [
        "everyone",
        "members and those above them",
        "operators and those above them",
        "admins",
    ]

"""/mission as text."""

import pytest

from bot.commands import COMMANDS, parse
from bot.errors import UserError


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("/mission show abcd", ("show", {"id": "abcd"})),
        ("/mission NEW taskmaster", ("new", {"agent": "taskmaster"})),
        ("  /mission   list ", ("list", {})),
        ("/mission", ("help", {})),
        ("/help", ("help", {})),
        ("/stop", ("stop", {})),
        ("/missionary work", None),
        ("tell me about /mission", None),
        ("", None),
    ],
)
def test_a_line_is_a_command_or_it_is_not(line: str, parsed: tuple[str, dict[str, str]] | None) -> None:
    assert parse(line) == parsed


@pytest.mark.parametrize("line", ["/mission destroy", "/mission end a b", "/mission list all of them", "/stop it now"])
def test_a_wrong_command_says_what_is_right(line: str) -> None:
    with pytest.raises(UserError, match="/mission"):
        parse(line)


def test_every_command_has_a_description_for_people() -> None:
    assert all(spec.description and spec.usage.startswith("/mission ") for spec in COMMANDS)

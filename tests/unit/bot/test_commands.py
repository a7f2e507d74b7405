"""/mission as text."""

from typing import get_args

import pytest

from bot.command_specs import FORMATS
from bot.commands import COMMANDS, parse
from bot.errors import UserError
from storage.export_formats import Format


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("/mission show abcd", ("show", {"id": "abcd"})),
        ("/mission NEW taskmaster", ("new", {"agent": "taskmaster"})),
        ("  /mission   list ", ("list", {})),
        ("/mission show abcd 57", ("show", {"id": "abcd", "before": "57"})),
        ("/mission export all jsonl", ("export", {"id": "all", "format": "jsonl"})),
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


@pytest.mark.parametrize(
    "line",
    ["/mission destroy", "/mission end a b", "/mission export all md x", "/mission list all of them", "/stop it now"],
)
def test_a_wrong_command_says_what_is_right(line: str) -> None:
    with pytest.raises(UserError, match="/mission"):
        parse(line)


def test_every_command_has_a_description_for_people() -> None:
    assert all(spec.description and spec.usage.startswith("/mission ") for spec in COMMANDS)


def test_arguments_fit_into_what_the_platforms_show() -> None:
    """Discord takes names of 32 characters, descriptions of 100, and 25 choices."""
    arguments = [argument for spec in COMMANDS for argument in spec.arguments]
    assert all(len(spec.name) <= 32 and 0 < len(spec.description) <= 100 for spec in COMMANDS)
    assert all(len(one.name) <= 32 and 0 < len(one.description) <= 100 for one in arguments)
    assert all(len(argument.choices) <= 25 for argument in arguments)


def test_the_formats_offered_are_those_there_are() -> None:
    assert get_args(Format) == FORMATS

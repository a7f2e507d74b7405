import re

import pytest

from gadgets.dice import MAX_ADDED, MAX_DICE, MAX_NOTATION, MAX_SIDES, MAX_TERMS, dice, rolled
from gadgets.errors import BadArguments


def highest(sides: int) -> int:
    return sides


@pytest.mark.parametrize(
    ("notation", "told"),
    [
        ("d6", "d6: 6"),
        ("1d6", "1d6: 6"),
        ("2d6+1", "2d6+1: 6 + 6 + 1 = 13"),
        (" 2 D6 - 1 ", "2d6-1: 6 + 6 - 1 = 11"),
        ("-1d4+10", "-1d4+10: - 4 + 10 = 6"),
        ("d%", "d%: 100"),
        ("2w8", "2w8: 8 + 8 = 16"),
        ("2d6+1d4-d8", "2d6+1d4-d8: 6 + 6 + 4 - 8 = 8"),
        ("7", "7: 7"),
    ],
)
def test_every_die_and_the_sum_are_told(notation: str, told: str) -> None:
    assert rolled(notation, highest) == told


@pytest.mark.parametrize(
    "notation",
    [
        "",
        "dice",
        "2d",
        "2d6d8",
        "2d6 3",
        "2d6++1",
        "1d1",
        "0d6",
        "1d0",
        f"{MAX_DICE + 1}d6",
        f"{MAX_DICE}d6+1d6",
        f"1d{MAX_SIDES + 1}",
        f"1d6+{MAX_ADDED + 1}",
        "+".join(["d6"] * (MAX_TERMS + 1)),
        "d6" + " " * MAX_NOTATION,
        "99999999999999999999d6",
        "2d6\x00",
        "٢d6",
        "2d6; rm -rf",
    ],
)
def test_what_is_no_dice_is_refused(notation: str) -> None:
    with pytest.raises(BadArguments):
        rolled(notation, highest)


def test_the_bounds_themselves_are_fine() -> None:
    assert rolled(f"{MAX_DICE}d{MAX_SIDES}", highest).endswith(f"= {MAX_DICE * MAX_SIDES}")


async def test_a_die_shows_each_of_its_numbers_and_no_other() -> None:
    thrown = {await dice.function("1d4") for _ in range(400)}
    assert thrown == {"1d4: 1", "1d4: 2", "1d4: 3", "1d4: 4"}


async def test_without_notation_it_is_one_ordinary_die() -> None:
    assert re.fullmatch(r"1d6: [1-6]", await dice.function())

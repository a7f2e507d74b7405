"""The gadget `dice`: throws what players of board games write, such as 2d6+1."""

import re
import secrets
from collections.abc import Callable

from gadgets.errors import BadArguments
from gadgets.gadget import gadget
from gadgets.text import excerpt

MAX_TERMS = 10
MAX_DICE = 100
"""In all."""
MAX_SIDES = 1_000
MAX_ADDED = 1_000_000
MAX_NOTATION = 100
"""Characters."""

_TERM = re.compile(r"([+-]?)(?:(\d{0,4})[dw](\d{1,4}|%)|(\d{1,7}))", re.ASCII)
_SPACE = re.compile(r"^\s+|\s+$|\s+(?=[-+dw])|(?<=[-+dw])\s+")
Throw = Callable[[int], int]
"""Throws one die with this many sides."""


@gadget(status="rolling the dice…")
async def dice(notation: str = "1d6") -> str:
    """Roll dice, toss a coin or draw a random number.

    Args:
        notation: What to roll: "d6", "2d6+1", "1d2" for a coin, "1d100" for a number from 1 to 100.
    """
    return rolled(notation, lambda sides: secrets.randbelow(sides) + 1)


def rolled(notation: str, throw: Throw) -> str:
    """Each die and the sum, e.g. `2d6+1: 3 + 5 + 1 = 9`. Raises BadArguments."""
    terms = _terms(notation)
    if sum(count for _, count, sides in terms if sides) > MAX_DICE:
        raise BadArguments(f"I have only {MAX_DICE} dice.")
    numbers = [number for term in terms for number in _numbers(term, throw)]
    written = _SPACE.sub("", notation.lower())
    if len(numbers) == 1:
        return f"{written}: {numbers[0]}"
    shown = " ".join(f"{'-' if number < 0 else '+'} {abs(number)}" for number in numbers).removeprefix("+ ")
    return f"{written}: {shown} = {sum(numbers)}"


_Term = tuple[int, int, int]
"""Sign, count, sides; without sides `count` is a plain number."""


def _terms(notation: str) -> list[_Term]:
    text = _SPACE.sub("", notation.lower())
    found = list(_TERM.finditer(text)) if len(notation) <= MAX_NOTATION else []
    whole = "".join(each[0] for each in found)
    joined = all(each[1] for each in found[1:])
    if not found or whole != text or not joined or len(found) > MAX_TERMS:
        raise BadArguments(f"“{excerpt(notation)}” is no dice; write them like 2d6+1, at most {MAX_TERMS} of them.")
    return [_term(each) for each in found]


def _term(found: re.Match[str]) -> _Term:
    sign = -1 if found[1] == "-" else 1
    if found[4]:
        if int(found[4]) > MAX_ADDED:
            raise BadArguments(f"At most {MAX_ADDED:,} can be added.")
        return sign, int(found[4]), 0
    count, sides = int(found[2] or "1"), 100 if found[3] == "%" else int(found[3])
    if not (1 <= count <= MAX_DICE and 2 <= sides <= MAX_SIDES):
        raise BadArguments(f"I have {MAX_DICE} dice, with 2 to {MAX_SIDES:,} sides.")
    return sign, count, sides


def _numbers(term: _Term, throw: Throw) -> list[int]:
    sign, count, sides = term
    return [sign * throw(sides) for _ in range(count)] if sides else [sign * count]

"""Drawing lots for a field mission: the same seed draws the same, on every machine and with every version of Python."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


def number(below: int, *seed: object) -> int:
    """0 to `below` - 1."""
    return int.from_bytes(sha256("\n".join(map(str, seed)).encode()).digest()) % below


def shuffled(these: Sequence[T], *seed: object) -> list[T]:
    """All of them, in an order that depends on the seed and on how many there are."""
    places = sorted(range(len(these)), key=lambda place: number(1 << 64, *seed, place))
    return [these[place] for place in places]

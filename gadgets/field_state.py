"""What is kept of a field mission between two moves, and what follows from it. Pure.

The secret text is not in it: a mission remembers which phrase and which key were drawn. See `gadgets.field_mission`.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from gadgets import field_cities, field_draw, field_wardrobe
from gadgets.field_ciphers import CIPHERS, PHRASES, Cipher
from gadgets.field_cities import CITIES, City
from gadgets.field_wardrobe import Weather

FAMILY = "field_mission"
"""The name under which the game's gadgets keep their state."""
DESTINATIONS = 3
KEYS = 10_000
MAX_TRIED = 50
"""Tries that are remembered, so that the same one twice is one mistake."""

Phase = Literal["travel", "disguise", "crack", "report", "over"]
PHASES: dict[Phase, str] = {
    "travel": "travel",
    "disguise": "put on a disguise",
    "crack": "crack the code",
    "report": "report back",
    "over": "accomplished",
}
"""In their order, as people are told of them."""

FULL_SCORE = 100
FREE_TURNS = 5
"""Turns that the shortest mission takes: briefing, travel, disguise, code, report."""
TURN_COST, MAX_TURN_COST = 2, 30
MISTAKE_COST, MAX_MISTAKE_COST = 5, 30
HINT_COSTS = (5, 10, 15)
"""Of the first, second and third hint on the code; the one on the disguise costs as much as the first."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A destination that was drawn, with the code that waits there."""

    city: str
    cipher: str
    phrase: int
    key: int


@dataclass(frozen=True, slots=True)
class Mission:
    """A mission after so many moves. Times are UTC, ISO-8601. `at` is the place of the chosen offer.

    `turns` counts the turns with a move, the last of which was `turn`. `tried` are outfits and digests of guesses, the
    wrong ones.
    """

    seed: str
    started: str
    offers: tuple[Offer, ...]
    phase: Phase = "travel"
    at: int = 0
    weather: Weather | None = None
    rack: tuple[str, ...] = ()
    outfit: str = ""
    outfit_hinted: bool = False
    hints: int = 0
    mistakes: int = 0
    tried: tuple[str, ...] = ()
    turns: int = 1
    turn: int = 0
    hinted_in: int = 0
    ended: str = ""

    @property
    def offer(self) -> Offer:
        return self.offers[self.at]

    @property
    def city(self) -> City:
        return field_cities.BY_NAME[self.offer.city]

    @property
    def cipher(self) -> Cipher:
        return CIPHERS[self.offer.cipher]

    @property
    def plaintext(self) -> str:
        return PHRASES[self.offer.phrase]

    @property
    def ciphertext(self) -> str:
        return self.cipher.encipher(self.plaintext, self.offer.key)

    @property
    def clues(self) -> tuple[str, ...]:
        """The hints on the code that were given."""
        return self.cipher.hints(self.offer.key)[: self.hints]

    @property
    def late(self) -> int:
        return min(MAX_TURN_COST, TURN_COST * max(0, self.turns - FREE_TURNS))

    @property
    def clumsy(self) -> int:
        return min(MAX_MISTAKE_COST, MISTAKE_COST * self.mistakes)

    @property
    def helped(self) -> int:
        return sum(HINT_COSTS[: self.hints]) + HINT_COSTS[0] * self.outfit_hinted

    @property
    def score(self) -> int:
        """What it is worth so far; the code's bonus counts from when it is cracked."""
        bonus = self.cipher.bonus if self.phase in {"report", "over"} else 0
        return FULL_SCORE + bonus - self.late - self.clumsy - self.helped

    @property
    def minutes(self) -> int:
        """By the clock, from the briefing to the end."""
        taken = datetime.fromisoformat(self.ended or self.started) - datetime.fromisoformat(self.started)
        return max(0, int(taken.total_seconds())) // 60


def drawn(seed: str, turn: int, now: datetime) -> Mission:
    """A new mission: three cities, each with a cipher and a phrase of its own."""
    cities = field_draw.shuffled(CITIES, seed, "cities")[:DESTINATIONS]
    ciphers = field_draw.shuffled(list(CIPHERS), seed, "ciphers")
    phrases = field_draw.shuffled(range(len(PHRASES)), seed, "phrases")
    offers = tuple(
        Offer(city.name, cipher, phrase, field_draw.number(KEYS, seed, "key", city.name))
        for city, cipher, phrase in zip(cities, ciphers, phrases, strict=False)
    )
    return Mission(seed, now.isoformat(timespec="seconds"), offers, turn=turn)


def loaded(state: Mapping[str, Any]) -> Mission | None:
    """The mission that is kept, None where there is none, or none that this program can go on with."""
    if not state:
        return None
    try:
        mission = msgspec.convert(dict(state), type=Mission)
        return mission if _sound(mission) else None
    except (msgspec.ValidationError, ValueError):
        return None


def kept(mission: Mission) -> dict[str, Any]:
    state: dict[str, Any] = msgspec.to_builtins(mission)
    return state


def counted(mission: Mission, turn: int) -> Mission:
    """The mission with the turn counted in which this move is made; several moves in one turn take no more time."""
    return mission if turn == mission.turn else replace(mission, turn=turn, turns=mission.turns + 1)


def normalised(text: str) -> str:
    """For comparing: letters and digits alone, without case and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in letters if each.isalnum())


def _sound(mission: Mission) -> bool:
    """Whether everything that it names exists. Raises ValueError for times that are none."""
    sound = (each for each in mission.offers if each.city in field_cities.BY_NAME and each.cipher in CIPHERS)
    known = len([each for each in sound if 0 <= each.phrase < len(PHRASES) and each.key >= 0])
    worn = {*mission.rack, *filter(None, [mission.outfit])} <= field_wardrobe.BY_NAME.keys()
    placed = 0 <= mission.at < len(mission.offers) and (mission.weather is not None or mission.phase == "travel")
    return known == len(mission.offers) and worn and placed and mission.minutes >= 0

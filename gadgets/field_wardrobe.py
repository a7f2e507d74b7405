"""What an agent can wear, and whether that goes unnoticed in some weather at some place. Pure."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from gadgets import field_draw
from gadgets.field_cities import City
from gadgets.regions import folded
from gadgets.report import Report

RACK = 6
"""Outfits that an agent is offered."""
WARMTH = ("hot", "mild", "cool", "freezing")
_COOLER_THAN = (22.0, 13.0, 3.0)
"""°C below which it is mild, cool, freezing."""
_WET_WORDS = ("rain", "drizzle", "snow", "shower", "thunder", "sleet", "hail")
_SUNNY = ("clear sky", "mainly clear", "few clouds")
_DAY = range(8, 18)
"""Hours of the day in which a clear sky burns."""
_SPREAD = 3
"""°C that a day may be warmer or colder than the month's mean."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What it is like outside. `temperature` is what it feels like, in °C; `sunny`: without a hat one burns."""

    temperature: float
    sky: str
    wet: bool
    sunny: bool

    @property
    def warmth(self) -> int:
        """The place in `WARMTH` of what one has to wear."""
        return sum(self.temperature < limit for limit in _COOLER_THAN)

    def __str__(self) -> str:
        return f"{self.sky}, {self.temperature:.0f} °C ({self.temperature * 9 / 5 + 32:.0f} °F)"


@dataclass(frozen=True, slots=True)
class Outfit:
    """A disguise. `warmth` is the place in `WARMTH` of the weather it is made for."""

    name: str
    warmth: int
    rain: bool = False
    sun: bool = False
    formal: bool = False

    def __str__(self) -> str:
        tags = [f"for {WARMTH[self.warmth]} weather", "formal" if self.formal else "plain"]
        return f"{self.name} ({', '.join(tags + ['rainproof'] * self.rain + ['sun hat'] * self.sun)})"


WARDROBE: tuple[Outfit, ...] = (
    Outfit("expedition parka", 3, rain=True),
    Outfit("ice fisher's furs", 3),
    Outfit("diplomat's winter coat", 3, rain=True, formal=True),
    Outfit("fur collar and white tie", 3, formal=True),
    Outfit("sailor's oilskin", 2, rain=True),
    Outfit("woollen jumper and flat cap", 2),
    Outfit("trench coat over pinstripes", 2, rain=True, formal=True),
    Outfit("tweed three-piece", 2, formal=True),
    Outfit("postman's rain cape", 1, rain=True),
    Outfit("painter's overalls", 1),
    Outfit("dark suit with umbrella", 1, rain=True, formal=True),
    Outfit("velvet dinner jacket", 1, formal=True),
    Outfit("market trader's poncho", 0, rain=True),
    Outfit("tourist shirt and straw hat", 0, sun=True),
    Outfit("linen suit and panama", 0, sun=True, formal=True),
    Outfit("white dinner jacket with umbrella", 0, rain=True, sun=True, formal=True),
    Outfit("dock worker's vest and wide hat", 0, rain=True, sun=True),
)
BY_NAME = {outfit.name: outfit for outfit in WARDROBE}


def problem(outfit: Outfit, weather: Weather, city: City) -> str:
    """Why an outfit gives an agent away, in a few words; empty if it does not."""
    if outfit.formal != city.formal:
        return "among formal guests it looks like a delivery" if city.formal else "it is far too elegant for that place"
    if outfit.warmth > weather.warmth:
        return "it is too warm: nobody else is sweating"
    if outfit.warmth < weather.warmth:
        return "it is too thin: nobody shivers like that without a reason"
    if weather.wet and not outfit.rain:
        return "it is soaked before you cross the street"
    if weather.sunny and not outfit.sun:
        return "without a hat, your face is red in an hour and remembered by all"
    return ""


def rack(weather: Weather, city: City, seed: str) -> tuple[str, ...]:
    """The names of the outfits that are offered: all that suit, and others."""
    drawn = field_draw.shuffled(WARDROBE, seed, "rack")
    ranked = sorted(drawn, key=lambda outfit: bool(problem(outfit, weather, city)))
    return tuple(each.name for each in drawn if each in ranked[:RACK])


def named(wanted: str, names: Sequence[str]) -> str | None:
    """The one name that is meant: exactly, as a part of what was said or the other way round, or misspelt."""
    said, known = folded(wanted), {folded(name): name for name in names}
    inside = [name for key, name in known.items() if key in said] or [
        name for key, name in known.items() if len(said) > 2 and said in key
    ]
    close = difflib.get_close_matches(said, known, n=1, cutoff=0.7)
    return inside[0] if len(inside) == 1 else known[close[0]] if close and not inside else None


def observed(report: Report) -> Weather:
    """The weather as a service reports it."""
    now = report.now
    feels = now.temperature if now.feels_like is None else now.feels_like
    wet = bool(now.precipitation) or any(word in now.sky.lower() for word in _WET_WORDS)
    sunny = now.sky.lower() in _SUNNY and report.time.hour in _DAY and not wet
    return Weather(feels, now.sky, wet, sunny and feels >= _COOLER_THAN[0])


def usual(city: City, month: int, seed: str) -> Weather:
    """A day as it may be in that city and month (1 to 12): drawn, but always the same day for a seed."""
    mean = city.temperatures[month - 1]
    temperature = float(mean - _SPREAD + field_draw.number(2 * _SPREAD + 1, seed, "temperature"))
    wet = field_draw.number(30, seed, "wet") < city.wet_days[month - 1]
    sunny = not wet and field_draw.number(2, seed, "sun") == 1
    dry_sky = "clear sky" if sunny else "overcast"
    wet_sky = "snow" if temperature < 1 else "rain"
    return Weather(temperature, wet_sky if wet else dry_sky, wet, sunny and temperature >= _COOLER_THAN[0])

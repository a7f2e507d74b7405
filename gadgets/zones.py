"""Time zones by the names that people use: abbreviations, UTC offsets, IANA names and the cities in them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from gadgets.regions import folded

MAX_OFFSET = timedelta(hours=14)
"""The farthest that a clock on Earth is from UTC."""

_AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
_UNUSABLE = frozenset(("Factory", "localtime"))
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+\u2212-])\s*(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)

_GENERIC = {
    "et": "America/New_York",
    "eastern": "America/New_York",
    "eastern time": "America/New_York",
    "ct": "America/Chicago",
    "central": "America/Chicago",
    "central time": "America/Chicago",
    "mt": "America/Denver",
    "mountain": "America/Denver",
    "mountain time": "America/Denver",
    "pt": "America/Los_Angeles",
    "pacific": "America/Los_Angeles",
    "pacific time": "America/Los_Angeles",
}
"""Names for whatever a region's clocks show, summer or winter."""

_ABBREVIATIONS = """
UTC  0     - Coordinated Universal Time
GMT  0     - Greenwich Mean Time
EST  -5    America/New_York US Eastern Standard Time
EDT  -4    America/New_York US Eastern Daylight Time
CST  -6    America/Chicago US Central Standard Time
CDT  -5    America/Chicago US Central Daylight Time
MST  -7    America/Denver US Mountain Standard Time
MDT  -6    America/Denver US Mountain Daylight Time
PST  -8    America/Los_Angeles US Pacific Standard Time
PDT  -7    America/Los_Angeles US Pacific Daylight Time
AKST -9    America/Anchorage Alaska Standard Time
AKDT -8    America/Anchorage Alaska Daylight Time
HST  -10   Pacific/Honolulu Hawaii Standard Time
BRT  -3    America/Sao_Paulo Brasilia Time
WET  0     Europe/Lisbon Western European Time
WEST 1     Europe/Lisbon Western European Summer Time
BST  1     Europe/London British Summer Time
CET  1     Europe/Paris Central European Time
CEST 2     Europe/Paris Central European Summer Time
EET  2     Europe/Athens Eastern European Time
EEST 3     Europe/Athens Eastern European Summer Time
MSK  3     Europe/Moscow Moscow Time
SAST 2     Africa/Johannesburg South Africa Standard Time
IST  5.5   Asia/Kolkata India Standard Time
SGT  8     Asia/Singapore Singapore Time
HKT  8     Asia/Hong_Kong Hong Kong Time
JST  9     Asia/Tokyo Japan Standard Time
KST  9     Asia/Seoul Korea Standard Time
AWST 8     Australia/Perth Australian Western Standard Time
ACST 9.5   Australia/Adelaide Australian Central Standard Time
AEST 10    Australia/Sydney Australian Eastern Standard Time
AEDT 11    Australia/Sydney Australian Eastern Daylight Time
NZST 12    Pacific/Auckland New Zealand Standard Time
NZDT 13    Pacific/Auckland New Zealand Daylight Time
"""
"""Abbreviation, hours from UTC, the region that uses it for a part of the year, and its meaning.

Some have other meanings elsewhere (CST in China, IST in Israel): the answer says which one is taken.
"""


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone and how the user called it. `region` is set where the name is only half of a region's year."""

    name: str
    tz: tzinfo
    meaning: str
    region: ZoneInfo | None = None

    def describe(self, at: datetime) -> str:
        """The zone at a moment in it, such as `Tokyo (Asia/Tokyo, JST, UTC+09:00)`."""
        abbreviation = at.tzname() or ""
        parts = [self.meaning, abbreviation if abbreviation.isalpha() else "", offset_name(at)]
        shown = [each for each in parts if each and each not in self.name]
        return f"{self.name} ({', '.join(shown)})" if shown else self.name

    def warning(self, at: datetime) -> str:
        """A sentence where the region's clocks are not on this abbreviation at that moment, else empty."""
        there = at.astimezone(self.region) if self.region else at
        if there.utcoffset() == at.utcoffset():
            return ""
        city = str(self.region).rpartition("/")[2].replace("_", " ")
        return f" Note: on that date the clocks in {city} are on {there.tzname()}, not {self.name}."


def zone_named(name: str) -> Zone | None:
    """The zone that a name certainly means without asking anyone, or None."""
    key = folded(name.replace("_", " "))
    if key in _abbreviations():
        return _abbreviations()[key]
    if match := _OFFSET.fullmatch(name.strip()):
        return _fixed(match)
    if generic := _GENERIC.get(key):
        return iana_zone(name.strip(), generic)
    iana = _iana().get(key)
    return iana_zone(iana.rpartition("/")[2].replace("_", " "), iana) if iana else None


def iana_zone(name: str, key: str, where: str = "") -> Zone | None:
    """The zone with that IANA name, called `name`; None where this machine does not know it.

    `where` tells a place from its namesakes: a region and a country.
    """
    try:
        return Zone(name, ZoneInfo(key), ", ".join(each for each in (where, key) if each))
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; odd keys are odd paths
        return None


def offset_name(at: datetime) -> str:
    """A moment's offset as text: `UTC-07:00`."""
    minutes = round((at.utcoffset() or timedelta()).total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _fixed(match: re.Match[str]) -> Zone | None:
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset > MAX_OFFSET or int(minutes or 0) > 59:
        return None
    tz = timezone(offset if sign == "+" else -offset)
    return Zone(offset_name(datetime.now(tz)), tz, "")


@cache
def _abbreviations() -> dict[str, Zone]:
    zones = {}
    for line in _ABBREVIATIONS.strip().splitlines():
        name, hours, region, meaning = line.split(maxsplit=3)
        tz = timezone(timedelta(hours=float(hours)), name)
        zones[name.casefold()] = Zone(name, tz, meaning, None if region == "-" else ZoneInfo(region))
    return zones | {"z": zones["utc"], "zulu": zones["utc"]}


@cache
def _iana() -> dict[str, str]:
    """Folded name -> IANA name, for whole names and for the city of `Area/City`.

    Cities of longer names (America/Argentina/San_Juan) have more famous namesakes and are left to the geocoder.
    """
    keys = sorted(available_timezones() - _UNUSABLE)
    cities = {}
    for key in keys:
        area, _, city = key.partition("/")
        if area in _AREAS and "/" not in city:
            cities[folded(city.replace("_", " "))] = key
    return cities | {folded(key.replace("_", " ")): key for key in keys}

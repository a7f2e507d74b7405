"""A time as people write it, and the moments it can mean in a zone whose clocks change."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, tzinfo

from gadgets.zones import offset_name

YEARS = range(1900, 2101)
"""Before, zones had no agreed offsets; after, nobody knows the rules."""

MAX_WORDS = 12
"""Of a time and the zone behind it."""

_NAMED = {"noon": time(12), "midday": time(12), "midnight": time(0)}
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\S+", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?::(\d{2}))?\s*(a\.?m\.?|p\.?m\.?|o'clock|uhr|h)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Written:
    """A time as written. `day` is None for a bare time; `zone` is the name or offset that stands with it, or empty."""

    at: time
    day: date | None = None
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Moments:
    """What a local time means: one moment, or two where clocks go back. `skipped` where they jumped over it."""

    moments: tuple[datetime, ...]
    skipped: bool = False


def parse(text: str) -> Written | None:
    """Read `15:30`, `3:30 pm`, `noon`, `2026-03-08T02:30`, `2026-03-08 02:30+01:00`, `3:30 pm EST`; else None."""
    words = text.split()[:MAX_WORDS]
    for at in range(len(words), 0, -1):
        if written := _bare(" ".join(words[:at])):
            zone = " ".join(words[at + 1 :] if words[at:][:1] == ["in"] else words[at:])
            return replace(written, zone=zone) if zone else written
    return None


def moments(day: date, at: time, tz: tzinfo) -> Moments:
    """All moments at which the clocks of a zone show this (PEP 495: `fold` tells two apart).

    A time that the clocks jump over is taken as they read when one does not set them: 02:30 becomes 03:30.
    """
    local = datetime.combine(day, at)
    first, second = (local.replace(tzinfo=tz, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return Moments((first,))
    there = first.astimezone(UTC).astimezone(tz)
    if there.replace(tzinfo=None) != local:
        return Moments((there,), skipped=True)
    return Moments((first, second))


def _bare(text: str) -> Written | None:
    if named := _NAMED.get(text.casefold()):
        return Written(named)
    if match := _CLOCK.fullmatch(text):
        return _clock(match)
    return _iso(text) if _ISO.fullmatch(text) else None


def _clock(match: re.Match[str]) -> Written | None:
    hour, minute, second = (int(each or 0) for each in match.group(1, 2, 3))
    suffix = (match[4] or "").casefold().replace(".", "")
    if match[2] is None and not suffix:  # a bare number is no time of day
        return None
    if suffix in {"am", "pm"}:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if suffix == "pm" else 0)
    return Written(time(hour, minute, second)) if hour < 24 and minute < 60 and second < 60 else None


def _iso(text: str) -> Written | None:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if moment.year not in YEARS:
        return None
    zone = offset_name(moment) if moment.tzinfo else ""
    return Written(moment.time(), moment.date(), zone)

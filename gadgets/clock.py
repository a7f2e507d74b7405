"""The gadget `clock`: what time it is somewhere, and what a time here is there."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gadgets.context import Context
from gadgets.errors import BadArguments, GadgetFailed
from gadgets.gadget import gadget
from gadgets.moments import Written, moments, parse
from gadgets.places import MAX_NAME, PlaceSettings, find_place
from gadgets.text import excerpt
from gadgets.zones import Zone, iana_zone, zone_named

_NOW = frozenset(("", "now", "current", "current time", "none", "null"))

EXAMPLES = "15:30, 3:30 pm or 2026-03-08T14:00"


class ClockSettings(PlaceSettings):
    """Where places that are not in the names of time zones are looked up."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The arguments made sense of. Without `written` it is the current time that is asked for."""

    place: str
    to: str
    written: Written | None = None


@gadget(settings=ClockSettings, status="looking at the clock…")
async def clock(context: Context, place: str | None = None, time: str | None = None, to: str | None = None) -> str:
    """Tell the current time in a city or time zone, or convert a time from one to another.

    Args:
        place: City or time zone, such as "Tokyo", "New York" or "UTC".
        time: A time in `place` to convert, such as "15:30" or "3:30 pm". Leave it out for the current time.
        to: City or time zone to convert the time to.
    """
    asked = _asked(*((each or "").strip() for each in (place, time, to)))
    now = datetime.now(UTC)
    here = await _zone(context, asked.place or "UTC")
    if asked.written is not None:
        return converted(now, asked.written, here, await _zone(context, asked.to or "UTC"))
    return told_now(now, here, await _zone(context, asked.to) if asked.to else None)


def told_now(now: datetime, here: Zone, there: Zone | None) -> str:
    """The sentences for the current time in one zone or two."""
    at = now.astimezone(here.tz)
    said = f"It is {_moment(at, here)}.{here.warning(at)}"
    return said if there is None else f"{said} {_elsewhere(at, here, there)}"


def converted(now: datetime, written: Written, here: Zone, there: Zone) -> str:
    """The sentences for a time in one zone, told in another. A time without a date is of the zone's current day."""
    day = written.day or now.astimezone(here.tz).date()
    found = moments(day, written.at, here.tz)
    told = [f"{_moment(at, here)}.{here.warning(at)} {_elsewhere(at, here, there)}" for at in found.moments]
    if found.skipped:
        told = [f"The clocks in {here.name} skip {written.at:%H:%M} on {_day(day)}; taken as {told[0]}"]
    if len(found.moments) > 1:
        told.insert(0, f"The clocks in {here.name} go back on {_day(day)} and show {written.at:%H:%M} twice.")
    return " ".join(told)


def _asked(place: str, time: str, to: str) -> _Asked:
    if max(len(place), len(time), len(to)) > MAX_NAME:
        raise BadArguments(f"A place or a time has at most {MAX_NAME} characters.")
    if time.casefold() in _NOW:
        return _Asked(place, to) if place else _Asked(to, "")
    written = parse(time)
    if written is None:
        raise BadArguments(f"“{excerpt(time)}” is not a time that I can read; write it like {EXAMPLES}.")
    return _Asked(written.zone, to or place, written) if written.zone else _Asked(place, to, written)


async def _zone(context: Context, name: str) -> Zone:
    """Ask the machine's own zones first (their names are read from disk once), then the geocoder."""
    if zone := await asyncio.to_thread(zone_named, name):
        return zone
    found = await find_place(context.http, name, context.settings)
    zone = await asyncio.to_thread(iana_zone, found.name, found.timezone, found.where) if found.timezone else None
    if zone is None:
        raise GadgetFailed(f"The time zone of {excerpt(found.label)} is not known.")
    return zone


def _elsewhere(at: datetime, here: Zone, there: Zone) -> str:
    then = at.astimezone(there.tz)
    ahead = (then.utcoffset() or timedelta()) - (at.utcoffset() or timedelta())
    return f"That is {_moment(then, there)}, {_difference(ahead, here, there)}.{there.warning(then)}"


def _difference(ahead: timedelta, here: Zone, there: Zone) -> str:
    minutes = round(ahead.total_seconds() / 60)
    if minutes == 0:
        return f"the same time as in {here.name}"
    hours, rest = divmod(abs(minutes), 60)
    amount = f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{there.name} being {amount} {'ahead of' if minutes > 0 else 'behind'} {here.name}"


def _moment(at: datetime, zone: Zone) -> str:
    twelve = f"{at:%I:%M %p}".lstrip("0").lower()
    return f"{at:%H:%M} ({twelve}) on {_day(at.date())} in {zone.describe(at)}"


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B} {day.year}"

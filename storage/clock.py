"""The time as it is stored: UTC, ISO-8601 text, sortable, to the millisecond."""

import re
from datetime import UTC, datetime, timedelta

_STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def utc_now() -> str:
    """E.g. `2026-11-22T09:30:00.123Z`."""
    return _stored(datetime.now(UTC))


def utc_in(seconds: float) -> str:
    """The time that it will be so many seconds from now."""
    return _stored(datetime.now(UTC) + timedelta(seconds=seconds))


def seconds_until(stored: str) -> float:
    """From now until a stored time; not below 0."""
    return max(0.0, (datetime.fromisoformat(stored) - datetime.now(UTC)).total_seconds())


def stored_time(text: str) -> str:
    """Any ISO-8601 time in the form in which it is stored; one without an offset is taken for UTC.

    What is in that form stays as it is. Raises ValueError.
    """
    time = datetime.fromisoformat(text)
    if _STORED.fullmatch(text):
        return text
    try:
        return _stored(time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC))
    except OverflowError as error:  # the first or last hours of datetime's calendar, in another zone
        raise ValueError(f"Invalid isoformat string: {text!r}") from error


def _stored(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

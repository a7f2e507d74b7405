"""The times of logs that earlier programs wrote: in whatever form, malformed, or missing."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from storage.clock import stored_time

_EPOCH = re.compile(r"\d{9,}(\.\d+)?", re.ASCII)
_SECONDS = (1e8, 1e11)
"""Numbers between these are seconds since 1970 (from 1973 on); those up to a thousand times as much, milliseconds."""


def utc_time(value: Any) -> str | None:
    """The time in the form in which it is stored; None for what is not understood.

    Understood are ISO-8601 (`2024-05-01 12:00`, with seconds, fractions, offsets), where a time without an offset is
    taken for the local time of this machine, and numbers, also as text, of seconds or milliseconds since 1970.
    """
    try:
        if isinstance(value, str):
            text = value.strip()
            return _of_number(float(text)) if _EPOCH.fullmatch(text) else _of_text(text)
        return _of_number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError, OSError):  # what the calendar, or the system's time zones, do not have
        return None


def filled(times: Iterable[str | None], otherwise: str) -> Iterator[str]:
    """The times with the missing ones filled in: by the last one before it; at the beginning, by the first one there
    is. No time is made up between two others, and none that was given is changed.
    """
    known = list(times)
    last = next((time for time in known if time is not None), otherwise)
    for time in known:
        last = last if time is None else time
        yield last


def _of_text(text: str) -> str:
    time = datetime.fromisoformat(text)
    return stored_time(text if time.tzinfo else time.astimezone(UTC).isoformat())


def _of_number(number: float) -> str | None:
    least, most = _SECONDS
    if not least <= number < most * 1000:
        return None
    return stored_time(datetime.fromtimestamp(number if number < most else number / 1000, UTC).isoformat())

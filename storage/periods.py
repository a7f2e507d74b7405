"""From when and until when, as people say it: a date or an ISO-8601 time, in UTC unless it says otherwise."""

from datetime import date, timedelta

from storage.clock import stored_time

_DAY = timedelta(days=1)


def since(text: str) -> str:
    """The first moment, as times are stored: that of a date is its midnight. Raises ValueError with a sentence."""
    return _stored(text.strip())


def until(text: str) -> str | None:
    """The moment before which everything counts: a date counts whole. None for the last day of the calendar.

    Raises ValueError with a sentence.
    """
    day = _date(text.strip())
    if day == date.max:
        return None
    return _stored((day + _DAY).isoformat() if day else text.strip())


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _stored(text: str) -> str:
    try:
        return stored_time(text)
    except ValueError as error:
        problem = f"{text[:40]!r} is neither a date (2026-01-31) nor an ISO-8601 time (2026-01-31T12:00:00Z)"
        raise ValueError(problem) from error

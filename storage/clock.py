"""The time as it is stored: UTC, ISO-8601 text, sortable, to the millisecond."""

from datetime import UTC, datetime


def utc_now() -> str:
    """E.g. `2026-11-22T09:30:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

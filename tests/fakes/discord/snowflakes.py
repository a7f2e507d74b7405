"""Discord's clock and the ids it hands out.

A snowflake is `milliseconds since 2015 << 22 | counter`: unique, and greater than every earlier one.
Source: https://discord.com/developers/docs/reference#snowflakes
"""

import time
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000


class Clock:
    """The server's wall clock: the true time, until a test moves it forward."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once, for everything that expires. Rate limits go by the true time."""
        assert seconds >= 0
        self._ahead += seconds


class Snowflakes:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        self._last = max(self.at(self._clock.now()), self._last + 1)
        return self._last

    @staticmethod
    def at(moment: float) -> int:
        """The smallest id of this moment."""
        return (int(moment * 1000) - EPOCH_MS) << 22


def iso(moment: float) -> str:
    """As Discord writes times: microseconds and a numeric offset."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")

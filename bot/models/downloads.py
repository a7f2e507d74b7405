"""A large file on its way: how much is there, how fast it comes, and what went wrong with a source of it."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

REPORTS_PER_SECOND = 4
WINDOW_SECONDS = 5.0
"""Over which the speed is measured."""
MEGABYTE = 1_000_000


class SourceFailed(Exception):
    """A source of a file cannot be used; another one may."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is, in bytes and seconds. `seconds_left` is None while the speed is not known."""

    received: int
    total: int
    bytes_per_second: float
    seconds_left: float | None
    source: str


Report = Callable[[Progress], None]


def progress_line(progress: Progress) -> str:
    """One short line for a person: `downloading the language model: 43 %, 21 MB/s, 30 s left`."""
    parts = [f"{100 * progress.received // max(progress.total, 1)} %"]
    if progress.bytes_per_second:
        speed = progress.bytes_per_second / MEGABYTE
        parts.append(f"{speed:.0f} MB/s" if speed >= 10 else f"{speed:.1f} MB/s")
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    return f"downloading the language model: {', '.join(parts)}"


def duration(seconds: float) -> str:
    """`30 s`, `4 min` or `3 h`, rounded up, so that it never says that nothing is left."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    return f"{-(-whole // 60)} min" if whole < 5400 else f"{-(-whole // 3600)} h"


@dataclass(slots=True)
class Meter:
    """Turns byte counts into progress, reported at most a few times a second. A count never goes back."""

    total: int
    source: str
    report: Report
    clock: Callable[[], float] = time.monotonic
    _samples: deque[tuple[float, int]] = field(default_factory=deque)
    _reported: float = float("-inf")

    def at(self, received: int) -> None:
        """`received` bytes of the whole file are there now."""
        now = self.clock()
        received = min(max(received, self._samples[-1][1] if self._samples else 0), self.total)
        if now - self._reported < 1 / REPORTS_PER_SECOND and received < self.total:
            return
        self._reported = now
        self._samples.append((now, received))
        while now - self._samples[0][0] > WINDOW_SECONDS:  # bounded by the samples; the newest is of now
            self._samples.popleft()
        self.report(self._progress(now, received))

    def _progress(self, now: float, received: int) -> Progress:
        since, before = self._samples[0]
        speed = (received - before) / (now - since) if now > since else 0.0
        left = (self.total - received) / speed if speed else None
        return Progress(received, self.total, speed, left, self.source)


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

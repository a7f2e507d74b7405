"""Counters and histograms as plain numbers: an event costs a dictionary's look-up, and nobody has to want them.

They are told in Prometheus's words by `bot.observing.exposition`. Every series is counted by one thread.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_SERIES = 300
"""Different labels of one figure; what comes beyond them is counted as OTHER, so that no bug fills the memory."""
OTHER = "other"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
UNITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

Labels = tuple[str, ...]


class Counts:
    """How often something happened, or how much of it, by `labels`."""

    def __init__(self, name: str, about: str, *labels: str) -> None:
        self.name = name
        self.about = about
        self.labels = labels
        self._totals: dict[Labels, float] = {}

    def add(self, *labels: str, amount: float = 1) -> None:
        if labels not in self._totals and len(self._totals) >= MAX_SERIES:
            labels = (OTHER,) * len(self.labels)
        self._totals[labels] = self._totals.get(labels, 0) + amount

    def totals(self) -> list[tuple[Labels, float]]:
        return list(self._totals.items())


@dataclass(slots=True)
class _Row:
    counts: list[int]
    total: float = 0.0


class Spread:
    """How large something was, by `labels`. `bounds` are the largest sizes of the buckets, ascending."""

    def __init__(self, name: str, about: str, *labels: str, bounds: Sequence[float] = SECONDS) -> None:
        self.name = name
        self.about = about
        self.labels = labels
        self.bounds = tuple(bounds)
        self._rows: dict[Labels, _Row] = {}

    def add(self, size: float, *labels: str) -> None:
        row = self._rows.get(labels)
        if row is None:
            if len(self._rows) >= MAX_SERIES:
                labels = (OTHER,) * len(self.labels)
            row = self._rows.setdefault(labels, _Row([0] * (len(self.bounds) + 1)))
        row.counts[bisect_left(self.bounds, size)] += 1
        row.total += size

    def rows(self) -> Iterator[tuple[Labels, list[int], float]]:
        """Labels, how many are in each bucket (the last one has no bound), and the sum of all sizes."""
        for labels, row in list(self._rows.items()):
            yield labels, list(row.counts), row.total

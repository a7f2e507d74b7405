"""Counters and histograms."""

import pytest

from bot.observing.figures import MAX_SERIES, OTHER, Counts, Spread


def test_counts_are_kept_by_their_labels() -> None:
    counts = Counts("c", "", "platform", "outcome")
    counts.add("web", "answered")
    counts.add("web", "answered", amount=2)
    counts.add("web", "failed")
    assert dict(counts.totals()) == {("web", "answered"): 3, ("web", "failed"): 1}


@pytest.mark.parametrize(
    ("size", "bucket"), [(0, 0), (1, 0), (1.01, 1), (2, 1), (3, 2)], ids=["0", "bound", "above", "last bound", "beyond"]
)
def test_a_size_is_counted_where_it_is_not_more_than_the_bound(size: float, bucket: int) -> None:
    spread = Spread("s", "", bounds=(1, 2))
    spread.add(size)
    [(labels, counts, total)] = spread.rows()
    assert (labels, counts, total) == ((), [int(n == bucket) for n in range(3)], size)


def test_labels_without_end_become_one_series() -> None:
    counts, spread = Counts("c", "", "gadget"), Spread("s", "", "gadget")
    for number in range(2 * MAX_SERIES):
        counts.add(f"made-up-{number}")
        spread.add(1, f"made-up-{number}")
    assert len(counts.totals()) == MAX_SERIES + 1
    assert dict(counts.totals())[OTHER,] == MAX_SERIES
    [other] = [buckets for labels, buckets, _ in spread.rows() if labels == (OTHER,)]
    assert sum(other) == MAX_SERIES

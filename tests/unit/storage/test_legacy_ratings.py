from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.legacy_ratings import thumb, top_of


@pytest.mark.parametrize(
    ("values", "thumbs"),
    [
        ([True, False, None], [1, -1, None]),
        ([1, 0, -1, 1.0, "1", "+1", "-1"], [1, 0, -1, 1, 1, 1, -1]),
        ([1, 2, 3, 4, 5, 0], [-1, -1, 0, 1, 1, 0]),
        (["1", "5", 4.5, 2.5], [-1, 1, 1, 0]),
        ([1, 4, 6, 8, 10], [-1, -1, 0, 1, 1]),
        ([15, 50, 90, 100], [-1, 0, 1, 1]),
        ([3, -1, -7], [0, -1, None]),
        ([0.5, 101, 1e300], [None, None, None]),
        (["good", " Bad ", "UP", "neutral", "👍", "👎", "thumbs_down"], [1, -1, 1, 0, 1, -1, -1]),
        (["4/5", "2 / 5", "9/10", "0/5", "6/5", "1/0"], [1, -1, 1, 0, None, None]),
        (["splendid", "", [], {}, [5]], [None, None, None, None, None]),
    ],
)
def test_a_rating_means_what_the_others_of_its_log_make_it_mean(values: list[Any], thumbs: list[int | None]) -> None:
    top = top_of(values)
    assert [thumb(value, top) for value in values] == thumbs


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())))
def test_a_rating_is_a_thumb_or_nothing(values: list[Any]) -> None:
    top = top_of(values)
    assert {thumb(value, top) for value in values} <= {-1, 0, 1, None}

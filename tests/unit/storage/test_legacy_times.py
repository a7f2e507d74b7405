import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.clock import stored_time
from storage.legacy_times import filled, utc_time


@pytest.fixture
def berlin() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2024-05-01T12:00:00.123Z", "2024-05-01T12:00:00.123Z"),
        ("2024-05-01 12:00", "2024-05-01T10:00:00.000Z"),
        ("2024-01-01T12:00:00.123456", "2024-01-01T11:00:00.123Z"),
        (" 2024-05-01T12:00:00+05:30\n", "2024-05-01T06:30:00.000Z"),
        ("2024-05-01", "2024-04-30T22:00:00.000Z"),
        ("20240501", "2024-04-30T22:00:00.000Z"),
        (1714561200, "2024-05-01T11:00:00.000Z"),
        (1714561200.5, "2024-05-01T11:00:00.500Z"),
        (1714561200500, "2024-05-01T11:00:00.500Z"),
        ("1714561200", "2024-05-01T11:00:00.000Z"),
        ("1714561200.25", "2024-05-01T11:00:00.250Z"),
        ("1712121212345", "2024-04-03T05:13:32.345Z"),
    ],
)
def test_a_time_is_understood_in_many_forms(berlin: None, given: object, stored: str) -> None:
    assert utc_time(given) == stored


@pytest.mark.parametrize(
    "given",
    [None, True, "", "soon", "2024-13-01", "01.05.2024 12:00", 0, 7, -1714561200, 10**20, 1e300, float("nan"), [], {},
     "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "9" * 400],
)  # fmt: skip
def test_what_is_no_time_is_none(berlin: None, given: object) -> None:
    assert utc_time(given) is None


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str))
def test_a_time_is_in_the_form_in_which_it_is_stored_or_none(value: object) -> None:
    found = utc_time(value)
    assert found is None or stored_time(found) == found


@given(st.lists(st.none() | st.sampled_from(["1", "2", "3"])))
def test_missing_times_are_a_neighbours_and_given_ones_stay(times: list[str | None]) -> None:
    given_ = [time for time in times if time]
    found = list(filled(times, "file"))
    assert [one for one, time in zip(found, times, strict=True) if time] == given_
    for index, one in enumerate(found):
        before = [each for each in times[: index + 1] if each]
        assert one == (before[-1] if before else given_[0] if given_ else "file")


@given(st.lists(st.none() | st.integers(100, 999).map(str)))
def test_where_given_times_rise_all_do(times: list[str | None]) -> None:
    rising = iter(sorted(time for time in times if time))
    found = list(filled([next(rising) if time else None for time in times], "0"))
    assert found == sorted(found)

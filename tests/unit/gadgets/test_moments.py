from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadgets.moments import Written, moments, parse

NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("15:30", Written(time(15, 30))),
        (" 9:05 ", Written(time(9, 5))),
        ("00:00", Written(time(0))),
        ("23:59:58", Written(time(23, 59, 58))),
        ("15.30", Written(time(15, 30))),
        ("15h30", Written(time(15, 30))),
        ("3:30 pm", Written(time(15, 30))),
        ("3:30 P.M.", Written(time(15, 30))),
        ("3pm", Written(time(15))),
        ("12 am", Written(time(0))),
        ("12 pm", Written(time(12))),
        ("9 o'clock", Written(time(9))),
        ("noon", Written(time(12))),
        ("Midnight", Written(time(0))),
        ("2026-03-08T02:30", Written(time(2, 30), date(2026, 3, 8))),
        ("2026-03-08 02:30:15", Written(time(2, 30, 15), date(2026, 3, 8))),
        ("2026-03-08T02:30Z", Written(time(2, 30), date(2026, 3, 8), "UTC+00:00")),
        ("2026-03-08t02:30+05:30", Written(time(2, 30), date(2026, 3, 8), "UTC+05:30")),
        ("3:30 pm EST", Written(time(15, 30), None, "EST")),
        ("15:30 in New York", Written(time(15, 30), None, "New York")),
        ("2026-01-15 09:00 CET", Written(time(9), date(2026, 1, 15), "CET")),
        ("noon UTC+2", Written(time(12), None, "UTC+2")),
    ],
)
def test_a_time_is_read(text: str, written: Written) -> None:
    assert parse(text) == written


@pytest.mark.parametrize(
    "text",
    ["", "25:00", "12:60", "13 pm", "0 am", "15", "1530", "-3:30", "tomorrow", "half past three", "15:3O"],
)
def test_what_is_no_time_is_not_read(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    ["2026-03-08", "2026-13-01T00:00", "2026-02-30T10:00", "0001-01-01T00:00", "9999-12-31T23:59", "2026-01-01T1"],
)
def test_a_date_without_a_time_or_that_is_none_is_not_read(text: str) -> None:
    assert parse(text) is None


@given(st.text())
def test_any_text_is_a_time_or_none(text: str) -> None:
    written = parse(text)
    assert written is None or isinstance(written.at, time)


@given(st.times(), st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_iso_date_times_are_read_as_they_are_written(at: time, day: date) -> None:
    assert parse(datetime.combine(day, at).isoformat()) == Written(at, day)


def test_an_ordinary_time_is_one_moment() -> None:
    assert moments(date(2026, 6, 1), time(12), NEW_YORK).moments == (datetime(2026, 6, 1, 16, tzinfo=UTC),)


def test_a_time_in_the_spring_gap_is_skipped_and_moved_on() -> None:
    found = moments(date(2026, 3, 8), time(2, 30), NEW_YORK)
    assert found.skipped
    (moment,) = found.moments
    assert (moment.hour, moment.minute, moment.tzname()) == (3, 30, "EDT")


def test_a_time_in_the_autumn_overlap_is_two_moments() -> None:
    found = moments(date(2026, 11, 1), time(1, 30), NEW_YORK)
    assert not found.skipped
    assert [each.tzname() for each in found.moments] == ["EDT", "EST"]
    assert [each.astimezone(UTC).hour for each in found.moments] == [5, 6]


def test_a_gap_of_half_an_hour_is_one_too() -> None:
    (moment,) = moments(date(2026, 10, 4), time(2, 15), LORD_HOWE).moments
    assert (moment.hour, moment.minute) == (2, 45)

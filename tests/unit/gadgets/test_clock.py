from datetime import UTC, datetime

import pytest

from gadgets.clock import converted, told_now
from gadgets.moments import parse
from gadgets.zones import Zone, zone_named

NOW = datetime(2026, 7, 1, 18, 5, tzinfo=UTC)


def zone(name: str) -> Zone:
    found = zone_named(name)
    assert found is not None
    return found


def convert(time: str, here: str, there: str = "UTC") -> str:
    written = parse(time)
    assert written is not None
    return converted(NOW, written, zone(here), zone(there))


def test_the_current_time_in_one_zone() -> None:
    expected = "It is 03:05 (3:05 am) on Thursday 2 July 2026 in Tokyo (Asia/Tokyo, JST, UTC+09:00)."
    assert told_now(NOW, zone("Tokyo"), None) == expected


def test_the_current_time_in_two_zones_tells_the_difference() -> None:
    text = told_now(NOW, zone("London"), zone("Kathmandu"))
    assert text.startswith("It is 19:05 (7:05 pm) on Wednesday 1 July 2026 in London")
    assert text.endswith("Kathmandu being 4 h 45 min ahead of London.")


def test_a_time_without_a_date_is_of_the_zones_current_day() -> None:
    text = convert("15:30", "Tokyo", "New York")
    assert text.startswith("15:30 (3:30 pm) on Thursday 2 July 2026 in Tokyo")
    assert "That is 02:30 (2:30 am) on Thursday 2 July 2026 in New York" in text
    assert text.endswith("New York being 13 h behind Tokyo.")


def test_the_date_line_is_crossed() -> None:
    assert "That is 07:30 (7:30 am) on Thursday 2 July 2026 in Tokyo" in convert("3:30 pm", "Los Angeles", "Tokyo")


def test_equal_clocks_are_said_to_be_equal() -> None:
    assert convert("12:00", "Paris", "Rome").endswith("the same time as in Paris.")


def test_a_time_in_the_gap_is_said_to_be_skipped() -> None:
    text = convert("2026-03-08T02:30", "New York")
    assert text.startswith("The clocks in New York skip 02:30 on Sunday 8 March 2026; taken as 03:30 (3:30 am)")
    assert "That is 07:30 (7:30 am) on Sunday 8 March 2026 in UTC" in text


def test_a_time_in_the_overlap_is_told_twice() -> None:
    text = convert("2026-11-01T01:30", "New York")
    assert text.startswith("The clocks in New York go back on Sunday 1 November 2026 and show 01:30 twice.")
    assert text.index("That is 05:30 (5:30 am)") < text.index("That is 06:30 (6:30 am)")


@pytest.mark.parametrize(("here", "there"), [("EST", "UTC"), ("UTC", "EST")])
def test_winter_time_asked_for_in_summer_is_noted(here: str, there: str) -> None:
    assert "Note: on that date the clocks in New York are on EDT, not EST." in convert("15:30", here, there)


def test_midnight_and_noon_have_their_names() -> None:
    assert convert("0:00", "UTC").startswith("00:00 (12:00 am)")
    assert convert("12:00", "UTC").startswith("12:00 (12:00 pm)")

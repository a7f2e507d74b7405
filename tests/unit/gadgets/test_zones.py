from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadgets.zones import iana_zone, offset_name, zone_named

SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
WINTER = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "described"),
    [
        ("Tokyo", "Tokyo (Asia/Tokyo, JST, UTC+09:00)"),
        ("new york", "New York (America/New_York, EDT, UTC-04:00)"),
        ("America/New_York", "New York (America/New_York, EDT, UTC-04:00)"),
        ("america/argentina/buenos_aires", "Buenos Aires (America/Argentina/Buenos_Aires, UTC-03:00)"),
        ("São_Paulo", "Sao Paulo (America/Sao_Paulo, UTC-03:00)"),
        ("Kathmandu", "Kathmandu (Asia/Kathmandu, UTC+05:45)"),
        ("Japan", "Japan (JST, UTC+09:00)"),
        ("UTC", "UTC (Coordinated Universal Time, UTC+00:00)"),
        ("z", "UTC (Coordinated Universal Time, UTC+00:00)"),
        ("est", "EST (US Eastern Standard Time, UTC-05:00)"),
        ("CEST", "CEST (Central European Summer Time, UTC+02:00)"),
        ("ET", "ET (America/New_York, EDT, UTC-04:00)"),
        ("Pacific Time", "Pacific Time (America/Los_Angeles, PDT, UTC-07:00)"),
        ("UTC+5:30", "UTC+05:30"),
        ("GMT-3", "UTC-03:00"),
        ("+0200", "UTC+02:00"),
        ("UTC\u22128", "UTC-08:00"),
    ],
)
def test_a_name_means_a_zone(name: str, described: str) -> None:
    zone = zone_named(name)
    assert zone is not None
    assert zone.describe(SUMMER.astimezone(zone.tz)) == described


@pytest.mark.parametrize(
    "name",
    ["", "Denver, Colorado", "Atlantis", "UTC+15", "UTC+5:75", "Factory", "localtime", "San Juan", "../Tokyo", "12"],
)
def test_what_is_no_certain_zone_name_means_none(name: str) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "/etc/passwd", "Nowhere/City", "a\x00b", "Europe", "x" * 5000])
def test_a_key_that_names_no_zone_gives_none(key: str) -> None:
    assert iana_zone("there", key) is None


def test_every_zone_of_this_machine_is_found_by_its_own_name() -> None:
    unknown = {key for key in available_timezones() if zone_named(key) is None}
    assert unknown <= {"Factory", "localtime"}


@given(st.text())
def test_any_text_can_be_asked_for(name: str) -> None:
    zone = zone_named(name)
    assert zone is None or zone.describe(SUMMER.astimezone(zone.tz))


def test_an_abbreviation_out_of_season_is_warned_about() -> None:
    zone = zone_named("EST")
    assert zone is not None
    warning = " Note: on that date the clocks in New York are on EDT, not EST."
    assert zone.warning(SUMMER.astimezone(zone.tz)) == warning
    assert zone.warning(WINTER.astimezone(zone.tz)) == ""


@pytest.mark.parametrize(("hours", "name"), [(0, "UTC+00:00"), (-3.5, "UTC-03:30"), (5.75, "UTC+05:45")])
def test_offsets_are_written_with_sign_and_minutes(hours: float, name: str) -> None:
    assert offset_name(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=hours)))) == name

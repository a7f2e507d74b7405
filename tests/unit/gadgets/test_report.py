from dataclasses import replace
from datetime import date, datetime

from gadgets.report import Conditions, Day, Report

NOW = Conditions("light rain", -0.4, -4.2, 80, 12.6, 0.6)
DAY = Day(date(2026, 12, 31), "snow", -1.0, -6.0, 95, 8.0, 5.6, 22.0)
REPORT = Report("Oslo, Norway", datetime(2026, 12, 31, 9, 5), NOW, (DAY,), "Somebody")  # noqa: DTZ001


def forecast(day: Day) -> str:
    return replace(REPORT, days=(day,)).text("celsius").splitlines()[2]


def test_both_units_are_given_and_the_asked_one_comes_first() -> None:
    assert "light rain, 31 °F (0 °C), feels like 24 °F (-4 °C)" in REPORT.text("fahrenheit")
    assert "light rain, 0 °C (31 °F), feels like -4 °C (24 °F)" in REPORT.text("celsius")


def test_the_whole_report_in_words() -> None:
    title, now, today, source = REPORT.text("celsius").splitlines()
    assert title == "Weather in Oslo, Norway at 09:05 local time on Thursday 31 December:"
    assert now.endswith("humidity 80%, wind 13 km/h (8 mph), precipitation 0.6 mm (0.02 in).")
    assert today.startswith("Today, Thursday 31 December: snow, high -1 °C (30 °F), low -6 °C (21 °F), chance of rain")
    assert today.endswith("precipitation 8.0 mm (0.31 in), new snow 5.6 cm (2.2 in), wind up to 22 km/h (14 mph).")
    assert source == "Source: Somebody."


def test_tomorrow_is_named_across_the_turn_of_the_year() -> None:
    assert forecast(replace(DAY, date=date(2027, 1, 1))).startswith("Tomorrow, Friday 1 January: ")
    assert forecast(replace(DAY, date=date(2027, 1, 2))).startswith("Saturday 2 January: ")


def test_a_dry_day_is_said_to_be_dry() -> None:
    dry = replace(DAY, chance=0, precipitation=0.0, snow=0.0)
    assert ", no rain or snow, wind" in forecast(dry)
    assert "chance" not in forecast(dry)
    assert ", chance of rain or snow 20%, no rain or snow," in forecast(replace(dry, chance=20))


def test_rain_without_snow_says_so() -> None:
    assert "precipitation 8.0 mm (0.31 in), no snow" in forecast(replace(DAY, snow=0.0))


def test_what_is_not_known_is_left_out() -> None:
    unknown = Day(date(2026, 12, 31), "snow", None, None, None, None, None, None)
    assert forecast(unknown) == "Today, Thursday 31 December: snow."
    bare = replace(REPORT, now=Conditions("fog", 1.0, None, None, None, None))
    assert "Now: fog, 1 °C (34 °F).\n" in bare.text("celsius")

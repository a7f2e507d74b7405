"""Disguises: something always suits, what does not has a reason, and places are told by what they are called."""

from datetime import UTC, datetime
from itertools import product

import pytest

from gadgets.field_cities import CITIES, City
from gadgets.field_wardrobe import BY_NAME, RACK, WARDROBE, Weather, named, observed, problem, rack, usual
from gadgets.report import Conditions, Report

FORMAL = next(city for city in CITIES if city.formal)
PLAIN = next(city for city in CITIES if not city.formal)
WEATHERS = [
    Weather(temperature, "sky", wet, sunny)
    for temperature, wet, sunny in product(
        (-20.0, 2.9, 3.0, 12.9, 13.0, 21.9, 22.0, 45.0), (True, False), (True, False)
    )
    if not (sunny and (wet or temperature < 22))
]
SEEDS = [f"seed-{number}" for number in range(30)]


@pytest.mark.parametrize("city", [FORMAL, PLAIN], ids=["formal", "plain"])
@pytest.mark.parametrize("weather", WEATHERS, ids=repr)
def test_on_every_rack_something_suits_and_something_does_not(weather: Weather, city: City) -> None:
    for seed in SEEDS:
        names = rack(weather, city, seed)
        fits = [name for name in names if not problem(BY_NAME[name], weather, city)]
        assert len(set(names)) == RACK
        assert 1 <= len(fits) < RACK


@pytest.mark.parametrize(
    ("outfit", "weather", "city", "reason"),
    [
        ("linen suit and panama", Weather(30, "clear sky", False, True), FORMAL, ""),
        ("linen suit and panama", Weather(30, "clear sky", False, True), PLAIN, "too elegant"),
        ("painter's overalls", Weather(18, "overcast", False, False), FORMAL, "delivery"),
        ("tweed three-piece", Weather(30, "overcast", False, False), FORMAL, "too warm"),
        ("tweed three-piece", Weather(-5, "overcast", False, False), FORMAL, "too thin"),
        ("tweed three-piece", Weather(8, "rain", True, False), FORMAL, "soaked"),
        ("market trader's poncho", Weather(30, "clear sky", False, True), PLAIN, "hat"),
    ],
)
def test_what_does_not_suit_has_its_reason(outfit: str, weather: Weather, city: City, reason: str) -> None:
    found = problem(BY_NAME[outfit], weather, city)
    assert (reason in found) if reason else found == ""


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("tweed three-piece", "tweed three-piece"),
        ("The TWEED three-piece, please!", "tweed three-piece"),
        ("tweed", "tweed three-piece"),
        ("twead three piece", "tweed three-piece"),
        ("painter's overalls", "painter's overalls"),
        ("white dinner jacket", "white dinner jacket with umbrella"),
        ("dinner jacket", None),
        ("a clown costume", None),
        ("", None),
        ("\ud83d", None),
    ],
)
def test_an_outfit_is_known_by_what_people_call_it(said: str, meant: str | None) -> None:
    assert named(said, [outfit.name for outfit in WARDROBE]) == meant


@pytest.mark.parametrize(
    ("sky", "temperature", "feels", "precipitation", "hour", "expected"),
    [
        ("clear sky", 30.0, 33.0, 0.0, 12, Weather(33.0, "clear sky", wet=False, sunny=True)),
        ("clear sky", 30.0, 33.0, 0.0, 23, Weather(33.0, "clear sky", wet=False, sunny=False)),
        ("clear sky", 5.0, None, None, 12, Weather(5.0, "clear sky", wet=False, sunny=False)),
        ("light rain showers", 15.0, 14.0, 0.0, 12, Weather(14.0, "light rain showers", wet=True, sunny=False)),
        ("overcast", 15.0, 14.0, 0.3, 12, Weather(14.0, "overcast", wet=True, sunny=False)),
        ("heavy snow", -3.0, -9.0, None, 12, Weather(-9.0, "heavy snow", wet=True, sunny=False)),
    ],
)
def test_a_weather_report_says_what_to_wear(
    sky: str, temperature: float, feels: float | None, precipitation: float | None, hour: int, expected: Weather
) -> None:
    now = Conditions(sky, temperature, feels, None, None, precipitation)
    assert observed(Report("Oslo", datetime(2026, 6, 10, hour, tzinfo=UTC), now, (), "test")) == expected


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.name)
def test_usual_weather_is_drawn_near_the_month_and_always_the_same(city: City) -> None:
    for month in range(1, 13):
        for seed in SEEDS:
            weather = usual(city, month, seed)
            assert weather == usual(city, month, seed)
            assert abs(weather.temperature - city.temperatures[month - 1]) <= 3
            assert not (weather.wet and weather.sunny)
            assert weather.wet is False if not city.wet_days[month - 1] else True


def test_cities_are_many_different_and_on_this_planet() -> None:
    assert len({city.name for city in CITIES}) == len(CITIES) >= 24
    for city in CITIES:
        assert -90 <= city.latitude <= 90
        assert -180 <= city.longitude <= 180
        assert max(city.wet_days) <= 31
        assert -30 < min(city.temperatures) <= max(city.temperatures) < 45
    assert {city.formal for city in CITIES} == {True, False}

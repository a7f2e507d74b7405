import asyncio
from collections.abc import Awaitable, Callable
from typing import get_args

import pytest

from gadgets.toolbox import Outcome
from tests.fakes.open_meteo import Fault, OpenMeteo, Route

Call = Callable[..., Awaitable[Outcome]]

HASTY = 1.0
"""Seconds until a service that hangs is given up."""

KEY = "right-key"


async def test_current_conditions_and_four_days_from_open_meteo(call: Call) -> None:
    outcome = await call("weather", {"city": "Denver"})
    assert outcome.ok
    title, now, today, tomorrow, third, fourth, source = outcome.text.splitlines()
    assert title == "Weather in Denver, Colorado, United States at 14:15 local time on Wednesday 10 June:"
    assert now.startswith("Now: partly cloudy, 72 °F (22 °C), feels like 71 °F (22 °C), humidity 30%, wind 8 mph")
    assert today.startswith("Today, Wednesday 10 June: mainly clear, high 75 °F (24 °C), low 52 °F (11 °C)")
    assert tomorrow.startswith("Tomorrow, Thursday 11 June: clear sky")
    assert (third[:15], fourth[:16]) == ("Friday 12 June:", "Saturday 13 June")
    assert source == "Source: Open-Meteo."


async def test_snow_tomorrow_can_be_answered(call: Call) -> None:
    lines = (await call("weather", {"city": "Oslo", "units": "celsius"})).text.splitlines()
    (tomorrow,) = [line for line in lines if line.startswith("Tomorrow")]
    assert "snow, high -1 °C (30 °F)" in tomorrow
    assert "chance of rain or snow 95%, precipitation 8.0 mm (0.31 in), new snow 5.6 cm (2.2 in)" in tomorrow


async def test_rain_now_can_be_answered(call: Call) -> None:
    assert "Now: light rain, 54 °F (12 °C)" in (await call("weather", {"city": "London"})).text


@pytest.mark.parametrize(
    ("city", "found"),
    [
        ("New York City", "New York, United States"),
        ("Paris, France", "Paris, Île-de-France, France"),
        ("Paris, Ile-de-France", "Paris, Île-de-France, France"),
        ("Paris, Texas", "Paris, Texas, United States"),
        ("Paris, TX, USA", "Paris, Texas, United States"),
        ("paris , us", "Paris, Texas, United States"),
        ("London, UK", "London, England, United Kingdom"),
        ("London, Ontario", "London, Ontario, Canada"),
        ("London Canada", "London, Ontario, Canada"),
        ("Rome United States", "Rome, Georgia, United States"),
        ("Denver CO", "Denver, Colorado, United States"),
        ("Denver, Colorado", "Denver, Colorado, United States"),
        ("Rome, Atlantis", "Rome, Lazio, Italy"),
        ("  roma ", "Rome, Lazio, Italy"),
    ],
)
async def test_a_city_is_found_however_it_is_written(call: Call, city: str, found: str) -> None:
    assert (await call("weather", {"city": city})).text.startswith(f"Weather in {found} at ")


@pytest.mark.parametrize("city", ["Atlantis", "Xq", "Q", "Denver Mordor", "?"])
async def test_unknown_place_becomes_a_sentence(call: Call, city: str) -> None:
    outcome = await call("weather", {"city": city})
    assert (outcome.ok, outcome.retry) == (False, True)
    assert outcome.text.startswith("There is no place called “")
    assert outcome.text.count("\n") == 0


@pytest.mark.parametrize("city", ["", "  ", "\x00", "x" * 101])
async def test_a_name_that_is_none_asks_nobody(call: Call, server: OpenMeteo, city: str) -> None:
    outcome = await call("weather", {"city": city})
    assert outcome == Outcome("A place needs a name of 1 to 100 characters, such as Denver.", ok=False, retry=True)
    assert server.requests == []


async def test_a_place_is_looked_for_at_most_three_times(call: Call, server: OpenMeteo) -> None:
    await call("weather", {"city": "somewhere far beyond the seven hills"})
    assert len(server.requests) == 3


async def test_values_that_the_service_does_not_know_are_left_out(call: Call, server: OpenMeteo) -> None:
    server.leave_out("precipitation_probability_max", "weather_code", "snowfall_sum", "apparent_temperature")
    text = (await call("weather", {"city": "Oslo"})).text
    assert "Now: sky unknown, 31 °F (0 °C), humidity 80%" in text
    assert "chance" not in text


SENTENCES: dict[Fault, str] = {
    "500": "has a problem of its own right now (HTTP 500); try again later.",
    "503": "has a problem of its own right now (HTTP 503); try again later.",
    "429": "has been asked too often; try again later.",
    "403": "refused access; an operator has to check its key in the settings.",
    "400": "did not accept the question (HTTP 400).",
    "hang": "did not answer in time.",
    "rubbish": "sent an answer that cannot be read.",
    "empty": "sent an answer that cannot be read.",
    "null": "sent an answer that cannot be read.",
    "bare": "sent an answer that cannot be read.",
    "huge": "sent an answer that is far too long.",
    "cut": "cannot be reached right now.",
}


def patience(fault: Fault | None) -> dict[str, float]:
    return {"timeout_seconds": HASTY} if fault == "hang" else {}


def test_every_fault_of_the_fake_has_its_sentence() -> None:
    assert set(SENTENCES) == set(get_args(Fault))


@pytest.mark.parametrize("fault", SENTENCES)
@pytest.mark.parametrize("route", ["forecast", "openweather"])
async def test_a_broken_weather_service_becomes_a_sentence(
    call: Call, server: OpenMeteo, route: Route, fault: Fault
) -> None:
    server.fail(route, fault)
    key, name = (None, "Open-Meteo") if route == "forecast" else (KEY, "OpenWeatherMap")
    outcome = await call("weather", {"city": "Oslo"}, openweather_api_key=key, **patience(fault))
    assert outcome == Outcome(f"{name} {SENTENCES[fault]}", ok=False)
    server.heal()
    assert (await call("weather", {"city": "Oslo"}, openweather_api_key=key)).ok


@pytest.mark.parametrize("fault", [each for each in SENTENCES if each != "bare"])
async def test_a_broken_geocoder_becomes_a_sentence(call: Call, server: OpenMeteo, fault: Fault) -> None:
    server.fail("geocoding", fault)
    outcome = await call("weather", {"city": "Oslo"}, **patience(fault))
    assert outcome == Outcome(f"Open-Meteo {SENTENCES[fault]}", ok=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1/search", "no url", "ftp://127.0.0.1/", "http://[", ""])
async def test_a_service_that_is_not_there_becomes_a_sentence(call: Call, url: str) -> None:
    outcome = await call("weather", {"city": "Oslo"}, geocoding_url=url)
    assert outcome == Outcome("Open-Meteo cannot be reached right now.", ok=False)


async def test_a_cancelled_question_does_not_wait_for_the_service(call: Call, server: OpenMeteo) -> None:
    server.fail("forecast", "hang")
    task = asyncio.ensure_future(call("weather", {"city": "Oslo"}))
    await server.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_with_a_key_the_weather_is_openweathermaps(call: Call, server: OpenMeteo) -> None:
    text = (await call("weather", {"city": "Oslo", "units": "celsius"}, openweather_api_key=KEY)).text
    _, now, today, tomorrow, *_, source = text.splitlines()
    assert now == (
        "Now: scattered clouds, 0 °C (31 °F), feels like -4 °C (24 °F), humidity 80%, "
        "wind 9 km/h (6 mph), no precipitation."
    )
    assert today.startswith("Today, Wednesday 10 June: ")
    assert tomorrow.startswith("Tomorrow, Thursday 11 June: light snow, high -1 °C (30 °F), low -6 °C (21 °F)")
    assert "precipitation 8.0 mm (0.31 in), new snow 5.6 cm (2.2 in), wind up to 22 km/h" in tomorrow
    assert source == "Source: OpenWeatherMap."
    assert [each.path for each in server.requests] == ["/v1/search", "/data/2.5/weather", "/data/2.5/forecast"]


async def test_a_blank_key_is_no_key(call: Call) -> None:
    assert "Source: Open-Meteo." in (await call("weather", {"city": "Oslo"}, openweather_api_key="")).text


@pytest.mark.parametrize("fault", [None, *SENTENCES])
async def test_a_key_is_never_told_or_logged(
    call: Call, server: OpenMeteo, fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    if fault:
        server.fail("openweather", fault)
    outcome = await call("weather", {"city": "Oslo"}, openweather_api_key="hidden-key", **patience(fault))
    assert not outcome.ok
    assert server.requests[-1].query["appid"] == "hidden-key"
    assert "hidden-key" not in outcome.text + caplog.text
    assert "http" not in outcome.text


async def test_a_wrong_key_becomes_a_sentence_for_the_operator(call: Call) -> None:
    outcome = await call("weather", {"city": "Oslo"}, openweather_api_key="wrong-key")
    assert outcome == Outcome(
        "OpenWeatherMap refused access; an operator has to check its key in the settings.", ok=False
    )

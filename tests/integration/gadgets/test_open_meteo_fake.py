from typing import Any

import aiohttp
import pytest

from tests.fakes.open_meteo import OpenMeteo

DENVER = {"latitude": "39.73915", "longitude": "-104.9847"}


async def get(http: aiohttp.ClientSession, url: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
    async with http.get(url, params=query) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({}, "Value required for key at path 'name'."),
        ({"name": "Denver", "nmae": "x"}, "Unknown parameter 'nmae'."),
        ({"name": "Denver", "count": "0"}, "Parameter count must be between 1 and 100."),
        ({"name": "Denver", "count": "many"}, "Value was not of type 'Float' at path 'count'."),
    ],
)
async def test_the_geocoder_refuses_what_the_real_one_does_not_know(
    http: aiohttp.ClientSession, server: OpenMeteo, query: dict[str, str], reason: str
) -> None:
    assert await get(http, server.geocoding_url, query) == (400, {"error": True, "reason": reason})


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"latitude": "39.7"}, "Value required for key at path 'longitude'."),
        (DENVER | {"latitude": "91"}, "Latitude must be in range of -90 to 90°. Given: 91.0."),
        (DENVER | {"current": "temperature"}, "Cannot initialize current from invalid String value temperature."),
        (DENVER | {"daily": "weather_code"}, "Timezone is required"),
        (DENVER | {"forecast_days": "17"}, "Forecast days is invalid. Allowed range 0 to 16. Given 17."),
        (DENVER | {"units": "metric"}, "Unknown parameter 'units'."),
        ({"latitude": "0", "longitude": "0"}, "No data is available for this location"),
    ],
)
async def test_the_forecast_refuses_what_the_real_one_does_not_know(
    http: aiohttp.ClientSession, server: OpenMeteo, query: dict[str, str], reason: str
) -> None:
    assert await get(http, server.forecast_url, query) == (400, {"error": True, "reason": reason})


async def test_a_place_that_nobody_knows_is_an_answer_without_results(
    http: aiohttp.ClientSession, server: OpenMeteo
) -> None:
    status, answer = await get(http, server.geocoding_url, {"name": "Atlantis"})
    assert status == 200
    assert "results" not in answer


@pytest.mark.parametrize(
    "city", ["Denver", "London", "Seattle", "Phoenix", "New York", "Tokyo", "Oslo", "Paris", "Rome"]
)
async def test_the_known_cities_have_a_forecast(http: aiohttp.ClientSession, server: OpenMeteo, city: str) -> None:
    _, found = await get(http, server.geocoding_url, {"name": city})
    where = {key: str(found["results"][0][key]) for key in ("latitude", "longitude")}
    status, answer = await get(http, server.forecast_url, where | {"current": "temperature_2m"})
    assert status == 200
    assert isinstance(answer["current"]["temperature_2m"], float)


async def test_openweathermap_refuses_a_wrong_key(http: aiohttp.ClientSession, server: OpenMeteo) -> None:
    query = {"lat": "39.73915", "lon": "-104.9847", "units": "metric", "appid": "wrong"}
    status, answer = await get(http, f"{server.openweather_url}/weather", query)
    assert (status, answer["cod"]) == (401, 401)


async def test_requests_are_recorded_decoded(http: aiohttp.ClientSession, server: OpenMeteo) -> None:
    await get(http, server.geocoding_url, {"name": "São Paulo & more"})
    (request,) = server.requests
    assert (request.path, request.query) == ("/v1/search", {"name": "São Paulo & more"})

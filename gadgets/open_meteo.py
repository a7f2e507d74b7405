"""The weather from Open-Meteo, which needs no key (https://open-meteo.com/en/docs).

    GET /v1/forecast?latitude=39.73915&longitude=-104.9847&timezone=auto&forecast_days=4&current=…&daily=…
    {"latitude": 39.738, "longitude": -104.983, "generationtime_ms": 0.2, "utc_offset_seconds": -21600,
     "timezone": "America/Denver", "timezone_abbreviation": "GMT-6", "elevation": 1609.0,
     "current_units": {…}, "current": {"time": "2026-06-10T14:15", "interval": 900, "temperature_2m": 22.4, …},
     "daily_units": {…}, "daily": {"time": ["2026-06-10", …], "weather_code": [3, …], …}}

Times are local to the place. Temperatures are in °C, wind in km/h, precipitation in mm, snowfall in cm; a value may be
null where the weather models have none. A refused query is status 400 with {"error": true, "reason": "…"}.
"""

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from gadgets.fetch import Service, fetch, unreadable
from gadgets.places import SERVICE, Place
from gadgets.report import Conditions, Day, Report

if TYPE_CHECKING:
    import aiohttp

DAYS = 4
"""Today and the next three."""

CODES = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "fog with rime",
    51: "light drizzle",
    53: "drizzle",
    55: "dense drizzle",
    56: "light freezing drizzle",
    57: "dense freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "heavy freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light rain showers",
    81: "rain showers",
    82: "violent rain showers",
    85: "light snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with light hail",
    99: "thunderstorm with heavy hail",
}
"""WMO weather interpretation codes (WMO 4677, the part that Open-Meteo uses)."""

Values = list[float | None]


class _Current(msgspec.Struct):
    time: str
    temperature_2m: float
    weather_code: int | None
    apparent_temperature: float | None
    relative_humidity_2m: float | None
    wind_speed_10m: float | None
    precipitation: float | None


class _Daily(msgspec.Struct):
    time: list[str]
    weather_code: list[int | None]
    temperature_2m_max: Values
    temperature_2m_min: Values
    precipitation_probability_max: Values
    precipitation_sum: Values
    snowfall_sum: Values
    wind_speed_10m_max: Values


class _Answer(msgspec.Struct):
    current: _Current
    daily: _Daily


async def forecast(http: "aiohttp.ClientSession", url: str, seconds: float, place: Place) -> Report:
    """The weather of a place, each request within `seconds`. Raises GadgetFailed."""
    answer = await fetch(http, Service(SERVICE, url, seconds), _query(place), _Answer)
    try:
        return _report(place, answer)
    except ValueError:  # a date that is none, or columns of different lengths
        raise unreadable(SERVICE) from None


def _query(place: Place) -> dict[str, str]:
    return {
        "latitude": f"{place.latitude:.5f}",
        "longitude": f"{place.longitude:.5f}",
        "timezone": "auto",
        "forecast_days": str(DAYS),
        "current": ",".join(_columns(_Current)),
        "daily": ",".join(_columns(_Daily)),
    }


def _columns(section: type[msgspec.Struct]) -> list[str]:
    return [each for each in section.__struct_fields__ if each != "time"]


def _report(place: Place, answer: _Answer) -> Report:
    now, daily = answer.current, answer.daily
    columns = [getattr(daily, each) for each in ("time", *_columns(_Daily))]
    return Report(
        place=place.label,
        time=datetime.fromisoformat(now.time).replace(tzinfo=None),
        now=Conditions(
            sky=_sky(now.weather_code),
            temperature=now.temperature_2m,
            feels_like=now.apparent_temperature,
            humidity=now.relative_humidity_2m,
            wind=now.wind_speed_10m,
            precipitation=now.precipitation,
        ),
        days=tuple(_day(*each) for each in zip(*columns, strict=True))[:DAYS],
        source=SERVICE,
    )


def _day(
    day: str,
    code: int | None,
    high: float | None,
    low: float | None,
    chance: float | None,
    precipitation: float | None,
    snow: float | None,
    wind: float | None,
) -> Day:
    return Day(date.fromisoformat(day), _sky(code), high, low, chance, precipitation, snow, wind)


def _sky(code: int | None) -> str:
    return "sky unknown" if code is None else CODES.get(code, f"weather code {code}")

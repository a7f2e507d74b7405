"""The weather from OpenWeatherMap, which needs a key (https://openweathermap.org/current and /forecast5).

    GET /data/2.5/weather?lat=39.73915&lon=-104.9847&units=metric&appid=KEY
    {"weather": [{"id": 803, "main": "Clouds", "description": "broken clouds", "icon": "04d"}],
     "main": {"temp": 22.4, "feels_like": 21.9, "humidity": 30, …}, "wind": {"speed": 3.6, "deg": 40},
     "rain": {"1h": 0.4}, "dt": 1781122500, "timezone": -21600, …}

    GET /data/2.5/forecast?… is five days in steps of three hours
    {"list": [{"dt": 1781125200, "main": {"temp_min": 22.1, "temp_max": 23.0, …}, "weather": […], "pop": 0.2,
      "rain": {"3h": 0.3}, "snow": {"3h": 0.1}, "wind": {"speed": 3.1}, …}, …], "city": {"timezone": -21600, …}}

With units=metric temperatures are in °C and wind in m/s; rain and snow are in mm of water. A wrong key is status 401.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec
from pydantic import SecretStr

from gadgets.fetch import Service, fetch, unreadable
from gadgets.open_meteo import DAYS
from gadgets.places import Place
from gadgets.report import Conditions, Day, Report

if TYPE_CHECKING:
    import aiohttp

SERVICE = "OpenWeatherMap"

KMH_PER_MS = 3.6
SNOW_CM_PER_MM = 0.7
"""New snow for its water, as Open-Meteo reckons it: 7 cm melt to 10 mm."""


class _Sky(msgspec.Struct):
    description: str


class _Main(msgspec.Struct):
    temp: float
    temp_min: float
    temp_max: float
    feels_like: float | None = None
    humidity: float | None = None


class _Wind(msgspec.Struct):
    speed: float = 0.0


class _Fall(msgspec.Struct):
    one_hour: float = msgspec.field(default=0.0, name="1h")
    three_hours: float = msgspec.field(default=0.0, name="3h")


class _Current(msgspec.Struct):
    dt: int
    timezone: int
    main: _Main
    weather: list[_Sky]
    wind: _Wind = msgspec.field(default_factory=_Wind)
    rain: _Fall = msgspec.field(default_factory=_Fall)
    snow: _Fall = msgspec.field(default_factory=_Fall)


class _Step(msgspec.Struct):
    dt: int
    main: _Main
    weather: list[_Sky]
    pop: float = 0.0
    wind: _Wind = msgspec.field(default_factory=_Wind)
    rain: _Fall = msgspec.field(default_factory=_Fall)
    snow: _Fall = msgspec.field(default_factory=_Fall)


class _Steps(msgspec.Struct):
    steps: list[_Step] = msgspec.field(name="list")


async def forecast(http: "aiohttp.ClientSession", url: str, key: SecretStr, seconds: float, place: Place) -> Report:
    """The weather of a place from the service at `url`, each request within `seconds`. Raises GadgetFailed."""
    query = _query(key, place)
    base = url.rstrip("/")
    now = await fetch(http, Service(SERVICE, f"{base}/weather", seconds), query, _Current)
    later = await fetch(http, Service(SERVICE, f"{base}/forecast", seconds), query, _Steps)
    try:
        return _report(place, now, later)
    except (ValueError, OverflowError, OSError):  # a time that is none
        raise unreadable(SERVICE) from None


def _query(key: SecretStr, place: Place) -> dict[str, str]:
    return {
        "lat": f"{place.latitude:.5f}",
        "lon": f"{place.longitude:.5f}",
        "units": "metric",
        "appid": key.get_secret_value(),
    }


def _report(place: Place, now: _Current, later: _Steps) -> Report:
    zone = timezone(timedelta(seconds=now.timezone))
    time = datetime.fromtimestamp(now.dt, zone)
    days = groupby(later.steps, key=lambda step: datetime.fromtimestamp(step.dt, zone).date())
    whole = [_day(each, list(steps)) for each, steps in days if each >= time.date()]
    conditions = Conditions(
        sky=_sky([now.weather]),
        temperature=now.main.temp,
        feels_like=now.main.feels_like,
        humidity=now.main.humidity,
        wind=now.wind.speed * KMH_PER_MS,
        precipitation=now.rain.one_hour + now.snow.one_hour,
    )
    return Report(place.label, time.replace(tzinfo=None), conditions, tuple(whole[:DAYS]), SERVICE)


def _day(day: date, steps: list[_Step]) -> Day:
    snow = sum(each.snow.three_hours for each in steps)
    return Day(
        date=day,
        sky=_sky(each.weather for each in steps),
        high=max(each.main.temp_max for each in steps),
        low=min(each.main.temp_min for each in steps),
        chance=100 * max(each.pop for each in steps),
        precipitation=snow + sum(each.rain.three_hours for each in steps),
        snow=snow * SNOW_CM_PER_MM,
        wind=KMH_PER_MS * max(each.wind.speed for each in steps),
    )


def _sky(steps: Iterable[list[_Sky]]) -> str:
    """What is said of most of the time."""
    said = Counter(each.description for step in steps for each in step)
    return said.most_common(1)[0][0] if said else "sky unknown"

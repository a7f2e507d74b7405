"""A strict fake of Open-Meteo (geocoding and forecast) and of OpenWeatherMap, as a real server on 127.0.0.1.

    async with OpenMeteo() as server:
        settings = WeatherSettings(geocoding_url=server.geocoding_url, forecast_url=server.forecast_url)

It knows the cities of `tests.fakes.cities`, records every request and refuses what the real services do not know:
Open-Meteo with status 400 and {"error": true, "reason": …}, OpenWeatherMap with {"cod": …, "message": …}.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from aiohttp import web

from tests.fakes import openweather
from tests.fakes.cities import CITIES, City

Route = Literal["geocoding", "forecast", "openweather"]
Fault = Literal["500", "503", "429", "403", "400", "hang", "rubbish", "empty", "null", "bare", "huge", "cut"]
"""`bare` is a JSON object without any field, `cut` an answer that ends before its Content-Length."""

HUGE = 8_000_000

CURRENT = {
    "temperature_2m": ("°C", attrgetter("now.temperature")),
    "apparent_temperature": ("°C", attrgetter("now.feels_like")),
    "relative_humidity_2m": ("%", attrgetter("now.humidity")),
    "weather_code": ("wmo code", attrgetter("now.code")),
    "wind_speed_10m": ("km/h", attrgetter("now.wind")),
    "precipitation": ("mm", attrgetter("now.precipitation")),
}
DAILY = {
    "weather_code": ("wmo code", attrgetter("code")),
    "temperature_2m_max": ("°C", attrgetter("high")),
    "temperature_2m_min": ("°C", attrgetter("low")),
    "precipitation_probability_max": ("%", attrgetter("chance")),
    "precipitation_sum": ("mm", attrgetter("precipitation")),
    "snowfall_sum": ("cm", attrgetter("snow")),
    "wind_speed_10m_max": ("km/h", attrgetter("wind")),
}
SEARCH_KEYS = {"name", "count", "language", "format", "countryCode"}
FORECAST_KEYS = {"latitude", "longitude", "timezone", "forecast_days", "current", "daily"}
OPENWEATHER_KEYS = {"lat", "lon", "units", "appid"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came in. `query` values are decoded."""

    path: str
    query: dict[str, str]


class Refused(Exception):
    """The real service refuses this query; the message is its reason."""


class OpenMeteo:
    """Open it with `async with`. `now` fixes the time it tells; `openweather_key` is the one key it accepts."""

    def __init__(self, *, now: datetime | None = None, openweather_key: str = "right-key") -> None:
        self.requests: list[Recorded] = []
        self.hanging = asyncio.Event()
        """Set as soon as a request hangs."""
        self._now = now
        self._key = openweather_key
        self._faults: dict[Route, Fault] = {}
        self._nulls: set[str] = set()
        self._closing = asyncio.Event()
        self._base = ""

    @property
    def geocoding_url(self) -> str:
        return f"{self._base}/v1/search"

    @property
    def forecast_url(self) -> str:
        return f"{self._base}/v1/forecast"

    @property
    def openweather_url(self) -> str:
        return f"{self._base}/data/2.5"

    def fail(self, route: Route, fault: Fault) -> None:
        """From now on every request of the route ends so, until `heal`."""
        assert fault in get_args(Fault)
        self._faults[route] = fault

    def heal(self) -> None:
        self._faults.clear()

    def leave_out(self, *variables: str) -> None:
        """Tell null for these forecast variables, as the real service does where its models have none."""
        self._nulls.update(variables)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/v1/search", self._route("geocoding", self._search))
        app.router.add_get("/v1/forecast", self._route("forecast", self._forecast))
        app.router.add_get("/data/2.5/weather", self._route("openweather", self._openweather_now))
        app.router.add_get("/data/2.5/forecast", self._route("openweather", self._openweather_later))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0]
        self._base = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._closing.set()
        await self._runner.cleanup()

    def _route(self, route: Route, answer: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.requests.append(Recorded(request.path, dict(request.query)))
            if fault := self._faults.get(route):
                return await self._broken(request, fault)
            try:
                return await answer(request)
            except Refused as exc:
                refusal: dict[str, Any] = {"error": True, "reason": str(exc)}
                if route == "openweather":
                    refusal = {"cod": "400", "message": str(exc)}
                return web.json_response(refusal, status=400)

        return handle

    async def _broken(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.isdigit():
            return web.json_response({"error": True, "reason": f"fault {fault}"}, status=int(fault))
        if fault == "hang":
            self.hanging.set()
            await self._closing.wait()
        if fault in {"huge", "cut"}:
            return await self._long(request, HUGE if fault == "huge" else 100)
        body = {"rubbish": b"\xff<html>no JSON</html>", "null": b"null", "bare": b"{}"}.get(fault, b"")
        return web.Response(body=body, content_type="application/json")

    async def _long(self, request: web.Request, size: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = HUGE
        await response.prepare(request)
        with suppress(ConnectionResetError):  # the client has read enough
            for _ in range(0, size, 100_000):
                await response.write(b" " * min(size, 100_000))
        if size < HUGE and request.transport is not None:
            request.transport.close()
        return response

    async def _search(self, request: web.Request) -> web.Response:
        query = _checked(request, SEARCH_KEYS, {"name"})
        count = _number(query.get("count", "10"), "count")
        if not 1 <= count <= 100:
            raise Refused("Parameter count must be between 1 and 100.")
        if query.get("format", "json") != "json":
            raise Refused("Cannot initialize format from invalid String value.")
        found = [_geoname(place, city) for place, city in enumerate(CITIES) if _matches(city, query["name"])]
        answer = {"results": found[: int(count)]} if found else {}
        return web.json_response(answer | {"generationtime_ms": 0.4})

    async def _forecast(self, request: web.Request) -> web.Response:
        query = _checked(request, FORECAST_KEYS, {"latitude", "longitude"})
        city = _city_at(_number(query["latitude"], "latitude"), _number(query["longitude"], "longitude"))
        days = _number(query.get("forecast_days", "7"), "forecast_days")
        if not 0 <= days <= 16:
            raise Refused(f"Forecast days is invalid. Allowed range 0 to 16. Given {days:g}.")
        if "daily" in query and "timezone" not in query:
            raise Refused("Timezone is required")
        if query.get("timezone", "auto") != "auto":
            raise Refused("Invalid timezone")
        now = self._time(city)
        answer = _located(city, now) | self._current(query.get("current"), city, now)
        return web.json_response(answer | self._daily(query.get("daily"), city, now, int(days)))

    def _current(self, variables: str | None, city: City, now: datetime) -> dict[str, Any]:
        if variables is None:
            return {}
        names = _variables(variables, CURRENT, "current")
        units = {"time": "iso8601", "interval": "seconds"} | {name: CURRENT[name][0] for name in names}
        values = {name: None if name in self._nulls else CURRENT[name][1](city) for name in names}
        quarter = now.replace(minute=now.minute // 15 * 15)
        return {"current_units": units, "current": {"time": f"{quarter:%Y-%m-%dT%H:%M}", "interval": 900} | values}

    def _daily(self, variables: str | None, city: City, now: datetime, days: int) -> dict[str, Any]:
        if variables is None:
            return {}
        names = _variables(variables, DAILY, "daily")
        forecasts = [city.days[min(at, len(city.days) - 1)] for at in range(days)]
        dates = [f"{now + timedelta(days=at):%Y-%m-%d}" for at in range(days)]
        columns = {name: [None if name in self._nulls else DAILY[name][1](day) for day in forecasts] for name in names}
        units = {"time": "iso8601"} | {name: DAILY[name][0] for name in names}
        return {"daily_units": units, "daily": {"time": dates} | columns}

    async def _openweather_now(self, request: web.Request) -> web.Response:
        return self._openweather(request, openweather.current)

    async def _openweather_later(self, request: web.Request) -> web.Response:
        return self._openweather(request, openweather.forecast)

    def _openweather(self, request: web.Request, answer: Callable[[City, datetime], dict[str, Any]]) -> web.Response:
        query = _checked(request, OPENWEATHER_KEYS, OPENWEATHER_KEYS - {"units"})
        if query.get("units") != "metric":
            raise Refused("this fake knows only units=metric")
        if query["appid"] != self._key:
            return web.json_response(openweather.WRONG_KEY, status=401)
        city = _city_at(_number(query["lat"], "lat"), _number(query["lon"], "lon"))
        return web.json_response(answer(city, self._time(city)))

    def _time(self, city: City) -> datetime:
        return (self._now or datetime.now(UTC)).astimezone(ZoneInfo(city.timezone))


def _checked(request: web.Request, allowed: set[str], required: set[str]) -> dict[str, str]:
    if twice := [name for name, number in Counter(request.query.keys()).items() if number > 1]:
        raise Refused(f"Parameter '{twice[0]}' is given twice.")
    if unknown := request.query.keys() - allowed:
        raise Refused(f"Unknown parameter '{min(unknown)}'.")
    if missing := required - request.query.keys():
        raise Refused(f"Value required for key at path '{min(missing)}'.")
    return dict(request.query)


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Refused(f"Value was not of type 'Float' at path '{name}'.") from None


def _variables(text: str, known: dict[str, Any], key: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in known:
            raise Refused(f"Cannot initialize {key} from invalid String value {name}.")
    return names


def _matches(city: City, name: str) -> bool:
    """As the real service: two characters match exactly, three and more also a beginning."""
    asked = name.strip().casefold()
    names = [each.casefold() for each in (city.name, *city.aliases)]
    return asked in names or (len(asked) > 2 and any(each.startswith(asked) for each in names))


def _city_at(latitude: float, longitude: float) -> City:
    if not -90 <= latitude <= 90:
        raise Refused(f"Latitude must be in range of -90 to 90°. Given: {latitude}.")
    if not -180 <= longitude <= 180:
        raise Refused(f"Longitude must be in range of -180 to 180°. Given: {longitude}.")
    for city in CITIES:
        if abs(city.latitude - latitude) < 0.01 and abs(city.longitude - longitude) < 0.01:
            return city
    raise Refused("No data is available for this location")


def _geoname(place: int, city: City) -> dict[str, Any]:
    return {
        "id": 1_000 + place,
        "name": city.name,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "elevation": 10.0,
        "feature_code": "PPL",
        "country_code": city.country_code,
        "timezone": city.timezone,
        "population": 1_000_000 - place,
        "country": city.country,
        "admin1": city.admin1,
    }


def _located(city: City, now: datetime) -> dict[str, Any]:
    return {
        "latitude": round(city.latitude, 2),
        "longitude": round(city.longitude, 2),
        "generationtime_ms": 0.2,
        "utc_offset_seconds": openweather.offset(now),
        "timezone": city.timezone,
        "timezone_abbreviation": now.tzname(),
        "elevation": 10.0,
    }

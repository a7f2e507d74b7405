from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from gadgets.catalogue import ALL
from gadgets.clock import ClockSettings
from gadgets.context import Occasion
from gadgets.toolbox import Outcome, Toolbox
from gadgets.weather import WeatherSettings
from tests.fakes.open_meteo import OpenMeteo

NOW = datetime(2026, 6, 10, 20, 15, tzinfo=UTC)

Call = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def server() -> AsyncIterator[OpenMeteo]:
    async with OpenMeteo(now=NOW) as fake:
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def addresses(server: OpenMeteo) -> dict[str, Any]:
    return {
        "geocoding_url": server.geocoding_url,
        "forecast_url": server.forecast_url,
        "openweather_url": server.openweather_url,
    }


@pytest.fixture
def call(http: aiohttp.ClientSession, server: OpenMeteo, addresses: dict[str, Any]) -> Call:
    """Call a gadget of the catalogue: `await call("weather", {"city": "Denver"}, openweather_api_key="…")`."""
    box = Toolbox(ALL)

    async def run(name: str, arguments: dict[str, Any], **weather: Any) -> Outcome:
        settings = {
            "weather": WeatherSettings.model_validate(addresses | weather),
            "clock": ClockSettings(geocoding_url=server.geocoding_url),
        }
        return await box.call(name, arguments, http=http, occasion=Occasion("test:1"), settings=settings)

    return run

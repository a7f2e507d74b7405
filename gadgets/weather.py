"""The gadget `weather`: Open-Meteo, or OpenWeatherMap where a key for it is set."""

from pydantic import Field, SecretStr

from gadgets import open_meteo, openweather
from gadgets.context import Context
from gadgets.gadget import gadget
from gadgets.places import PlaceSettings, find_place
from gadgets.report import Report, Units

TIMEOUT = 30.0
"""Seconds for finding the place and asking for its weather."""
CACHE_TTL = 600.0
"""Seconds. Both services measure every 10 to 15 minutes."""


class WeatherSettings(PlaceSettings):
    """Where the services are. The place is looked up with Open-Meteo's geocoder whichever of them tells the weather."""

    forecast_url: str = "https://api.open-meteo.com/v1/forecast"
    openweather_url: str = "https://api.openweathermap.org/data/2.5"
    openweather_api_key: SecretStr | None = Field(default=None)


@gadget(timeout=TIMEOUT, settings=WeatherSettings, status="checking the weather…", cache_ttl=CACHE_TTL)
async def weather(context: Context, city: str, units: Units = "fahrenheit") -> str:
    """Get the current weather and the forecast of the next 3 days (temperature, rain, snow, wind) for a city.

    Args:
        city: The city, such as "Denver" or "Paris, France".
        units: The unit to name first; both are always given.
    """
    return (await _report(context, city)).text(units)


async def _report(context: Context, city: str) -> Report:
    settings: WeatherSettings = context.settings
    place = await find_place(context.http, city, settings)
    key, seconds = settings.openweather_api_key, settings.timeout_seconds
    if key is None or not key.get_secret_value():
        return await open_meteo.forecast(context.http, settings.forecast_url, seconds, place)
    return await openweather.forecast(context.http, settings.openweather_url, key, seconds, place)

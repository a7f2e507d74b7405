"""A small world for the fake of Open-Meteo: cities in the order of their fame, and their weather."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Today:
    """The weather now, in Open-Meteo's default units: °C, %, km/h, mm and a WMO code."""

    code: int
    temperature: float
    feels_like: float
    humidity: int
    wind: float
    precipitation: float = 0.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """A day's weather: WMO code, °C, %, mm of precipitation, cm of snow, km/h."""

    code: int
    high: float
    low: float
    chance: int = 0
    precipitation: float = 0.0
    snow: float = 0.0
    wind: float = 15.0


@dataclass(frozen=True, slots=True)
class City:
    name: str
    admin1: str
    country: str
    country_code: str
    latitude: float
    longitude: float
    timezone: str
    now: Today
    days: tuple[Forecast, ...]
    aliases: tuple[str, ...] = ()


_SUN = (Forecast(1, 24.0, 11.0), Forecast(0, 26.0, 12.0), Forecast(2, 25.0, 12.5, 10), Forecast(3, 21.0, 10.0, 20))
_RAIN = (
    Forecast(61, 14.0, 9.0, 85, 4.2),
    Forecast(63, 13.0, 8.0, 90, 9.8),
    Forecast(80, 15.0, 8.5, 60, 2.1),
    Forecast(3, 16.0, 9.0, 25),
)
_SNOW = (
    Forecast(3, 1.0, -4.0, 20),
    Forecast(73, -1.0, -6.0, 95, 8.0, 5.6, 22.0),
    Forecast(71, -2.0, -8.0, 55, 2.0, 1.4),
    Forecast(0, -3.0, -11.0),
)
_HEAT = (Forecast(0, 42.0, 28.0), Forecast(0, 43.0, 29.0), Forecast(1, 42.5, 29.0), Forecast(95, 39.0, 27.0, 40, 3.0))

_MILD = Today(2, 22.4, 21.9, 30, 12.6)
_WET = Today(61, 12.3, 11.0, 88, 18.4, 0.6)
_COLD = Today(3, -0.4, -4.2, 80, 9.0)
_HOT = Today(0, 41.2, 39.8, 9, 8.2)

CITIES = (
    City("Denver", "Colorado", "United States", "US", 39.73915, -104.9847, "America/Denver", _MILD, _SUN),
    City("London", "England", "United Kingdom", "GB", 51.50853, -0.12574, "Europe/London", _WET, _RAIN),
    City("London", "Ontario", "Canada", "CA", 42.98339, -81.23304, "America/Toronto", _MILD, _SUN),
    City("Seattle", "Washington", "United States", "US", 47.60621, -122.33207, "America/Los_Angeles", _WET, _RAIN),
    City("Phoenix", "Arizona", "United States", "US", 33.44838, -112.07404, "America/Phoenix", _HOT, _HEAT),
    City(
        "New York", "New York", "United States", "US", 40.71427, -74.00597, "America/New_York", _MILD, _SUN,
        ("New York City", "NYC"),
    ),
    City("Tokyo", "Tokyo", "Japan", "JP", 35.6895, 139.69171, "Asia/Tokyo", _WET, _RAIN),
    City("Oslo", "Oslo", "Norway", "NO", 59.91273, 10.74609, "Europe/Oslo", _COLD, _SNOW),
    City("Paris", "Île-de-France", "France", "FR", 48.85341, 2.3488, "Europe/Paris", _MILD, _SUN),
    City("Paris", "Texas", "United States", "US", 33.66094, -95.55551, "America/Chicago", _HOT, _HEAT),
    City("Rome", "Lazio", "Italy", "IT", 41.89193, 12.51133, "Europe/Rome", _MILD, _SUN, ("Roma",)),
    City("Rome", "Georgia", "United States", "US", 34.25704, -85.16467, "America/New_York", _HOT, _HEAT),
    City("Springfield", "Missouri", "United States", "US", 37.21533, -93.29824, "America/Chicago", _MILD, _SUN),
)  # fmt: skip

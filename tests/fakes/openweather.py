"""What OpenWeatherMap answers: current weather and five days in steps of three hours, with units=metric."""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.cities import City

WRONG_KEY = {
    "cod": 401,
    "message": "Invalid API key. Please see https://openweathermap.org/faq#error401 for more info.",
}
STEP = 10_800
STEPS = 40


def current(city: City, now: datetime) -> dict[str, Any]:
    temperature = city.now.temperature
    main = {"temp": temperature, "feels_like": city.now.feels_like, "humidity": city.now.humidity}
    rain = {"rain": {"1h": city.now.precipitation}} if city.now.precipitation else {}
    return {
        "weather": [_sky(city.now.code)],
        "main": main | {"temp_min": temperature, "temp_max": temperature, "pressure": 1015},
        "wind": {"speed": city.now.wind / 3.6, "deg": 40},
        "dt": int(now.timestamp()),
        "timezone": offset(now),
        "name": city.name,
        "cod": 200,
    } | rain


def forecast(city: City, now: datetime) -> dict[str, Any]:
    first = (int(now.timestamp()) // STEP + 1) * STEP
    steps = [_step(city, datetime.fromtimestamp(first + STEP * at, now.tzinfo), now) for at in range(STEPS)]
    place = {"name": city.name, "country": city.country_code, "timezone": offset(now)}
    return {"cod": "200", "message": 0, "cnt": STEPS, "list": steps, "city": place}


def offset(now: datetime) -> int:
    """Seconds east of UTC."""
    difference = now.utcoffset()
    assert difference is not None
    return int(difference.total_seconds())


def _step(city: City, at: datetime, now: datetime) -> dict[str, Any]:
    """Three hours: an eighth of their day's precipitation."""
    day = city.days[min((at.date() - now.date()).days, len(city.days) - 1)]
    melted = day.snow / 0.7
    falls = {"snow": {"3h": melted / 8}, "rain": {"3h": (day.precipitation - melted) / 8}}
    return {
        "dt": int(at.timestamp()),
        "main": {"temp": (day.high + day.low) / 2, "temp_min": day.low, "temp_max": day.high, "humidity": 50},
        "weather": [_sky(day.code)],
        "wind": {"speed": day.wind / 3.6},
        "pop": day.chance / 100,
        "dt_txt": f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
    } | {name: fall for name, fall in falls.items() if fall["3h"] > 0.001}


def _sky(code: int) -> dict[str, Any]:
    kind = "Clear" if code < 2 else "Clouds" if code < 4 else "Snow" if 71 <= code <= 77 else "Rain"
    words = {"Clear": "clear sky", "Clouds": "scattered clouds", "Snow": "light snow", "Rain": "moderate rain"}
    return {"id": 800, "main": kind, "description": words[kind], "icon": "01d"}

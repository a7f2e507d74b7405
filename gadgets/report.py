"""Weather as it is told: measured in metric units, said in both systems."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Units = Literal["fahrenheit", "celsius"]

KM_PER_MILE = 1.609344
MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Conditions:
    """The weather now: °C, %, km/h, mm. None is what the service does not know."""

    sky: str
    temperature: float
    feels_like: float | None
    humidity: float | None
    wind: float | None
    precipitation: float | None


@dataclass(frozen=True, slots=True)
class Day:
    """One day's forecast: °C, % chance of precipitation, mm of it (snow melted), cm of new snow, km/h at most."""

    date: date
    sky: str
    high: float | None
    low: float | None
    chance: float | None
    precipitation: float | None
    snow: float | None
    wind: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """The weather of one place. `time` is the local time of the measurement; `days` begin with its date."""

    place: str
    time: datetime
    now: Conditions
    days: tuple[Day, ...]
    source: str

    def text(self, units: Units) -> str:
        """The report in words, a line for now and one for each day, the asked unit first."""
        lines = [f"Weather in {self.place} at {self.time:%H:%M} local time on {_day(self.time.date())}:"]
        lines.append(f"Now: {_conditions(self.now, units)}.")
        lines += [f"{_title(day.date, self.time.date())}: {_forecast(day, units)}." for day in self.days]
        lines.append(f"Source: {self.source}.")
        return "\n".join(lines)


def _conditions(now: Conditions, units: Units) -> str:
    parts = [now.sky, _degrees(now.temperature, units)]
    if now.feels_like is not None:
        parts.append(f"feels like {_degrees(now.feels_like, units)}")
    if now.humidity is not None:
        parts.append(f"humidity {now.humidity:.0f}%")
    if now.wind is not None:
        parts.append(f"wind {_speed(now.wind, units)}")
    if now.precipitation is not None:
        parts.append(_rain(now.precipitation, units))
    return ", ".join(parts)


def _forecast(day: Day, units: Units) -> str:
    parts = [day.sky]
    if day.high is not None:
        parts.append(f"high {_degrees(day.high, units)}")
    if day.low is not None:
        parts.append(f"low {_degrees(day.low, units)}")
    parts += _falls(day, units)
    if day.wind is not None:
        parts.append(f"wind up to {_speed(day.wind, units)}")
    return ", ".join(parts)


def _falls(day: Day, units: Units) -> list[str]:
    chance = [] if day.chance is None else [f"chance of rain or snow {day.chance:.0f}%"]
    if day.precipitation == 0 and day.snow == 0:
        return [*chance, "no rain or snow"] if day.chance else ["no rain or snow"]
    rain = [] if day.precipitation is None else [_rain(day.precipitation, units)]
    snow = [] if day.snow is None else [_snow(day.snow, units)]
    return chance + rain + snow


def _title(day: date, today: date) -> str:
    names = {0: "Today, ", 1: "Tomorrow, "}
    return names.get((day - today).days, "") + _day(day)


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


def _degrees(celsius: float, units: Units) -> str:
    return _both(f"{round(celsius * 9 / 5 + 32)} °F", f"{round(celsius)} °C", units)


def _speed(kmh: float, units: Units) -> str:
    return _both(f"{round(kmh / KM_PER_MILE)} mph", f"{round(kmh)} km/h", units)


def _rain(mm: float, units: Units) -> str:
    if mm <= 0:
        return "no precipitation"
    return f"precipitation {_both(f'{mm / MM_PER_INCH:.2f} in', f'{mm:.1f} mm', units)}"


def _snow(cm: float, units: Units) -> str:
    if cm <= 0:
        return "no snow"
    return f"new snow {_both(f'{cm * 10 / MM_PER_INCH:.1f} in', f'{cm:.1f} cm', units)}"


def _both(american: str, metric: str, units: Units) -> str:
    return f"{american} ({metric})" if units == "fahrenheit" else f"{metric} ({american})"

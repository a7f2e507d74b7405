"""Find a place by its name with Open-Meteo's geocoder (https://open-meteo.com/en/docs/geocoding-api).

    GET /v1/search?name=Denver&count=50&language=en&format=json
    {"results": [{"id": 5419384, "name": "Denver", "latitude": 39.73915, "longitude": -104.9847, "elevation": 1636.0,
      "feature_code": "PPLA", "country_code": "US", "timezone": "America/Denver", "population": 715522,
      "country": "United States", "admin1": "Colorado", ...}, ...], "generationtime_ms": 0.7}

Without a match `results` is missing. The best known place comes first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from gadgets.errors import BadArguments
from gadgets.fetch import Service, fetch
from gadgets.regions import folded, meanings
from gadgets.text import clean, excerpt

if TYPE_CHECKING:
    import aiohttp

SERVICE = "Open-Meteo"
MAX_NAME = 100
MAX_SEARCHES = 3
CANDIDATES = 50


class PlaceSettings(BaseModel):
    """Where the geocoder is, and how many seconds one request may take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    geocoding_url: str = "https://geocoding-api.open-meteo.com/v1/search"
    timeout_seconds: float = Field(default=8.0, gt=0)


@dataclass(frozen=True, slots=True)
class Place:
    """A place on Earth. `region`, `country` and `timezone` (an IANA name) are empty where nobody knows them."""

    name: str
    region: str
    country: str
    latitude: float
    longitude: float
    timezone: str

    @property
    def label(self) -> str:
        """How a reader tells it from its namesakes: "Denver, Colorado, United States"."""
        return ", ".join(each for each in (self.name, self.where) if each)

    @property
    def where(self) -> str:
        """What tells it from its namesakes: "Colorado, United States"."""
        region = "" if self.region == self.name else self.region
        return ", ".join(each for each in (region, self.country) if each and each != self.name)


class _Found(msgspec.Struct):
    name: str
    latitude: float
    longitude: float
    country: str = ""
    country_code: str = ""
    timezone: str = ""
    admin1: str = ""
    admin2: str = ""
    admin3: str = ""

    def lies_in(self, region: str) -> bool:
        names = (self.country, self.country_code, self.admin1, self.admin2, self.admin3)
        return not meanings(region).isdisjoint(folded(each) for each in names if each)


class _Answer(msgspec.Struct):
    results: list[_Found] = []


@dataclass(frozen=True, slots=True)
class _Search:
    """`strict` where the split into name and region is our guess: then a place outside the region is no match."""

    name: str
    regions: tuple[str, ...]
    strict: bool = False


async def find_place(http: "aiohttp.ClientSession", name: str, settings: PlaceSettings) -> Place:
    """The best known place of that name: "Denver", "Denver, Colorado", "Paris, France", "London UK".

    What follows the name only prefers: "Paris, Texas" is the one in Texas, "Paris, Atlantis" the best known one.
    Raises BadArguments when there is no such place and GadgetFailed when the geocoder cannot tell.
    """
    asked = " ".join(clean(name).split())
    if not asked or len(asked) > MAX_NAME:
        raise BadArguments(f"A place needs a name of 1 to {MAX_NAME} characters, such as Denver.")
    for search in islice(_searches(asked), MAX_SEARCHES):
        if found := await _search(http, search, settings):
            return _place(found)
    raise BadArguments(
        f"There is no place called “{excerpt(asked)}” that I know of; check the spelling or name a larger city nearby."
    )


def _searches(asked: str) -> Iterator[_Search]:
    name, *regions = (each.strip() for each in asked.split(","))
    yield _Search(name, tuple(each for each in regions if each))
    words = name.split()
    for at in (len(words) - 1, len(words) - 2):
        if at > 0 and not regions:
            yield _Search(" ".join(words[:at]), (" ".join(words[at:]),), strict=True)


async def _search(http: "aiohttp.ClientSession", search: _Search, settings: PlaceSettings) -> _Found | None:
    if not search.name:
        return None
    query = {"name": search.name, "count": str(CANDIDATES), "language": "en", "format": "json"}
    service = Service(SERVICE, settings.geocoding_url, settings.timeout_seconds)
    answer = await fetch(http, service, query, _Answer)
    matches = [(sum(each.lies_in(region) for region in search.regions), each) for each in answer.results]
    most, best = max(matches, key=lambda match: match[0], default=(0, None))
    return None if search.strict and not most else best


def _place(found: _Found) -> Place:
    return Place(
        name=found.name,
        region=found.admin1,
        country=found.country,
        latitude=found.latitude,
        longitude=found.longitude,
        timezone=found.timezone,
    )

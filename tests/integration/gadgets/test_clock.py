from collections.abc import Awaitable, Callable

import pytest

from gadgets.toolbox import Outcome
from tests.fakes.open_meteo import OpenMeteo

Call = Callable[..., Awaitable[Outcome]]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({}, ["It is ", " in UTC ("]),
        ({"place": "Tokyo"}, ["It is ", "in Tokyo (Asia/Tokyo, JST, UTC+09:00)."]),
        ({"to": "Tokyo"}, ["It is ", "in Tokyo (Asia/Tokyo, JST, UTC+09:00)."]),
        ({"place": "Tokyo", "time": "now"}, ["It is ", "in Tokyo (Asia/Tokyo, JST, UTC+09:00)."]),
        ({"place": "Tokyo", "to": "UTC"}, ["It is ", "That is ", "UTC being 9 h behind Tokyo."]),
        ({"place": "Tokyo", "time": "15:30", "to": "UTC"}, ["15:30 (3:30 pm)", "That is 06:30 (6:30 am)"]),
        ({"time": "15:30", "to": "Tokyo"}, ["15:30 (3:30 pm)", "in UTC", "That is 00:30 (12:30 am)"]),
        ({"place": "Tokyo", "time": "3:30 pm"}, ["15:30 (3:30 pm)", "That is 06:30 (6:30 am)", "in UTC"]),
        ({"time": "3:30 pm JST", "to": "UTC"}, ["in JST (Japan Standard Time, UTC+09:00)", "That is 06:30 (6:30 am)"]),
        ({"place": "Tokyo", "time": "06:30 UTC"}, ["in UTC", "That is 15:30 (3:30 pm)", "in Tokyo"]),
        ({"time": "2026-06-01T12:00+02:00", "to": "Tokyo"}, ["in UTC+02:00.", "That is 19:00 (7:00 pm)"]),
    ],
)
async def test_zones_of_this_machine_are_told_without_asking_anyone(
    call: Call, server: OpenMeteo, arguments: dict[str, str], parts: list[str]
) -> None:
    outcome = await call("clock", arguments)
    assert outcome.ok
    positions = [outcome.text.find(part) for part in parts]
    assert positions == sorted(positions)
    assert -1 not in positions
    assert server.requests == []


@pytest.mark.parametrize(
    ("place", "described"),
    [
        ("Seattle", "in Seattle (Washington, United States, America/Los_Angeles, P"),
        ("Paris, Texas", "in Paris (Texas, United States, America/Chicago, C"),
        ("Tokyo, Japan", "in Tokyo (Japan, Asia/Tokyo, JST, UTC+09:00)."),
    ],
)
async def test_other_places_are_found_by_the_geocoder(call: Call, place: str, described: str) -> None:
    outcome = await call("clock", {"place": place})
    assert outcome.ok
    assert described in outcome.text


async def test_unknown_place_becomes_a_sentence(call: Call) -> None:
    outcome = await call("clock", {"place": "Atlantis"})
    assert outcome.retry
    assert outcome.text.startswith("There is no place called “Atlantis”")


async def test_a_time_that_cannot_be_read_becomes_a_sentence_with_examples(call: Call) -> None:
    outcome = await call("clock", {"place": "Tokyo", "time": "half past three"})
    expected = "“half past three” is not a time that I can read; write it like 15:30, 3:30 pm or 2026-03-08T14:00."
    assert outcome == Outcome(expected, ok=False, retry=True)


async def test_without_the_geocoder_known_zones_still_work(call: Call, server: OpenMeteo) -> None:
    server.fail("geocoding", "500")
    assert (await call("clock", {"place": "London"})).ok
    outcome = await call("clock", {"place": "Seattle"})
    expected = "Open-Meteo has a problem of its own right now (HTTP 500); try again later."
    assert outcome == Outcome(expected, ok=False)

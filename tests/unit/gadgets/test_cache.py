"""The cache alone, with a clock of its own, and behind the toolbox."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum

import aiohttp
import pytest

from gadgets.cache import ResultCache, key_of
from gadgets.context import Asked, Context, Occasion
from gadgets.errors import GadgetFailed
from gadgets.gadget import Gadget, gadget
from gadgets.toolbox import Outcome, Toolbox

TTL = 60.0


@dataclass(slots=True)
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Source:
    """Makes results, counts them, and waits for `gate` first."""

    outcome: Outcome = field(default_factory=lambda: Outcome("fine", ok=True))
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    made: int = 0
    stopped: int = 0

    async def __call__(self) -> Outcome:
        self.made += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        return self.outcome

    def open(self) -> "Source":
        self.gate.set()
        return self


def said(text: str) -> Source:
    return Source(Outcome(text, ok=True)).open()


class Colour(Enum):
    RED = "red"


def test_a_key_does_not_depend_on_order_or_normal_form() -> None:
    composed = unicodedata.normalize("NFC", "Zürich")
    one = key_of("weather", "", {"city": composed, "units": "celsius", "more": [composed]})
    other = key_of(
        "weather",
        "",
        {
            "units": "celsius",
            "more": [unicodedata.normalize("NFD", composed)],
            "city": unicodedata.normalize("NFD", composed),
        },
    )
    assert one == other


def test_different_calls_have_different_keys() -> None:
    keys = [
        key_of("a", "", {"x": "1"}),
        key_of("a", "", {"x": 1}),
        key_of("a", "", {"x": True}),
        key_of("a", "", {"x": 1.0}),
        key_of("a", "", {"x": None}),
        key_of("a", "", {"x": ["1"]}),
        key_of("a", "", {"y": "1"}),
        key_of("b", "", {"x": "1"}),
        key_of("a", "discord:1", {"x": "1"}),
        key_of("a", "", {"x": '1", "y": "2'}),
        key_of("a", "", {"x": "\n\u0301"}),
        key_of("a", "", {"x": "\\n\u0301"}),
    ]
    assert len(set(keys)) == len(keys)


def test_an_enumeration_counts_as_its_value() -> None:
    assert key_of("a", "", {"x": Colour.RED}) == key_of("a", "", {"x": "red"})


async def test_a_result_is_given_again_until_its_time_is_over() -> None:
    clock, source = Clock(), said("fine")
    cache = ResultCache(now=clock)
    assert await cache.get("k", TTL, source) == Outcome("fine", ok=True)
    clock.now += TTL - 1
    assert await cache.get("k", TTL, source) == Outcome("fine", ok=True, cached=True)
    clock.now += 1
    assert await cache.get("k", TTL, source) == Outcome("fine", ok=True)
    assert source.made == 2


async def test_what_is_over_takes_no_room() -> None:
    clock = Clock()
    cache = ResultCache(now=clock)
    await cache.get("k", TTL, said("fine"))
    clock.now += TTL
    await cache.get("k", TTL, Source(Outcome("no", ok=False)).open())
    assert (len(cache), cache.size) == (0, 0)


@pytest.mark.parametrize("outcome", [Outcome("no", ok=False), Outcome("The end.", ok=True, ends=True)])
async def test_a_failure_and_the_end_of_a_conversation_are_not_kept(outcome: Outcome) -> None:
    cache, source = ResultCache(), Source(outcome).open()
    assert [await cache.get("k", TTL, source), await cache.get("k", TTL, source)] == [outcome, outcome]
    assert (source.made, len(cache)) == (2, 0)


async def test_two_who_ask_at_once_wait_for_one_result() -> None:
    cache, source = ResultCache(), Source()
    both = asyncio.gather(cache.get("k", TTL, source), cache.get("k", TTL, source))
    await asyncio.sleep(0)
    source.open()
    assert [*await both] == [Outcome("fine", ok=True), Outcome("fine", ok=True, cached=True)]
    assert source.made == 1


async def test_two_who_ask_at_once_are_told_of_one_failure() -> None:
    cache, source = ResultCache(), Source(Outcome("no", ok=False, prompt_tokens=5))
    both = asyncio.gather(cache.get("k", TTL, source), cache.get("k", TTL, source))
    await asyncio.sleep(0)
    source.open()
    assert [*await both] == [Outcome("no", ok=False, prompt_tokens=5), Outcome("no", ok=False)]
    assert source.made == 1


@pytest.mark.parametrize("leaver", [0, 1])
async def test_one_who_leaves_does_not_take_the_result_from_the_other(leaver: int) -> None:
    cache, source = ResultCache(), Source()
    waiters = [asyncio.create_task(cache.get("k", TTL, source)) for _ in range(2)]
    await asyncio.sleep(0)
    waiters[leaver].cancel()
    await asyncio.wait([waiters[leaver]])
    source.open()
    assert (await waiters[1 - leaver]).text == "fine"
    assert waiters[leaver].cancelled()
    assert (source.made, source.stopped) == (1, 0)


async def test_what_nobody_waits_for_is_stopped_and_made_anew_for_the_next() -> None:
    cache, source = ResultCache(), Source()
    waiters = [asyncio.create_task(cache.get("k", TTL, source)) for _ in range(2)]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.wait(waiters)
    assert (source.made, source.stopped) == (1, 1)
    assert await cache.get("k", TTL, source.open()) == Outcome("fine", ok=True)
    assert source.made == 2


async def test_the_least_recently_wanted_goes_when_there_are_too_many() -> None:
    cache = ResultCache(entries=2)
    for key in ("a", "b", "a", "c"):
        await cache.get(key, TTL, said(key))
    again = {key: (await cache.get(key, TTL, said(key))).cached for key in ("a", "c", "b")}
    assert again == {"a": True, "c": True, "b": False}
    assert len(cache) == 2


async def test_bytes_are_bounded_too() -> None:
    cache = ResultCache(size=1_000)
    for key in "abcdef":
        await cache.get(key, TTL, said("ü" * 150))
    assert (len(cache), cache.size) == (3, 3 * 301)


async def test_what_is_too_large_for_all_the_room_is_not_kept() -> None:
    cache = ResultCache(size=100)
    await cache.get("small", TTL, said("fine"))
    await cache.get("large", TTL, said("x" * 101))
    assert len(cache) == 1
    assert (await cache.get("small", TTL, said("other"))).cached


# Behind the toolbox.


@dataclass(slots=True)
class Desk:
    """Gadgets that count how often they run, and the one toolbox they are in."""

    runs: list[str] = field(default_factory=list)

    def box(self) -> Toolbox:
        runs = self.runs

        @gadget(cache_ttl=TTL)
        async def public(context: Context, text: str, times: int = 1) -> str:
            """Tell who asks."""
            runs.append(text)
            return f"{context.user!r} {context.conversation!r} {context.turn} {text * times}"

        @gadget(cache_ttl=TTL, private=True)
        async def own(context: Context, text: str) -> str:
            """Tell who asks, to them alone."""
            runs.append(text)
            return f"{context.user} {text}"

        @gadget()
        async def fresh(text: str) -> str:
            """Repeat a text."""
            runs.append(text)
            return text

        @gadget(cache_ttl=TTL)
        async def failing(text: str) -> str:
            """Fail."""
            runs.append(text)
            raise GadgetFailed

        @gadget(cache_ttl=TTL)
        async def thinking(context: Context, text: str) -> str:
            """Ask the model."""
            runs.append(text)
            return await context.ask("Be brief.", text)

        return Toolbox([public, own, fresh, failing, thinking])


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


ALICE = Occasion("test:1", "conversation1", 7)
BOB = Occasion("test:2", "conversation2", 8)


async def test_equal_arguments_run_once_however_they_are_written(http: aiohttp.ClientSession) -> None:
    desk = Desk()
    box = desk.box()
    first = await box.call("public", {"text": "a", "times": "1"}, http=http, occasion=ALICE, settings={})
    again = await box.call("public", {"text": "a"}, http=http, occasion=BOB, settings={})
    other = await box.call("public", {"text": "a", "times": 2}, http=http, occasion=BOB, settings={})
    assert [first.cached, again.cached, other.cached] == [False, True, False]
    assert first.text == again.text
    assert desk.runs == ["a", "a"]


async def test_a_gadget_whose_results_are_for_everybody_is_not_told_who_asks(http: aiohttp.ClientSession) -> None:
    outcome = await Desk().box().call("public", {"text": "a"}, http=http, occasion=ALICE, settings={})
    assert outcome.text == "'' '' 0 a"


async def test_private_results_stay_with_their_user(http: aiohttp.ClientSession) -> None:
    box = Desk().box()
    told = [
        await box.call("own", {"text": "a"}, http=http, occasion=occasion, settings={})
        for occasion in (ALICE, BOB, ALICE)
    ]
    assert [(each.text, each.cached) for each in told] == [("test:1 a", False), ("test:2 a", False), ("test:1 a", True)]


async def test_private_results_of_nobody_are_not_kept(http: aiohttp.ClientSession) -> None:
    desk = Desk()
    box = desk.box()
    for _ in range(2):
        await box.call("own", {"text": "a"}, http=http, occasion=Occasion(""), settings={})
    assert desk.runs == ["a", "a"]


@pytest.mark.parametrize("name", ["fresh", "failing"])
async def test_what_has_no_lifetime_and_what_fails_runs_every_time(name: str, http: aiohttp.ClientSession) -> None:
    desk = Desk()
    box = desk.box()
    for _ in range(2):
        assert not (await box.call(name, {"text": "a"}, http=http, occasion=ALICE, settings={})).cached
    assert desk.runs == ["a", "a"]


async def test_only_who_makes_a_result_pays_its_tokens(http: aiohttp.ClientSession) -> None:
    async def ask(system: str, text: str) -> Asked:
        return Asked(f"{system} {text}", 11, 3)

    box, asking = Desk().box(), Occasion("test:1", ask=ask)
    first, again = [
        await box.call("thinking", {"text": "a"}, http=http, occasion=asking, settings={}) for _ in range(2)
    ]
    assert first == Outcome("Be brief. a", ok=True, prompt_tokens=11, completion_tokens=3)
    assert again == Outcome("Be brief. a", ok=True, cached=True)


def test_what_keeps_a_state_cannot_be_cached() -> None:
    with pytest.raises(TypeError, match="leave out `cache_ttl`"):

        @gadget(keeps="game", cache_ttl=TTL)
        async def move() -> str:
            """Move."""
            return ""


def test_by_default_nothing_is_cached() -> None:
    @gadget()
    async def ping() -> str:
        """Answer."""
        return "pong"

    assert isinstance(ping, Gadget)
    assert ping.cache_ttl is None


async def test_what_is_kept_for_a_user_is_forgotten_and_nothing_else() -> None:
    cache = ResultCache()
    for user in ("discord:1", "discord:2", ""):
        await cache.get(key_of("weather", user, {"city": "Oslo"}), TTL, said(user))
    size = cache.size
    assert cache.forget("discord:1") == 1
    assert (len(cache), cache.size < size) == (2, True)
    for user, kept in (("discord:1", False), ("discord:2", True), ("", True)):
        again = await cache.get(key_of("weather", user, {"city": "Oslo"}), TTL, said("new"))
        assert (again.cached, again.text) == (kept, user if kept else "new")


async def test_what_is_being_made_for_them_is_given_but_not_kept() -> None:
    cache, source = ResultCache(), Source()
    key = key_of("weather", "discord:1", {})
    asked = asyncio.create_task(cache.get(key, TTL, source))
    await asyncio.sleep(0)
    cache.forget("discord:1")
    source.open()
    assert (await asked).text == "fine"
    assert len(cache) == 0

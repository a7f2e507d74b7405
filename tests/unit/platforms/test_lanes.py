"""Work is done in its order in each place, and places do not wait for each other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from bot.platforms.lanes import Lanes
from tests.waiting import until


def noted(done: list[str], what: str) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        done.append(what)

    return work


class Halted:
    """Work that goes on when it is told to."""

    def __init__(self, done: list[str], what: str) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self._done = done
        self._what = what

    async def work(self) -> None:
        self.begun.set()
        await self.go_on.wait()
        self._done.append(self._what)


async def test_work_in_a_place_is_done_in_its_order_and_other_places_go_on() -> None:
    lanes: Lanes[int] = Lanes()
    done: list[str] = []
    halted = Halted(done, "a")
    lanes.put(1, halted.work)
    lanes.put(1, noted(done, "b"))
    lanes.put(2, noted(done, "elsewhere"))
    await until(lambda: done)
    assert done == ["elsewhere"]
    halted.go_on.set()
    await lanes.join()
    assert done == ["elsewhere", "a", "b"]


async def test_work_that_fails_is_logged_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    lanes: Lanes[str] = Lanes()
    done: list[str] = []

    async def fail() -> None:
        raise ValueError("no good")

    lanes.put("here", fail)
    lanes.put("here", noted(done, "b"))
    await lanes.join()
    assert done == ["b"]
    assert "no good" in caplog.text


async def test_closing_drops_what_waits_and_a_place_can_be_used_again() -> None:
    lanes: Lanes[int] = Lanes()
    done: list[str] = []
    halted = Halted(done, "a")
    lanes.put(1, halted.work)
    lanes.put(1, noted(done, "b"))
    await halted.begun.wait()
    await lanes.close()
    lanes.put(1, noted(done, "c"))
    await lanes.join()
    assert done == ["c"]

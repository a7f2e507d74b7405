"""What waits for a page is bounded; who is connected gets what is theirs; an answer rests after it was laid out."""

import asyncio
import json
from typing import Any

import pytest

from bot.platforms.platform import ConversationKey, Final, TurnRef
from bot.platforms.web.frames import Status
from bot.platforms.web.history import newest_fitting
from bot.platforms.web.hub import MAX_PAGES, REMEMBERED, Hub, TooManyPages
from bot.platforms.web.outbox import MAX_BYTES, MAX_FRAMES, Outbox
from bot.platforms.web.reply import REST, WebReply
from storage.records import TurnRecord


class Overflows:
    count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def overflows() -> Overflows:
    return Overflows()


@pytest.fixture
def outbox(overflows: Overflows) -> Outbox:
    return Outbox(overflows)


async def drained(outbox: Outbox) -> list[bytes]:
    """All that waits, in order."""
    outbox.put(b"end")
    frames: list[bytes] = []
    while (frame := await outbox.take()) != b"end":
        frames.append(frame)
    return frames


async def frames(outbox: Outbox) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in await drained(outbox)]


async def test_frames_leave_in_order(outbox: Outbox) -> None:
    for frame in (b"1", b"2", b"2", b"3"):
        outbox.put(frame)
    assert await drained(outbox) == [b"1", b"2", b"2", b"3"]


async def test_in_a_slot_only_the_latest_waits_at_the_place_of_the_first(outbox: Outbox) -> None:
    for frame, slot in ((b"1", None), (b"old", "s"), (b"2", None), (b"new", "s"), (b"other", "t")):
        outbox.put(frame, slot)
    assert await drained(outbox) == [b"1", b"new", b"2", b"other"]


async def test_taking_waits_for_something_to_take(outbox: Outbox) -> None:
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    outbox.put(b"late")
    assert await taking == b"late"


async def test_a_slot_never_overflows(outbox: Outbox, overflows: Overflows) -> None:
    for _ in range(10 * MAX_FRAMES):
        outbox.put(bytes(100_000), "chunk")
    assert overflows.count == 0
    assert len(await drained(outbox)) == 1


@pytest.mark.parametrize(("size", "number"), [(1, MAX_FRAMES + 1), (MAX_BYTES // 4, 5)], ids=["too many", "too large"])
async def test_too_much_is_told_once_and_dropped(outbox: Outbox, overflows: Overflows, size: int, number: int) -> None:
    for _ in range(number - 1):
        outbox.put(bytes(size))
    assert overflows.count == 0
    for _ in range(3):
        outbox.put(bytes(size))
    assert overflows.count == 1


def turn(number: int = 1, browser: str = "b1", conversation: str = "c1") -> TurnRef:
    key = ConversationKey("web", "", browser, "t")
    return TurnRef(number, conversation, key, f"web:{browser}:m{number}", browser)


async def test_an_answer_goes_to_all_pages_of_its_browser_and_to_no_other() -> None:
    hub = Hub()
    one, two, stranger = Outbox(Overflows()), Outbox(Overflows()), Outbox(Overflows())
    hub.join("b1", one)
    hub.join("b1", two)
    hub.join("b2", stranger)
    hub.begin(turn())
    assert [frame["type"] for frame in await frames(one)] == ["response_start"]
    assert [frame["type"] for frame in await frames(two)] == ["response_start"]
    assert await frames(stranger) == []


async def test_a_slow_page_gets_the_latest_text_only(outbox: Outbox) -> None:
    hub = Hub()
    hub.join("b1", outbox)
    for length in range(1, 1000):
        hub.grow(turn(), "x" * length, "x" * length)
    started, chunk = await frames(outbox)
    assert (started["type"], chunk["type"]) == ("response_start", "response_chunk")
    assert len(chunk["text"]) == 999


async def test_the_end_takes_the_place_of_chunks_that_were_not_sent(outbox: Outbox) -> None:
    hub = Hub()
    hub.join("b1", outbox)
    hub.grow(turn(), "Hal", "Hal")
    hub.end(turn(), Final("Half", "answered"), "Half")
    assert [frame["type"] for frame in await frames(outbox)] == ["response_start", "response_complete"]


async def test_who_comes_in_the_middle_gets_text_and_status_so_far(outbox: Outbox) -> None:
    hub = Hub()
    hub.grow(turn(), "**so** far", "")
    hub.work(turn(), "using weather…")
    hub.join("b1", outbox)
    started, working = await frames(outbox)
    assert started["html"] == "<p><strong>so</strong> far</p>\n"
    assert (working["state"], working["text"]) == ("working", "using weather…")


async def test_after_the_end_nothing_is_left_of_an_answer(outbox: Outbox) -> None:
    hub = Hub()
    hub.grow(turn(), "x", "")
    hub.end(turn(), Final("x", "answered"), "")
    hub.join("b1", outbox)
    assert await frames(outbox) == []
    assert hub.running("b1", "c1") is None


def test_the_endings_that_are_remembered_are_bounded() -> None:
    hub = Hub()
    for number in range(1, REMEMBERED + 2):
        hub.end(turn(number), Final("x", "answered"), "")
    assert hub.ended(1) is None
    assert hub.ended(2) is not None


def test_the_next_turn_of_a_conversation_replaces_one_that_was_taken_over() -> None:
    hub = Hub()
    hub.grow(turn(1), "left behind", "")
    hub.begin(turn(2))
    running = hub.running("b1", "c1")
    assert running is not None
    assert (running.turn, running.text) == (2, "")


async def test_the_model_is_told_to_who_comes_later_and_only_when_it_changes(outbox: Outbox) -> None:
    hub = Hub()
    hub.tell_model(Status(state="model", health="loading"))
    hub.join("b1", outbox)
    hub.tell_model(Status(state="model", health="loading"))
    assert len(await frames(outbox)) == 1
    hub.tell_model(Status(state="model", health="ready"))
    assert [frame["health"] for frame in await frames(outbox)] == ["ready"]


def test_a_browser_cannot_open_pages_without_end() -> None:
    hub = Hub()
    pages = [Outbox(Overflows()) for _ in range(MAX_PAGES)]
    for page in pages:
        hub.join("b1", page)
    with pytest.raises(TooManyPages):
        hub.join("b1", Outbox(Overflows()))
    hub.leave("b1", pages[0])
    hub.join("b1", Outbox(Overflows()))


def test_when_the_last_page_leaves_nobody_is_watching(outbox: Outbox) -> None:
    hub = Hub()
    hub.join("b1", outbox)
    assert hub.occupied.is_set()
    hub.leave("b1", outbox)
    assert not hub.occupied.is_set()
    assert not hub.watches("b1")


async def test_a_reply_is_posted_under_its_key_and_edited_without_having_been_posted_here(outbox: Outbox) -> None:
    hub = Hub()
    hub.join("b1", outbox)
    assert await WebReply(hub, turn()).post(0, "", key="1.0") == "1.0"
    await WebReply(hub, turn(2, conversation="c2")).edit(0, "2.0", "after a restart")
    kinds = [(frame["type"], frame["turn"]) for frame in await frames(outbox)]
    assert kinds == [("response_start", 1), ("response_start", 2), ("response_chunk", 2)]


async def test_after_laying_out_an_answer_rests_ten_times_as_long(outbox: Outbox) -> None:
    clock, rests = iter(range(1000)), list[float]()

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    hub = Hub()
    hub.join("b1", outbox)
    reply = WebReply(hub, turn(), lambda: float(next(clock)), sleep)  # every look at the clock is a second later
    for text in ("one", "two", "two", "three"):
        await reply.edit(0, "1.0", text)
    assert rests == [0, REST - 1, REST - 1]  # a text that is shown already is no update


def record(number: int, size: int) -> TurnRecord:
    return TurnRecord(
        number, "", "", "", "x" * size, [], "answered", "", "", None, None, "2026-01-01T00:00:00Z", None, []
    )


@pytest.mark.parametrize(
    ("sizes", "kept"), [([], []), ([5, 5], [1, 2]), ([6, 5], [2]), ([1, 20], [2]), ([9, 1, 1, 1], [2, 3, 4])]
)
def test_a_page_of_messages_is_bounded_and_never_empty(sizes: list[int], kept: list[int]) -> None:
    turns = [record(number, size) for number, size in enumerate(sizes, 1)]
    assert [each.id for each in newest_fitting(turns, 10)] == kept

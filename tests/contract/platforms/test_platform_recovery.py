"""The process dies at any instant between taking a message in and closing its turn: people see one answer."""

import asyncio
from pathlib import Path

import pytest

from tests.contract.platforms.running import Crash, bot_on, brain, needs
from tests.contract.platforms.stage import Can, Stage
from tests.fakes.scripted_model import Script
from tests.waiting import until

BROKEN_OFF = "Half an answer, "
EARLY = {
    "admitted": Crash("admit", committed=True),
    "claimed": Crash("claim", committed=True),
    "posted": Crash("record_delivery"),
    "posted-and-stored": Crash("record_delivery", committed=True),
}
"""The model has not said all yet."""
LATE = {
    "answered": Crash("conclude"),
    "answered-and-stored": Crash("conclude", committed=True),
    "shown": Crash("finish"),
}
"""The model has said all."""


@pytest.mark.parametrize("crash", [*EARLY.values(), *LATE.values()], ids=[*EARLY, *LATE])
async def test_one_answer_is_seen_wherever_the_bot_died(stage: Stage, tmp_path: Path, crash: Crash) -> None:
    script: list[Script] = [[BROKEN_OFF, asyncio.Event()]] if crash in EARLY.values() else []
    async with bot_on(stage, tmp_path, brain(*script), crash=crash) as bot:
        place = await stage.place()
        said = await stage.say(place, "one")
        await bot.died()
    async with bot_on(stage, tmp_path) as bot:
        if crash is EARLY["admitted"] and Can.REPEAT not in stage.cannot:
            await stage.after_crash(said)
        assert await bot.answers(place, 1) == ["Noted one."]
        assert await bot.ask(place, "two") == "Noted two."
        assert bot.texts(place) == ["Noted one.", "Noted two."]
        assert [view.working for view in stage.views(place)] == [False, False]


async def test_a_post_is_found_again_when_the_platform_has_forgotten_its_key(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, brain([BROKEN_OFF, asyncio.Event()]), crash=EARLY["posted"]) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.died()
    stage.forget_keys()
    async with bot_on(stage, tmp_path) as bot:
        assert await bot.answers(place, 1) == ["Noted one."]


async def test_an_answer_that_was_complete_is_not_given_again(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, crash=Crash("finish", committed=True)) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.died()
    async with bot_on(stage, tmp_path) as bot:
        assert await bot.ask(place, "two") == "Noted two."
        before = [] if Can.REMEMBER in stage.cannot else ["Noted one."]
        assert bot.texts(place) == [*before, "Noted two."]


async def test_a_message_that_was_not_stored_is_answered_once_after_the_crash(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.REPEAT)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
    async with bot_on(stage, tmp_path, crash=Crash("admit")) as bot:
        said = await stage.say(place, "two")
        await bot.died()
    async with bot_on(stage, tmp_path) as bot:
        await stage.after_crash(said)
        assert await bot.answers(place, 2) == ["Noted one.", "Noted two."]
        assert await bot.stored() == ["one", "two"]


@pytest.mark.parametrize(
    "crash",
    [Crash("record_delivery", number=2), Crash("record_delivery", committed=True, number=2), LATE["shown"]],
    ids=["second-part-posted", "second-part-posted-and-stored", "all-parts-shown"],
)
async def test_the_parts_of_a_long_answer_are_each_seen_once(stage: Stage, tmp_path: Path, crash: Crash) -> None:
    needs(stage, Can.SPLIT)
    whole = " ".join(f"word{number}" for number in range(4_000))[: int(2.5 * (stage.limit or 0))].rpartition(" ")[0]
    async with bot_on(stage, tmp_path, brain([whole]), crash=crash) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.died()
    async with bot_on(stage, tmp_path) as bot:
        parts = await bot.answers(place, 1)
        await bot.until_stored("status", "answered")
        assert " ".join(parts).split() == whole.split()
        assert [view.working for view in stage.views(place)] == [False] * 3


async def test_an_answer_in_the_middle_of_growing_ends_in_the_same_message(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, brain([BROKEN_OFF, asyncio.Event()])) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.shows(place, "Half an answer")
        await bot.kill()
    async with bot_on(stage, tmp_path) as bot:
        assert await bot.answers(place, 1) == ["Noted one."]


async def test_what_waited_behind_an_interrupted_answer_is_answered_after_it(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.REPEAT)
    async with bot_on(stage, tmp_path, brain([BROKEN_OFF, asyncio.Event()])) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.shows(place, "Half an answer")
        await stage.say(place, "two")
        await bot.until_stored("user_message", "one", "two")
        await bot.kill()
    async with bot_on(stage, tmp_path) as bot:
        assert await bot.answers(place, 2) == ["Noted one.", "Noted two."]


async def test_a_clean_end_lets_a_short_answer_come_to_its_end(stage: Stage, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["Wait. ", go_on, "Done."])) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.shows(place, "Wait.")
        asyncio.get_running_loop().call_soon(go_on.set)
    await until(lambda: bot.complete(place) == 1)
    assert bot.texts(place) == ["Wait. Done."]

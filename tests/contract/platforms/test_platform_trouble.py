"""The platform in trouble while the whole bot runs: answers come late, never twice, and never not at all."""

import asyncio
from pathlib import Path

import pytest

from tests.contract.platforms.running import bot_on, brain, needs
from tests.contract.platforms.stage import BOB, Can, Stage, Trouble


@pytest.mark.parametrize("trouble", [Trouble.DROPPED, Trouble.LOST])
async def test_one_answer_is_seen_after_calls_failed(stage: Stage, tmp_path: Path, trouble: Trouble) -> None:
    needs(stage, Can.FAIL)
    go_on = asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["Wait. ", go_on, "Done."])) as bot:
        place = await stage.place()
        stage.fail(place, "post", trouble)
        await stage.say(place, "one")
        await bot.shows(place, "Wait.")
        stage.fail(place, "edit", trouble)
        go_on.set()
        assert await bot.answers(place, 1) == ["Wait. Done."]
        assert await bot.ask(place, "two") == "Noted two."
        assert bot.texts(place) == ["Wait. Done.", "Noted two."]


async def test_an_answer_whose_place_is_gone_is_closed_and_other_places_go_on(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.LOSE_PLACES, Can.HAVE_MANY_PLACES)
    go_on = asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["Wait. ", go_on, "Done."])) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.shows(place, "Wait.")
        stage.lose(place)
        go_on.set()
        await bot.until_stored("status", "answered")
        assert await bot.ask(await stage.place(BOB, elsewhere=True), "two") == "Noted two."

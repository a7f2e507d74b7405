"""What is said is answered once, in order, where it was said."""

import asyncio
from pathlib import Path

from tests.contract.platforms.running import bot_on, brain, needs
from tests.contract.platforms.stage import BOB, Can, Stage


async def test_a_question_is_answered(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        assert await bot.ask(await stage.place(), "one") == "Noted one."


async def test_a_conversation_goes_on_where_it_began(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        for text in ("one", "two"):
            await bot.ask(place, text)
        assert bot.texts(place) == ["Noted one.", "Noted two."]
        assert bot.past() == ["one", "Noted one.", "two"]


async def test_conversations_in_different_places_know_nothing_of_each_other(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.HAVE_MANY_PLACES)
    async with bot_on(stage, tmp_path) as bot:
        here, there = await stage.place(), await stage.place(BOB, elsewhere=True)
        await bot.ask(here, "one")
        await bot.ask(there, "two")
        await bot.ask(here, "three")
        assert bot.past() == ["one", "Noted one.", "three"]
        assert (bot.texts(here), bot.texts(there)) == (["Noted one.", "Noted three."], ["Noted two."])


async def test_an_answer_that_takes_long_holds_up_no_other_place(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.HAVE_MANY_PLACES)
    go_on = asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["Wait. ", go_on, "Done."])) as bot:
        here, there = await stage.place(), await stage.place(BOB, elsewhere=True)
        await stage.say(here, "one")
        await bot.shows(here, "Wait.")
        assert await bot.ask(there, "two") == "Noted two."
        go_on.set()
        assert await bot.answers(here, 1) == ["Wait. Done."]


async def test_what_is_said_at_once_is_answered_in_order(stage: Stage, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["Wait. ", go_on, "Done."])) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.shows(place, "Wait.")
        for text in ("two", "three", "four"):
            await stage.say(place, text)
        go_on.set()
        assert await bot.answers(place, 4) == ["Wait. Done.", "Noted two.", "Noted three.", "Noted four."]


async def test_everybody_in_a_place_is_answered_in_one_conversation(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SHARE_PLACES)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        await bot.ask(place, "two", BOB)
        assert bot.past() == ["one", "Noted one.", "two"]
        names = [message.text.partition(": ")[0].lower() for message in bot.model.requests[-1].messages[1::2]]
        assert names == ["alice", "bob"]


async def test_a_repeated_event_is_one_question(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.REPEAT)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        said = await stage.say(place, "one")
        await bot.answers(place, 1)
        await stage.repeat(said)
        await bot.ask(place, "two")
        assert bot.texts(place) == ["Noted one.", "Noted two."]
        assert (await bot.stored()).count("one") == 1


async def test_an_event_repeated_while_it_is_answered_is_one_question(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.REPEAT)
    go_on = asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["Wait. ", go_on, "Done."])) as bot:
        place = await stage.place()
        said = await stage.say(place, "one")
        await bot.shows(place, "Wait.")
        await stage.repeat(said)
        go_on.set()
        assert await bot.answers(place, 1) == ["Wait. Done."]
        assert (await bot.stored()).count("one") == 1


async def test_an_event_repeated_after_a_restart_is_one_question(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.REPEAT)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        said = await stage.say(place, "one")
        await bot.answers(place, 1)
    async with bot_on(stage, tmp_path) as bot:
        await stage.repeat(said)
        await bot.ask(place, "two")
        assert bot.texts(place) == ["Noted one.", "Noted two."]
        assert (await bot.stored()).count("one") == 1


async def test_a_conversation_goes_on_after_a_restart(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
    async with bot_on(stage, tmp_path) as bot:
        assert await bot.ask(place, "two") == "Noted two."
        assert bot.past() == ["one", "Noted one.", "two"]

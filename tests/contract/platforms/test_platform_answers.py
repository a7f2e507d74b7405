"""An answer grows while it is made, ends whole, can be stopped, and does nothing but being read."""

import asyncio
from pathlib import Path

from bot.models.model import ToolCall
from bot.platforms.splitting import utf16_length
from gadgets.gadget import gadget
from tests.contract.platforms.running import bot_on, brain, needs
from tests.contract.platforms.stage import Can, Place, Stage
from tests.waiting import until

HARMFUL = (
    "@everyone @here <!channel> <!here|all> <@U0ALICE> <@1> <@&2> <script>alert(1)</script>"
    " ![x](https://example.com/x.png) [y](javascript:alert(1)) \x1b[2J\x1b]0;title\x07 the end"
)
WORDS = [f"word{number} " + "\n\n" * (number % 40 == 39) for number in range(4_000)]


async def test_an_answer_grows_in_one_message_and_ends_whole(stage: Stage, tmp_path: Path) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["One, ", first, "two, ", second, "three."])) as bot:
        place = await stage.place()
        await stage.say(place, "count")
        await until(lambda: bot.texts(place) == ["One,"])
        first.set()
        await until(lambda: bot.texts(place) == ["One, two,"])
        assert bot.complete(place) == 0
        second.set()
        assert await bot.answers(place, 1) == ["One, two, three."]


async def test_what_is_being_done_is_shown_and_goes_away(stage: Stage, tmp_path: Path) -> None:
    go_on = asyncio.Event()

    @gadget()
    async def shout(text: str) -> str:
        """Say something loudly.

        Args:
            text: what to say
        """
        await go_on.wait()
        return text.upper()

    call = ToolCall("c1", "shout", {"text": "hi"})
    async with bot_on(stage, tmp_path, brain([call]), gadgets=[shout]) as bot:
        place = await stage.place()
        await stage.say(place, "shout hi")
        await until(lambda: any("shout" in view.status for view in stage.views(place)))
        go_on.set()
        await bot.answers(place, 1)
        assert [(view.status, view.working) for view in stage.views(place)] == [("", False)]


async def test_a_long_answer_loses_nothing_and_no_message_is_too_long(stage: Stage, tmp_path: Path) -> None:
    whole = "".join(WORDS)[: int(2.5 * (stage.limit or 4_000))]
    async with bot_on(stage, tmp_path, brain([whole])) as bot:
        place = await stage.place()
        await stage.say(place, "talk")
        parts = await bot.answers(place, 1)
        assert " ".join(parts).split() == whole.split()
        assert len(parts) == (3 if stage.limit else 1)
        assert all(utf16_length(part) <= stage.limit for part in parts if stage.limit)
        assert [view.working for view in stage.views(place)] == [False] * len(parts)


async def test_an_answer_longer_than_all_messages_comes_as_a_file_too(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SPLIT)
    whole = ("".join(WORDS) * 2)[: (stage.limit or 0) * (stage.max_parts + 1)]
    async with bot_on(stage, tmp_path, brain([whole])) as bot:
        place = await stage.place()
        await stage.say(place, "talk")
        first, *_ = await bot.answers(place, 1)
        await until(lambda: _files(stage, place))
        (file,) = _files(stage, place)
        assert file.decode().split() == whole.split()
        assert first.split()[:100] == whole.split()[:100]


def _files(stage: Stage, place: Place) -> list[bytes]:
    return [file for view in stage.views(place) for file in view.files]


async def test_the_words_of_an_answer_ping_run_and_command_nothing(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, brain([HARMFUL], [f"```\n{HARMFUL}\n```"], [f"`{HARMFUL}`"])) as bot:
        place = await stage.place()
        for _ in range(3):
            assert "the end" in await bot.ask(place, "one")
        assert stage.harm() == []


async def test_stop_keeps_what_was_said(stage: Stage, tmp_path: Path) -> None:
    never = asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["Well ", never])) as bot:
        place = await stage.place()
        await stage.say(place, "talk")
        await bot.shows(place, "Well")
        await stage.stop(place)
        assert await bot.answers(place, 1) == ["Well\n\n*(stopped)*"]
        await bot.until_stored("status", "stopped")
        assert await bot.ask(place, "and now?") == "Noted and now?."
        assert bot.past() == ["talk", "Well\n\n*(stopped)*", "and now?"]


async def test_stop_stops_one_answer_and_not_the_next(stage: Stage, tmp_path: Path) -> None:
    never = asyncio.Event()
    async with bot_on(stage, tmp_path, brain(["Well ", never])) as bot:
        place = await stage.place()
        await stage.say(place, "one")
        await bot.shows(place, "Well")
        await stage.say(place, "two")
        await stage.stop(place)
        assert await bot.answers(place, 2) == ["Well\n\n*(stopped)*", "Noted two."]


async def test_an_answer_that_fails_ends_with_a_sentence_below_what_was_said(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, brain(["Well ", RuntimeError("secret detail")])) as bot:
        place = await stage.place()
        text = await bot.ask(place, "one")
        assert text.startswith("Well\n\nSomething went wrong on my side.")
        assert "secret" not in text
        assert await bot.ask(place, "two") == "Noted two."


async def test_a_long_answer_that_has_to_be_made_harmless_grows_and_ends_whole(stage: Stage, tmp_path: Path) -> None:
    """What is added to make it harmless makes it longer."""
    first, go_on = "@everyone " * ((stage.limit or 12_000) // 10), asyncio.Event()
    async with bot_on(stage, tmp_path, brain([first, go_on, "the end."])) as bot:
        place = await stage.place()
        await stage.say(place, "talk")
        await bot.shows(place, "@")
        go_on.set()
        parts = await bot.answers(place, 1)
        assert " ".join(parts).endswith("the end.")
        assert sum(part.count("everyone") for part in parts) == first.count("everyone")

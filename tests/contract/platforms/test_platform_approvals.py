"""A gadget that waits for somebody's word: the question is seen, one word counts, and the answer takes its place."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.models.model import ToolCall
from storage.database import Connection
from tests.contract.platforms.running import Bot, Crash, bot_on, brain, needs
from tests.contract.platforms.stage import ADMIN, ALICE, BOB, Can, Place, Stage
from tests.core import launch
from tests.waiting import until, until_found

TARGET = "moon @everyone <!channel> <script>alert(1)</script> ``` \u202eevil\x07 \n\n# the end"
CALL = ToolCall("c1", "launch", {"target": TARGET})


async def questions(bot: Bot) -> list[tuple[Any, ...]]:
    return await bot.database.read(_questions)


def _questions(connection: Connection) -> list[tuple[Any, ...]]:
    found = connection.execute("SELECT verdict, remote_id IS NOT NULL, decided_by FROM approvals ORDER BY id")
    return [tuple(row) for row in found.fetchall()]


async def asked(bot: Bot, place: Place) -> str:
    """Until a question is seen in a place, and the turn is paused; what it says."""
    await until(lambda: any(view.asks for view in bot.stage.views(place)))
    await until_found(lambda: questions(bot), lambda found: all(shown for _, shown, _ in found))
    return next(view.text for view in bot.stage.views(place) if view.asks)


async def begun(bot: Bot) -> Place:
    """A place where a question stands."""
    place = await bot.stage.place()
    await bot.stage.say(place, "go")
    await asked(bot, place)
    return place


def answers(bot: Bot, place: Place) -> list[str]:
    """Without the questions, which a terminal cannot take back."""
    return [view.text.strip() for view in bot.stage.views(place) if not view.asks]


async def answered(bot: Bot, place: Place, *texts: str) -> None:
    await until(lambda: bot.complete(place) >= len(texts))
    assert answers(bot, place) == list(texts)
    assert not any(view.working for view in bot.stage.views(place))


async def test_a_question_says_what_is_asked_and_harms_nobody(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, brain([CALL], ["Launched."]), gadgets=[launch]) as bot:
        place = await begun(bot)
        text = await asked(bot, place)
        assert "launch" in text
        assert "moon" in text
        assert "\\u202eevil\\u0007 \\n\\n# the end" in text
        assert "UTC (10 minutes)" in text
        assert stage.harm() == []
        await stage.decide(place, "approve")
        await answered(bot, place, "Launched.")


@pytest.mark.parametrize(("act", "verdict"), [("approve", "approved"), ("decline", "declined")])
async def test_who_asked_decides(stage: Stage, tmp_path: Path, act: str, verdict: str) -> None:
    async with bot_on(stage, tmp_path, brain([CALL], ["Done."]), gadgets=[launch]) as bot:
        place = await begun(bot)
        told = await stage.decide(place, act)
        assert told.lower().startswith(verdict)
        await answered(bot, place, "Done.")
        assert [found[0] for found in await questions(bot)] == [verdict]
        ran = "launched at" in bot.model.requests[-1].messages[-1].text
        assert ran is (act == "approve")
        assert await bot.ask(place, "two") == "Noted two."


@pytest.mark.parametrize("act", ["approve", "decline"])
async def test_it_is_decided_by_a_command_as_well(stage: Stage, tmp_path: Path, act: str) -> None:
    async with bot_on(stage, tmp_path, brain([CALL], ["Done."]), gadgets=[launch]) as bot:
        place = await begun(bot)
        assert "launch" in (await stage.command(place, "show")).text
        told = await stage.command(place, act)
        assert told.text.lower().startswith(act)
        await answered(bot, place, "Done.")
        assert "Nothing waits" in (await stage.command(place, act)).text


async def test_others_decide_nothing_and_admins_do(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SHARE_PLACES)
    async with bot_on(stage, tmp_path, brain([CALL], ["Launched."]), gadgets=[launch]) as bot:
        place = await begun(bot)
        for told in (await stage.decide(place, "approve", BOB), (await stage.command(place, "approve", BOB)).text):
            assert told == "Only who asked, or an admin, may decide this."
        assert [found[0] for found in await questions(bot)] == [None]
        assert (await stage.decide(place, "approve", ADMIN)).startswith("Approved")
        await answered(bot, place, "Launched.")


async def test_what_is_said_meanwhile_is_answered_after_it(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, brain([CALL], ["Launched."]), gadgets=[launch]) as bot:
        place = await begun(bot)
        await stage.say(place, "two")
        await bot.until_stored("user_message", "go", "two")
        assert answers(bot, place) == []
        await stage.decide(place, "approve")
        await answered(bot, place, "Launched.", "Noted two.")


async def test_what_was_said_before_the_question_is_kept(stage: Stage, tmp_path: Path) -> None:
    script: Sequence[Any] = ["I shall try.", CALL]
    async with bot_on(stage, tmp_path, brain(script, ["Done."]), gadgets=[launch]) as bot:
        place = await begun(bot)
        assert (await asked(bot, place)).startswith("I shall try.")
        await stage.decide(place, "approve")
        await answered(bot, place, "I shall try.\n\nDone.")


async def test_a_question_that_was_ended_is_gone(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, brain([CALL]), gadgets=[launch]) as bot:
        place = await begun(bot)
        assert "Stopping" in (await stage.command(place, "stop")).text
        await answered(bot, place, "*(stopped)*")
        assert [found[0] for found in await questions(bot)] == ["withdrawn"]
        assert await bot.ask(place, "two") == "Noted two."


async def test_a_question_is_decided_after_a_crash(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path, brain([CALL]), gadgets=[launch]) as bot:
        place = await begun(bot)
        await bot.kill()
    async with bot_on(stage, tmp_path, brain(["Launched."]), gadgets=[launch]) as bot:
        await asked_again(stage, bot, place)
        await stage.decide(place, "approve")
        await answered(bot, place, "Launched.")
        assert [found[0] for found in await questions(bot)] == ["approved"]
        assert len(bot.model.requests) == 1
        assert await bot.ask(place, "two") == "Noted two."


async def asked_again(stage: Stage, bot: Bot, place: Place) -> None:
    """It can be decided again, where it stands or, at a terminal, where it was printed again."""
    await until(lambda: any(view.asks for view in stage.views(place)))
    assert bot.model.requests == []


CRASHES = {
    "before-it-is-recorded": Crash("ask"),
    "recorded": Crash("ask", committed=True),
    "shown": Crash("shown"),
    "paused": Crash("shown", committed=True),
}


@pytest.mark.parametrize("crash", CRASHES.values(), ids=CRASHES)
async def test_one_question_is_seen_wherever_the_bot_died(stage: Stage, tmp_path: Path, crash: Crash) -> None:
    async with bot_on(stage, tmp_path, brain([CALL]), crash=crash, gadgets=[launch]) as bot:
        place = await stage.place()
        await stage.say(place, "go")
        await bot.died()
    async with bot_on(stage, tmp_path, brain(["Launched."]), gadgets=[launch]) as bot:
        await asked(bot, place)
        assert len([view for view in stage.views(place) if view.asks]) == 1
        await stage.decide(place, "approve")
        await answered(bot, place, "Launched.")
        assert [found[0] for found in await questions(bot)] == ["approved"]


async def test_one_of_two_words_at_once_counts(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SHARE_PLACES)
    async with bot_on(stage, tmp_path, brain([CALL], ["Done."]), gadgets=[launch]) as bot:
        place = await begun(bot)
        acts = ((ALICE, "approve"), (ADMIN, "decline"), (ALICE, "approve"), (ADMIN, "approve"))
        told = await asyncio.gather(*(stage.decide(place, act, by) for by, act in acts))
        assert len([text for text in told if "already" in text]) == len(acts) - 1
        await answered(bot, place, "Done.")
        assert len(await questions(bot)) == 1

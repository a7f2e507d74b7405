"""Whatever the wall clock does, order, deadlines and what is stored stay right; only the times that are shown jump."""

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import TurnTimedOut, sentence_for
from tests.clocks import HOUR, YEAR, MovableClock
from tests.command import Command
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script
from tests.page import page_of
from tests.web import Browser, Frame, Page

DEADLINE = 3.0
LIMIT = 3
WORDS = [f"word{number} " for number in range(30)]
JUMPS = [HOUR, -HOUR, YEAR, -YEAR]
"""A year back is before this program was written, a year ahead after every cookie has expired."""


@dataclass(slots=True)
class Bot:
    command: Command
    clock: MovableClock
    process: Process
    page: Page

    async def ask(self, number: int, text: str, mission: str | None = None) -> None:
        place = {"conversation_id": mission} if mission else {}
        await self.page.send("message", text=text, message_id=f"m{number}", **place)

    async def answer(self, number: int) -> Frame:
        return await self.page.get("response_complete", message_id=f"m{number}")


@pytest.fixture
async def bot(command: Command, tmp_path: Path) -> AsyncIterator[Bot]:
    clock = MovableClock(tmp_path)
    command.variables |= clock.variables | {"SECRET_AGENTS_LIMITS__TURN_SECONDS": str(DEADLINE)}
    async with (
        command.running("run") as process,
        Browser(f"{await page_of(process)}/") as browser,
        browser.connect() as page,
    ):
        yield Bot(command, clock, process, page)


@pytest.mark.parametrize("jump", JUMPS)
async def test_answers_come_whole_and_in_order_across_a_jump(bot: Bot, ollama: FakeOllama, jump: int) -> None:
    """The clock jumps while the first answer is being written and two messages wait; nothing fires early."""
    ollama.queue(Script(text=WORDS, delay=0.03), Script(text=("Second.",)), Script(text=("Third.",)))
    await bot.ask(1, "one")
    mission = (await bot.page.get("response_chunk"))["conversation_id"]
    await bot.ask(2, "two", mission)
    bot.clock.move(jump)
    await bot.ask(3, "three", mission)
    answers = [await bot.answer(number) for number in (1, 2, 3)]
    assert [each["outcome"] for each in answers] == ["answered"] * 3
    assert [each["text"] for each in answers] == ["".join(WORDS).strip(), "Second.", "Third."]
    said = [[m["content"] for m in request["messages"] if m["role"] == "user"] for request in ollama.requests]
    assert said == [["one"], ["one", "two"], ["one", "two", "three"]]
    shown = await bot.page.history(mission)
    assert [each["text"] for each in shown] == ["one", "two", "three"]
    began, ended = (datetime.fromisoformat(shown[number]["created_at"]) for number in (0, 2))
    assert abs(ended - began - timedelta(seconds=jump)) < timedelta(minutes=5), "the clock did move"


async def test_a_deadline_is_neither_early_nor_forgotten(bot: Bot, ollama: FakeOllama) -> None:
    """A clock that goes back does not make anybody wait, one that goes ahead does not cut anybody off."""
    ollama.queue(Script(hang=True), Script(text=("Still here.",)))
    began = asyncio.get_running_loop().time()
    await bot.ask(1, "Are you there?")
    await bot.page.get("response_start")
    for jump in JUMPS:
        bot.clock.move(jump)
        await asyncio.sleep(DEADLINE / 10)  # so that timers are looked at under each of these times
    failed = await bot.answer(1)
    assert (failed["outcome"], failed["text"]) == ("failed", sentence_for(TurnTimedOut()))
    assert asyncio.get_running_loop().time() - began >= DEADLINE
    await bot.ask(2, "And now?", failed["conversation_id"])
    assert (await bot.answer(2))["text"] == "Still here."


async def test_missions_are_listed_as_they_began_and_survive_a_restart(bot: Bot) -> None:
    begun = []
    for number, jump in enumerate(JUMPS):
        bot.clock.move(jump)
        await bot.ask(number, f"mission {number}")
        begun.append((await bot.answer(number))["conversation_id"])
    await bot.page.send("get_conversations")
    assert [each["conversation_id"] for each in (await bot.page.get("conversations"))["conversations"]] == begun[::-1]
    await ended(bot.process)
    assert [each["id"] for each in json.loads((await bot.command("list", "--json")).out)] == begun[::-1]
    async with bot.command.running("run") as again:
        await page_of(again)
        shown = [await bot.command("show", each) for each in begun]
        await ended(again)
    for number, done in enumerate(shown):
        assert f"mission {number}\nOK" in done.out


async def test_limits_neither_lock_anybody_out_nor_end_with_a_jump(command: Command, tmp_path: Path) -> None:
    clock = MovableClock(tmp_path)
    command.variables |= clock.variables | {"SECRET_AGENTS_LIMITS__MESSAGES_PER_MINUTE": str(LIMIT)}
    async with (
        command.running("run") as process,
        Browser(f"{await page_of(process)}/") as browser,
        browser.connect() as page,
    ):
        bot = Bot(command, clock, process, page)
        for round_, jump in enumerate([0, *JUMPS]):
            bot.clock.move(jump)
            for number in range(LIMIT):
                await bot.ask(10 * round_ + number, "one more")
                assert (await bot.answer(10 * round_ + number))["outcome"] == "answered"
            await bot.ask(10 * round_ + LIMIT, "too much")
            refused = await page.get("error", message_id=f"m{10 * round_ + LIMIT}")
            assert refused["text"].startswith(f"You have sent {LIMIT} messages in the last minute; I can take")


async def ended(process: Process) -> None:
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0

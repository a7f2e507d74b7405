"""A crash after something was posted, and before it was remembered: it is found, and every later write is an edit."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.discord_scene import Scene, bot_on, said, stage, told
from tests.fakes.discord import Channel, Message, P
from tests.fakes.scripted_model import Script, ScriptedModel

MESSAGES = "/channels/{channel_id}/messages"
MINUTES = 600
"""Seconds: longer than Discord remembers a nonce, and than the positions that are read from overlap."""


def in_thread(at: Scene) -> Message:
    return at.ask("hello")


def in_private(at: Scene) -> Message:
    return at.discord.say(at.discord.dm(at.alice), at.alice, "hello")


def in_channel(at: Scene) -> Message:
    at.discord.permit(at.general, deny=P.CREATE_PUBLIC_THREADS)
    return at.ask("hello")


PLACES = [in_thread, in_private, in_channel]
PARAGRAPHS = ["a" * 1500, "b" * 1500, "c" * 1500]
LONG = "\n\n".join(PARAGRAPHS)


async def place(at: Scene, question: Message) -> Channel:
    in_thread_ = question.channel is at.general and at.discord.world.bot_may(at.general, P.CREATE_PUBLIC_THREADS)
    return await at.thread_of(question) if in_thread_ else question.channel


@pytest.mark.parametrize("later", [0, MINUTES])
@pytest.mark.parametrize("ask", PLACES)
async def test_a_first_part_posted_before_a_crash_is_found_and_edited(
    tmp_path: Path, ask: Callable[[Scene], Message], later: float
) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True)
            channel = await place(at, ask(at))
            await at.discord.wait_for(lambda: said(at, channel))
            await at.bot.kill()
        set_.discord.advance(later)
        async with bot_on(set_, tmp_path) as at:
            answer = await at.answer(channel)
            assert said(at, channel) == [answer.content]
            assert answer.content.endswith("hello")


@pytest.mark.parametrize("later", [0, MINUTES])
@pytest.mark.parametrize("ask", PLACES)
@pytest.mark.parametrize("part", [1, 2])
async def test_a_later_part_posted_before_a_crash_is_found(
    tmp_path: Path, ask: Callable[[Scene], Message], part: int, later: float
) -> None:
    async with stage() as set_:
        go_on = asyncio.Event()
        script: Script = ["Well: ", go_on, LONG]
        async with bot_on(set_, tmp_path, ScriptedModel(script)) as at:
            channel = await place(at, ask(at))
            await at.discord.wait_for(lambda: any("Well" in text for text in said(at, channel)))
            holds = [at.discord.hold_next("POST", MESSAGES) for _ in range(part - 1)]
            go_on.set()
            for hold in holds:
                await hold.reached.wait()
            at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True)
            for hold in holds:
                hold.release()
            await at.discord.wait_for(lambda: len(said(at, channel)) == part + 1)
            await at.bot.kill()
        set_.discord.advance(later)
        async with bot_on(set_, tmp_path, ScriptedModel()) as at:
            await at.answer(channel)
            assert said(at, channel) == [f"Well: {PARAGRAPHS[0]}", *PARAGRAPHS[1:]]


async def test_where_the_history_may_not_be_read_the_nonce_finds_what_was_posted(tmp_path: Path) -> None:
    async with stage() as set_:
        set_.discord.permit(set_.general, deny=P.READ_MESSAGE_HISTORY)
        async with bot_on(set_, tmp_path) as at:
            at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True, times=2)
            at.ask("hello")
            await at.discord.wait_for(lambda: said(at, at.general))
            await at.bot.kill()
        async with bot_on(set_, tmp_path) as at:
            await at.answer(at.general)
            assert said(at, at.general) == told("hello")


async def test_a_regenerated_answer_posted_before_a_crash_is_found_and_edited(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            first = await at.answered("hello")
            thread = first.channel
            at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True)
            at.press(at.alice, first, "again")
            await at.discord.wait_for(lambda: len(said(at, thread)) == 2)
            await at.bot.kill()
        set_.discord.advance(MINUTES)
        async with bot_on(set_, tmp_path) as at:
            await at.discord.wait_for(lambda: said(at, thread)[1:] == told("hello"))
            await at.until_stored("status", "answered", "answered")
            assert said(at, thread) == told("hello", "hello")

"""Calls that Discord refuses, fails or limits: nothing is lost or said twice."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.discord import WAITS
from tests.discord_scene import said, scene
from tests.fakes.scripted_model import Script, ScriptedModel, echo

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"
THREADS = f"{MESSAGE}/threads"
HURRIED = replace(WAITS, call=0.5)
WORDS = [f"word{number} " for number in range(200)]


async def test_under_rate_limits_only_the_latest_text_is_shown_and_the_end_is_whole(tmp_path: Path) -> None:
    pause = asyncio.Event()
    script: Script = [*WORDS[:100], pause, *WORDS[100:]]
    async with scene(tmp_path, ScriptedModel(script, answer=echo)) as at:
        at.discord.limit("PATCH", MESSAGE, count=1, per=0.2, hidden=True)
        thread = await at.thread_of(at.ask("talk"))
        await at.discord.wait_for(lambda: any("word99" in text for text in said(at, thread)))
        pause.set()
        answer = await at.answer(thread)
        assert answer.content == "".join(WORDS).strip()
        assert answer.edits <= 4
        assert len(said(at, thread)) == 1


@pytest.mark.parametrize("route", [("POST", MESSAGES), ("PATCH", MESSAGE), ("POST", THREADS)], ids=str)
async def test_a_rate_limit_longer_than_our_patience_is_tried_again(tmp_path: Path, route: tuple[str, str]) -> None:
    async with scene(tmp_path, waits=HURRIED) as at:
        at.discord.fail_next(*route, status=429, retry_after=3_600)
        answer = await at.answered("hello")
        assert answer.content == "You said: Alice: hello"
        assert len(said(at, answer.channel)) == 1


async def test_a_global_rate_limit_that_we_give_up_on_holds_up_nothing_afterwards(tmp_path: Path) -> None:
    async with scene(tmp_path, waits=HURRIED) as at:
        await at.answered("before")
        at.discord.limit_globally(count=0, per=3_600)
        question = at.ask("meanwhile")
        await at.discord.wait_for(lambda: [each for each in at.discord.requests("POST", THREADS) if each.status == 429])
        at.discord.limit_globally(count=10_000, per=1)
        answer = await at.answer(await at.thread_of(question))
        assert answer.content == "You said: Alice: meanwhile"


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("status", [500, 503, None])
@pytest.mark.parametrize("route", [("POST", MESSAGES), ("PATCH", MESSAGE), ("POST", THREADS)], ids=str)
async def test_a_failing_call_neither_loses_nor_repeats_anything(
    tmp_path: Path, route: tuple[str, str], status: int | None, *, after_effect: bool
) -> None:
    async with scene(tmp_path) as at:
        at.discord.fail_next(*route, status=status, after_effect=after_effect)
        answer = await at.answered("hello")
        assert answer.content == "You said: Alice: hello"
        assert said(at, answer.channel) == ["You said: Alice: hello"]
        assert not at.discord.messages(at.general, by=at.discord.bot)


async def test_a_post_that_is_tried_again_after_discord_forgot_its_nonce_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True)
        thread = await at.thread_of(at.ask("hello"))
        await at.discord.wait_for(lambda: said(at, thread))
        at.discord.advance(600)
        assert (await at.answer(thread)).content == "You said: Alice: hello"
        assert len(said(at, thread)) == 1
        assert len(at.discord.requests("POST", MESSAGES)) == 1


async def test_a_token_refused_in_between_is_tried_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.discord.fail_next("PATCH", MESSAGE, status=401)
        assert (await at.answered("hello")).content == "You said: Alice: hello"


@pytest.mark.parametrize("what", ["typing", "reading"])
async def test_what_the_bot_can_do_without_may_fail(tmp_path: Path, what: str) -> None:
    async with scene(tmp_path) as at:
        if what == "typing":
            at.discord.fail_next("POST", "/channels/{channel_id}/typing", status=503, times=5)
        else:
            at.discord.fail_next("GET", MESSAGES, status=403, code=50001, times=5)
        assert (await at.answered("hello")).content == "You said: Alice: hello"

"""Discord in trouble, and Discord refusing: nothing is lost or said twice, and somebody is told."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.errors import ConfigurationError
from bot.platforms.discord.platform import REFUSED
from tests.discord import WAITS, running_bot
from tests.discord_scene import Scene, bot_on, scene, stage
from tests.fakes.discord import Channel, FakeDiscord, Message, P
from tests.fakes.scripted_model import Script, ScriptedModel, echo

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"
THREADS = f"{MESSAGE}/threads"
HURRIED = replace(WAITS, call=0.5)
WORDS = [f"word{number} " for number in range(200)]


def halting() -> tuple[ScriptedModel, asyncio.Event]:
    """A model whose first answer stops in the middle until the event is set."""
    go_on = asyncio.Event()
    return ScriptedModel(["First ", go_on, "then the rest."], answer=echo), go_on


async def begun(at: Scene, channel: Channel) -> Message:
    """The answer that stopped in the middle, with its first words."""
    await at.discord.wait_for(lambda: any("First" in each.content for each in at.discord.messages(channel)))
    return at.discord.messages(channel, by=at.discord.bot)[-1]


def said(at: Scene, channel: Channel) -> list[str]:
    return [each.content for each in at.discord.messages(channel, by=at.discord.bot)]


# Rate limits


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


# Trouble


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


# The connection

KICKS: list[dict[str, Any]] = [
    {},
    {"op": 7},
    {"op": 9},
    {"op": 9, "resumable": False},
    {"code": 4000},
    {"code": 4009},
    {"code": 1001},
    {"code": 1000},
]


@pytest.mark.parametrize("how", KICKS, ids=str)
async def test_what_is_said_while_the_line_is_cut_is_answered_once(tmp_path: Path, how: dict[str, Any]) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        at.discord.kick(**how)
        await at.discord.wait_for(lambda: not at.discord.gateway.connected)
        at.discord.say(thread, at.alice, "two")
        in_general = at.ask("three")
        assert (await at.answer(thread, 2)).content == "You said: Alice: two"
        assert (await at.answer(await at.thread_of(in_general))).content == "You said: Alice: three"
        assert len(said(at, thread)) == 2


async def test_an_answer_goes_on_while_the_line_is_cut(tmp_path: Path) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        thread = await at.thread_of(at.ask("one"))
        await begun(at, thread)
        at.discord.pause_gateway()
        go_on.set()
        assert (await at.answer(thread)).content == "First then the rest."
        at.discord.unpause_gateway()


@pytest.mark.parametrize("code", [4010, 4011, 4012, 4013])
async def test_a_connection_ended_for_good_is_begun_anew_and_answers_go_on_there(tmp_path: Path, code: int) -> None:
    """These codes say that the client did something wrong: discord.py gives up."""
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        thread = await at.thread_of(at.ask("one"))
        await begun(at, thread)
        at.discord.kick(code=code)
        await at.discord.wait_for(lambda: at.discord.counts.identifies == 2)
        go_on.set()
        assert (await at.answer(thread)).content == "First then the rest."
        at.discord.say(thread, at.alice, "two")
        assert (await at.answer(thread, 2)).content == "You said: Alice: two"


async def test_a_token_that_is_revoked_ends_the_program_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await _revoked(tmp_path)
    assert str(caught.value) == REFUSED
    assert "[discord] token" in REFUSED


async def _revoked(path: Path) -> None:
    async with scene(path) as at:
        at.discord.kick(code=4004)
        await at.bot.serving


async def test_a_wrong_token_ends_the_program_with_what_to_do_and_is_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakeDiscord.running(token="right-token") as discord:
        settings: dict[str, Any] = {"token": SecretStr("wrong-token-4711")}
        with pytest.raises(ConfigurationError, match=r"\[discord\] token") as caught:
            async with running_bot(tmp_path / "bot.db", discord, ScriptedModel(), connected=False, **settings) as bot:
                await bot.serving
    assert "4711" not in caplog.text + repr(caught.value) + repr(caught.value.__cause__)


async def test_discord_may_come_up_after_the_bot(tmp_path: Path) -> None:
    down = FakeDiscord()
    await down.start()
    await down.stop()
    async with running_bot(tmp_path / "bot.db", down, ScriptedModel(answer=echo), connected=False):
        port = int(down.api_url.split(":")[2].split("/")[0])
        async with FakeDiscord.running(port=port) as discord:
            alice = discord.make_user("alice")
            await discord.connected()
            direct = discord.dm(alice)
            discord.say(direct, alice, "hello")
            await discord.wait_for(lambda: any("hello" in m.content for m in discord.messages(direct, by=discord.bot)))


@pytest.mark.parametrize("route", ["/users/@me", "/oauth2/applications/@me", "/gateway/bot"])
async def test_discord_failing_while_the_bot_connects_is_waited_for(tmp_path: Path, route: str) -> None:
    async with stage() as set_:
        set_.discord.fail_next("GET", route, status=503)
        async with bot_on(set_, tmp_path) as at:
            assert (await at.answered("hello")).content == "You said: Alice: hello"


# Places that are gone or closed


async def test_a_thread_archived_under_a_running_answer_is_opened_and_the_answer_ends_there(tmp_path: Path) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        thread = await at.thread_of(at.ask("one"))
        await begun(at, thread)
        at.discord.archive(thread)
        go_on.set()
        assert (await at.answer(thread)).content == "First then the rest."


async def lost(at: Scene, caplog: pytest.LogCaptureFixture, why: str) -> None:
    """The turn is closed, the log tells why nobody saw its end, and the next question is answered."""
    await at.until_stored("status", "answered")
    assert "cannot be shown" in caplog.text
    assert why in caplog.text
    assert (await at.answered("next")).content == "You said: Alice: next"


async def test_a_locked_thread_ends_the_answer_and_the_log_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        thread = await at.thread_of(at.ask("one"))
        await begun(at, thread)
        at.discord.archive(thread, locked=True)
        go_on.set()
        await lost(at, caplog, "the thread is archived")


@pytest.mark.parametrize("what", ["thread", "message"])
async def test_an_answer_whose_place_is_deleted_ends_and_the_log_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        thread = await at.thread_of(at.ask("one"))
        answer = await begun(at, thread)
        at.discord.delete_channel(thread) if what == "thread" else at.discord.delete(answer)
        go_on.set()
        await lost(at, caplog, f"the {'channel or thread' if what == 'thread' else what} was deleted")


async def test_a_channel_deleted_under_its_threads_ends_the_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        other = at.discord.make_text_channel(at.guild, "other")
        await begun(at, await at.thread_of(at.ask("one", channel=other)))
        at.discord.delete_channel(other)
        go_on.set()
        await lost(at, caplog, "the channel or thread was deleted")


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("archived", [False, True])
async def test_a_thread_opened_before_a_crash_is_used_also_when_its_question_is_gone(
    tmp_path: Path, *, deleted: bool, archived: bool
) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            at.discord.fail_next("POST", MESSAGES)
            question = at.ask("one")
            await at.discord.wait_for(lambda: at.discord.requests("POST", MESSAGES))
            thread = await at.thread_of(question)
            await at.bot.kill()
        if deleted:
            set_.discord.delete(question)
        if archived:
            set_.discord.archive(thread)
        async with bot_on(set_, tmp_path) as at:
            assert (await at.answer(thread)).content == "You said: Alice: one"
            assert len(said(at, thread)) == 1


# Permissions


async def test_without_permission_for_threads_the_answer_is_a_reply_in_the_channel(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as at:
        at.discord.permit(at.general, deny=P.CREATE_PUBLIC_THREADS)
        question = at.ask("hello")
        answer = await at.answer(at.general)
        assert (answer.content, answer.reply_to) == ("You said: Alice: hello", question)
        assert "lacks Create Public Threads" in caplog.text


async def test_without_permission_to_write_in_threads_the_answer_is_a_reply_in_the_channel(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.discord.permit(at.general, deny=P.SEND_MESSAGES_IN_THREADS)
        question = at.ask("hello")
        answer = await at.answer(at.general)
        assert (answer.content, answer.reply_to) == ("You said: Alice: hello", question)


async def test_without_permission_to_read_the_history_the_answer_is_no_reply(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.discord.permit(at.general, deny=P.READ_MESSAGE_HISTORY)
        at.ask("hello")
        answer = await at.answer(at.general)
        assert (answer.content, answer.reply_to) == ("You said: Alice: hello", None)


@pytest.mark.parametrize("missing", [P.SEND_MESSAGES | P.SEND_MESSAGES_IN_THREADS, P.VIEW_CHANNEL])
async def test_without_permission_to_write_the_turn_is_closed_and_the_log_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, missing: int
) -> None:
    async with scene(tmp_path) as at:
        other = at.discord.make_text_channel(at.guild, "other")
        hold = at.discord.hold_next("POST", THREADS)
        at.ask("one", channel=other)
        await hold.reached.wait()
        at.discord.permit(other, deny=missing)
        hold.release()
        await lost(at, caplog, "permission" if missing != P.VIEW_CHANNEL else "give its role View Channel")

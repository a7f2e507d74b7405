"""Places that are gone, closed or forbidden: somebody is told, and what comes next is answered."""

from pathlib import Path

import pytest

from tests.discord_scene import Scene, begun, bot_on, halting, said, scene, stage
from tests.fakes.discord import P

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"
THREADS = f"{MESSAGE}/threads"


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

"""`Reply` and `Platform` as their docstrings promise: what the core builds on, call by call."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.errors import PlatformError, PlatformGone
from bot.platforms.platform import ApprovalRef, Final
from bot.platforms.splitting import utf16_length
from storage.sqlite import SQLiteDatabase
from tests.contract.platforms.running import asked, needs
from tests.contract.platforms.stage import Can, Stage, Trouble
from tests.waiting import until

_LETTERS = re.compile(r"[a-zA-Z0-9😀]")
KEY = "1.0"
APPROVAL = ApprovalRef(1, "2026-11-22T09:30:00.123Z")
DONE = Final("Done.", "answered", "scripted/script-1", ("shout",))
TEXTS = {
    "empty": "",
    "blank": " \n",
    "short": "short",
    "words": "word " * 3_000,
    "paragraphs": "paragraph of words.\n\n" * 2_000,
    "one-word": "x" * 30_000,
    "emoji": "😀" * 9_000,
    "code": "```python\n" + "print('hello')\n" * 3_000 + "```\nafter",
    "table": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 3_000,
}


async def test_an_empty_first_part_shows_that_the_agent_is_at_work(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SHOW_WORK)
    async with asked(stage, tmp_path) as at:
        await at.reply().post(0, "", key=KEY)
        await until(lambda: [view.working for view in stage.views(at.place)] == [True])


async def test_a_post_is_repeated_by_its_key_and_seen_once(stage: Stage, tmp_path: Path) -> None:
    async with asked(stage, tmp_path) as at:
        first = await at.reply().post(0, "", key=KEY)
        for _ in range(2):
            reply = at.reply(resumed=True)
            assert await reply.post(0, "", key=KEY) == first
        await reply.edit(0, first, "Done.")
        await at.until_shown("Done.")


@pytest.mark.parametrize("text", ["", "Done."], ids=["empty", "text"])
async def test_a_resumed_reply_finds_its_post_when_the_platform_has_forgotten_the_key(
    stage: Stage, tmp_path: Path, text: str
) -> None:
    async with asked(stage, tmp_path) as at:
        first = await at.reply().post(0, text, key=KEY)
        stage.forget_keys()
        reply = at.reply(resumed=True)
        assert await reply.post(0, text, key=KEY) == first
        await reply.edit(0, first, "Done.")
        await at.until_shown("Done.")


async def test_a_resumed_reply_finds_each_of_its_parts(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SPLIT)
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = [await reply.post(part, f"Part {part}.", key=f"1.{part}") for part in range(3)]
        stage.forget_keys()
        resumed = at.reply(resumed=True)
        assert [await resumed.post(part, f"Part {part}.", key=f"1.{part}") for part in range(3)] == posted
        assert at.texts() == ["Part 0.", "Part 1.", "Part 2."]


async def test_a_post_whose_answer_was_lost_is_seen_once(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.FAIL)
    async with asked(stage, tmp_path) as at:
        stage.fail(at.place, "post", Trouble.LOST)
        reply = at.reply()
        with pytest.raises(PlatformError) as caught:
            await reply.post(0, "", key=KEY)
        assert not isinstance(caught.value, PlatformGone)
        stage.forget_keys()
        await reply.edit(0, await reply.post(0, "", key=KEY), "Done.")
        await at.until_shown("Done.")


async def test_a_growing_answer_shows_text_and_status(stage: Stage, tmp_path: Path) -> None:
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = await reply.post(0, "", key=KEY)
        assert await reply.grow(posted, "", "using shout…") is True
        await until(lambda: [view.status for view in stage.views(at.place)] == ["using shout…"])
        assert await reply.grow(posted, "One, ", "") is True
        assert await reply.grow(posted, "One, two", "") is True
        await at.until_shown("One, two")
        assert [view.status for view in stage.views(at.place)] == [""]


async def test_an_edit_replaces_the_text_and_may_be_repeated(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.EDIT)
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = await reply.post(0, "", key=KEY)
        await reply.grow(posted, "Something else", "using shout…")
        for _ in range(2):
            await reply.edit(0, posted, "Done.")
        await at.reply(resumed=True).edit(0, posted, "Done.")
        await at.until_shown("Done.")


async def test_the_end_takes_the_marks_away_and_may_be_repeated(stage: Stage, tmp_path: Path) -> None:
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = await reply.post(0, "", key=KEY)
        await reply.grow(posted, "", "using shout…")
        await reply.edit(0, posted, "Done.")
        await reply.finish([posted], DONE)
        await until(lambda: at.bot.complete(at.place) == 1)
        if Can.EDIT not in stage.cannot:  # a terminal prints an answer once more for an attempt that begins anew
            await reply.finish([posted], DONE)
            await at.reply(resumed=True).finish([posted], DONE)
        await at.until_shown("Done.")
        assert [(view.working, view.complete, view.status) for view in stage.views(at.place)] == [(False, True, "")]


async def test_the_file_of_a_long_answer_is_sent_once_however_often_it_ends(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SPLIT)
    async with asked(stage, tmp_path) as at:
        whole = "word " * ((stage.limit or 0) * (stage.max_parts + 1) // 5)
        (part,) = at.bot.platform.split(whole)
        reply = at.reply()
        posted = await reply.post(0, part, key=KEY)
        final = Final(whole, "answered")
        for each in (reply, reply, at.reply(resumed=True)):
            await each.finish([posted], final)
        files = [file.decode() for view in stage.views(at.place) for file in view.files]
        assert [file.split() for file in files] == [whole.split()]


def test_an_answer_is_cut_into_messages_that_fit_and_so_is_a_preview(stage: Stage) -> None:
    platform = stage.platform(SQLiteDatabase(":memory:"))
    for name, text in TEXTS.items():
        parts, preview = platform.split(text), platform.preview(text)
        assert 1 <= len(parts) <= stage.max_parts, name
        assert stage.limit is None or all(utf16_length(each) <= stage.limit for each in [*parts, preview]), name
        assert _said(text).startswith(_said(preview)), name
        assert _said(text).startswith(_said(parts[0])[:500]), name


def _said(text: str) -> str:
    """Letters and digits: what no Markdown is made of."""
    return "".join(_LETTERS.findall(text))


@pytest.mark.parametrize("trouble", Trouble)
async def test_trouble_is_a_platform_error_and_the_same_call_works_after_it(
    stage: Stage, tmp_path: Path, trouble: Trouble
) -> None:
    needs(stage, Can.FAIL)
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = ""
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "post": lambda: reply.post(0, "", key=KEY),
            "grow": lambda: reply.grow(posted, "One", ""),
            "edit": lambda: reply.edit(0, posted, "Done."),
            "finish": lambda: reply.finish([posted], DONE),
        }
        for step, call in calls.items():
            if trouble is not Trouble.LIMITED or step == "edit":  # each rate limit is waited for
                stage.fail(at.place, step, trouble)
            try:
                result = await call()
            except PlatformGone:
                pytest.fail(f"{step} gives up")
            except PlatformError:
                result = await call()
            posted = result if isinstance(result, str) else posted
        await at.until_shown("Done.")
        assert [(view.working, view.complete) for view in stage.views(at.place)] == [(False, True)]


async def test_a_question_may_be_repeated_and_what_comes_next_takes_its_place(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.EDIT)
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = await reply.post(0, "", key=KEY)
        await reply.grow(posted, "One", "using shout…")
        for each in (reply, reply, at.reply(resumed=True)):
            await each.ask(posted, "One\n\nMay I?", APPROVAL)
        await until(lambda: [(view.text, view.status) for view in stage.views(at.place)] == [("One\n\nMay I?", "")])
        assert [(view.asks, view.complete) for view in stage.views(at.place)] == [(True, False)]
        resumed = at.reply(resumed=True)
        assert await resumed.grow(posted, "Two", "") is True
        await at.until_shown("Two")
        assert [(view.asks, view.working) for view in stage.views(at.place)] == [(False, True)]
        await resumed.edit(0, posted, "Done.")
        await resumed.finish([posted], DONE)
        await until(lambda: at.bot.complete(at.place) == 1)
        await at.until_shown("Done.")


async def test_a_question_is_followed_by_an_answer_that_never_grew(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.EDIT)
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = await reply.post(0, "", key=KEY)
        await reply.ask(posted, "May I?", APPROVAL)
        resumed = at.reply(resumed=True)
        await resumed.edit(0, posted, "Done.")
        await resumed.finish([posted], DONE)
        await until(lambda: [(view.asks, view.complete) for view in stage.views(at.place)] == [(False, True)])


@pytest.mark.parametrize("trouble", Trouble)
async def test_a_question_that_met_trouble_can_be_asked_again(stage: Stage, tmp_path: Path, trouble: Trouble) -> None:
    needs(stage, Can.FAIL)
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = await reply.post(0, "", key=KEY)
        stage.fail(at.place, "ask", trouble)
        try:
            await reply.ask(posted, "May I?", APPROVAL)
        except PlatformGone:
            pytest.fail("it gives up")
        except PlatformError:
            await at.reply(resumed=True).ask(posted, "May I?", APPROVAL)
        await until(lambda: [(view.text, view.asks) for view in stage.views(at.place)] == [("May I?", True)])


@pytest.mark.parametrize("operation", ["post", "edit"])
async def test_a_place_that_is_gone_is_told_as_such(stage: Stage, tmp_path: Path, operation: str) -> None:
    needs(stage, Can.LOSE_PLACES)
    async with asked(stage, tmp_path) as at:
        reply = at.reply()
        posted = await reply.post(0, "One" if operation == "post" else "", key=KEY)
        stage.lose(at.place)
        with pytest.raises(PlatformGone):
            await (reply.post(1, "Two", key="1.1") if operation == "post" else reply.edit(0, posted, "Done."))

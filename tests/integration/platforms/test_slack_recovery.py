"""A crash at any moment: what was posted is found again and edited, nothing is posted or uploaded twice."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from storage.database import Database, P, R, Unit
from tests.core import LIMITS
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.slack import Message
from tests.slack import running_bot
from tests.slack_scene import RATE, Scene, bot_on, shows_button, stage
from tests.waiting import until

ROOMY = replace(LIMITS, answer_characters=1_000_000)
LONG = "\n\n".join(f"Paragraph {number}, with some words to fill it." for number in range(700))
VERY_LONG = "\n\n".join(f"Paragraph {number}, with some words to fill it." for number in range(1_500))


class DyingDatabase:
    """The database of a process that dies as it is about to do the `nth` unit of this name. `died` tells that it is."""

    def __init__(self, database: Database, unit: str, nth: int = 1) -> None:
        self._database = database
        self._unit = unit
        self._left = nth
        self.died = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if getattr(unit, "__name__", "") == self._unit:
            self._left -= 1
            if self._left == 0:
                self.died.set()
        if self.died.is_set():
            await asyncio.Event().wait()
        return await self._database.write(unit, *args, **kwargs)

    async def read(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._database.read(unit, *args, **kwargs)


def dying(unit: str, nth: int = 1) -> tuple[Callable[[Database], DyingDatabase], list[DyingDatabase]]:
    """For `wrap`, and the database that was made of it."""
    made: list[DyingDatabase] = []

    def wrap(database: Database) -> DyingDatabase:
        made.append(DyingDatabase(database, unit, nth))
        return made[-1]

    return wrap, made


def place(at: Scene, *, private: bool) -> Callable[[str], Message]:
    return at.tell if private else at.ask


def texts(at: Scene, question: Message) -> list[str]:
    return [message.shown for message in at.said(question) if not message.files]


@pytest.mark.parametrize("private", [False, True], ids=["channel", "direct message"])
@pytest.mark.parametrize("unit", ["record_delivery", "conclude", "finish"])
async def test_what_a_crashed_process_posted_is_edited(tmp_path: Path, unit: str, *, private: bool) -> None:
    """Posted, its id not stored; posted, the answer not stored; all shown, the turn not closed."""
    wrap, made = dying(unit)
    async with stage() as slack:
        async with bot_on(slack, tmp_path, ScriptedModel(["First ", "try."]), wrap=wrap) as at:
            question = place(at, private=private)("talk")
            await made[0].died.wait()
            await slack.until(lambda: at.said(question))
            await at.bot.kill()
        [before] = at.said(question)
        again = ScriptedModel(["First ", "try."])
        async with bot_on(slack, tmp_path, again) as at:
            answer = await at.answer(question)
            await at.until_stored("status", "answered")
            assert answer is before
            assert texts(at, question) == ["First try."]
            assert not answer.streaming(slack.clock.now())
            assert len(again.requests) == (unit == "conclude")


@pytest.mark.parametrize("private", [False, True], ids=["channel", "direct message"])
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_long_answer_is_gone_on_with_wherever_it_broke_off(tmp_path: Path, nth: int, *, private: bool) -> None:
    """Each of its parts is posted before the last one's id is stored."""
    wrap, made = dying("record_delivery" if nth < 3 else "finish", nth if nth < 3 else 1)
    async with stage() as slack:
        async with bot_on(slack, tmp_path, ScriptedModel([LONG]), wrap=wrap, limits=ROOMY, pace=float("inf")) as at:
            question = place(at, private=private)("talk")
            await made[0].died.wait()
            await at.bot.kill()
        before = at.said(question)
        assert len(before) == nth
        async with bot_on(slack, tmp_path, ScriptedModel([LONG]), limits=ROOMY) as at:
            await at.until_stored("status", "answered")
            assert at.said(question)[:nth] == before
            assert "\n\n".join(texts(at, question)) == LONG
            assert [shows_button(m, RATE) for m in at.said(question)] == [False, False, True]


@pytest.mark.parametrize("private", [False, True], ids=["channel", "direct message"])
async def test_a_file_is_not_uploaded_twice(tmp_path: Path, *, private: bool) -> None:
    wrap, made = dying("finish")
    async with stage() as slack:
        async with bot_on(slack, tmp_path, ScriptedModel([VERY_LONG]), wrap=wrap, limits=ROOMY) as at:
            question = place(at, private=private)("talk")
            await made[0].died.wait()
            await at.bot.kill()
        async with bot_on(slack, tmp_path, ScriptedModel(), limits=ROOMY) as at:
            await at.until_stored("status", "answered")
            [file] = at.team.bot_files(question.channel)
            assert file.content.decode() == VERY_LONG
            assert len(texts(at, question)) == 1


async def test_an_upload_whose_answer_was_lost_is_not_repeated(tmp_path: Path) -> None:
    async with stage() as slack:
        slack.fail_next("files.completeUploadExternal", drop=True, after_effect=True)
        async with bot_on(slack, tmp_path, ScriptedModel([VERY_LONG]), limits=ROOMY) as at:
            question = at.ask("talk")
            await at.until_stored("status", "answered")
            assert len(at.team.bot_files(question.channel)) == 1


async def test_the_stream_of_an_earlier_answer_is_not_taken_for_this_one(tmp_path: Path) -> None:
    """Two questions wait in one thread; the first answer comes after the second question, without metadata at first."""
    go_on = asyncio.Event()
    wrap, made = dying("record_delivery", 2)
    async with stage() as slack:
        model = ScriptedModel(["One", go_on, "."], ["Two."])
        async with bot_on(slack, tmp_path, model, wrap=wrap) as at:
            first = at.tell("one")
            await at.shows(first, "One")
            at.follow(first, "two")
            await at.until_stored("status", "running", "queued")
            go_on.set()
            await made[0].died.wait()
            await at.bot.kill()
        async with bot_on(slack, tmp_path, ScriptedModel(["Two."])) as at:
            await at.until_stored("status", "answered", "answered")
            assert texts(at, first) == ["One.", "Two."]


async def test_a_stream_of_a_dead_process_is_ended(tmp_path: Path) -> None:
    never = asyncio.Event()
    async with stage() as slack:
        async with bot_on(slack, tmp_path, ScriptedModel(["Half ", never])) as at:
            question = at.tell("talk")
            stream = await at.shows(question, "Half")
            assert stream.streaming(slack.clock.now())
            await at.bot.kill()
        async with bot_on(slack, tmp_path, ScriptedModel(["The whole."])) as at:
            assert (await at.answer(question)) is stream
            await at.until_stored("status", "answered")
            assert (stream.shown, stream.streaming(slack.clock.now())) == ("The whole.", False)
            session = at.team.sessions[question.channel, question.ts]
            assert session.status == "active"


async def test_what_was_posted_is_found_behind_much_else(tmp_path: Path) -> None:
    wrap, made = dying("record_delivery")
    async with stage() as slack:
        slack.hub.subscriptions.discard("message.channels")  # the bot hears of mentions only
        slack.fail_next("chat.postMessage", status=429, retry_after=1)
        async with bot_on(slack, tmp_path, ScriptedModel(["One."]), wrap=wrap) as at:
            question = at.ask("talk")
            for number in range(450):
                at.follow(question, f"chatter {number}")
            await made[0].died.wait()
            await at.bot.kill()
        async with bot_on(slack, tmp_path, ScriptedModel(["One."])) as at:
            await at.until_stored("status", "answered")
            assert texts(at, question) == ["One."]


async def test_where_nobody_may_look_an_answer_is_rather_there_twice_than_not_at_all(tmp_path: Path) -> None:
    wrap, made = dying("record_delivery")
    async with stage() as slack:
        async with bot_on(slack, tmp_path, ScriptedModel(["One."]), wrap=wrap) as at:
            question = at.ask("talk")
            await made[0].died.wait()
            await at.bot.kill()
        slack.team.scopes -= {"channels:history", "groups:history", "im:history", "mpim:history"}
        async with bot_on(slack, tmp_path, ScriptedModel(["One."])) as at:
            await at.until_stored("status", "answered")
            assert "One." in texts(at, question)


async def test_turns_that_are_resumed_wait_for_the_connection(tmp_path: Path, mode: str) -> None:
    never = asyncio.Event()
    async with stage() as slack:
        model = ScriptedModel(["Half ", never], ["Half ", never])
        async with bot_on(slack, tmp_path, model, mode=mode) as at:
            questions = [at.ask("one")]
            await at.shows(questions[0], "Half")
            questions.append(at.ask("two"))
            await at.until_stored("status", "running", "running")
            await at.bot.kill()
        slack.fail_next("auth.test", status=503)
        model = ScriptedModel(answer=echo)
        async with running_bot(tmp_path / "bot.db", slack, model, connected=False, mode=mode):
            await until(lambda: len(model.requests) == 2)
            assert not slack.called("auth.test")[1:]
            for question in questions:
                await at.answer(question)
            assert [len(at.said(question)) for question in questions] == [1, 1]

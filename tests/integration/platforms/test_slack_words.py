"""Commands as words in the threads of the fake Slack, where slash commands cannot be typed."""

from pathlib import Path

import pytest

from tests.fakes.slack import ALICE
from tests.slack_scene import bot_on, scene, stage


@pytest.mark.parametrize("said", ["{me} end", "!end", "{me} !END", "{me}, end.", "!end {id}"])
async def test_a_mission_is_ended_by_a_word_in_its_thread(tmp_path: Path, mode: str, said: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        mission = await at.latest()
        at.follow(question, said.format(me=at.team.mention, id=mission.id))
        told = await at.whispered(ALICE)
        assert (told.shown, told.thread_ts) == (
            f"Mission `{mission.id}` [open]({at.permalink(question)}) ended.",
            question.ts,
        )
        await at.slack.settled()
        assert (await at.stored(), (await at.latest()).status) == (["one"], "completed")


@pytest.mark.parametrize("word", ["end", "stop", "show"])
async def test_a_word_in_a_thread_never_means_another_threads_mission(tmp_path: Path, mode: str, word: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        other, question = at.ask("other"), at.ask("one")
        await at.answer(other)
        await at.answer(question)
        for number in (1, 2):
            at.follow(question, f"{at.team.mention} end")
            await at.whispered(ALICE, number)
        at.follow(question, f"{at.team.mention} {word}")
        told = await at.whispered(ALICE, 3)
        assert told.shown == "No mission is going on in this thread. `/mission list` shows yours."
        status = {mission.title: mission.status for mission in await at.missions()}
        assert status == {"other": "active", "one": "completed"}


@pytest.mark.parametrize("order", ["mention_first", "message_first"])
async def test_a_word_is_carried_out_once_however_often_it_comes(tmp_path: Path, mode: str, order: str) -> None:
    async with stage() as slack:
        slack.hub.mention_order = order  # type: ignore[assignment]  # one of its values
        slack.dispatcher.duplicate_share = 1.0
        async with bot_on(slack, tmp_path, mode=mode) as at:
            question = at.ask("one")
            await at.answer(question)
            at.follow(question, f"{at.team.mention} new plain")
            await at.whispered(ALICE)
            await at.slack.settled()
            assert len(at.team.ephemerals(ALICE)) == 1
            assert [mission.agent for mission in await at.missions()] == ["plain", "quartermaster"]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("list", "Your latest missions:"),
        ("show", "**alice:** one"),
        ("stop", "I am not writing anything right now."),
        ("help", "Just talk to me."),
        ("new plain", "with plain. Go ahead."),
    ],
)
async def test_every_command_has_a_word(tmp_path: Path, mode: str, word: str, told: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        for number, mark in enumerate((f"{at.team.mention} ", "!"), 1):
            at.follow(question, f"{mark}{word}")
            assert told in (await at.whispered(ALICE, number)).shown
        assert await at.stored() == ["one"]


async def test_a_word_that_names_no_agent_says_which_there_are(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        at.follow(question, "!new nobody")
        assert (await at.whispered(ALICE)).shown.endswith("The agents are: quartermaster, plain.")


@pytest.mark.parametrize(
    "said",
    ["end of the world?", "show this", "list all my friends", "new idea", "stop it please", "helping", "End here"],
)
async def test_a_sentence_that_only_begins_like_a_command_is_a_question(tmp_path: Path, mode: str, said: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        await at.answer(at.ask(said, thread_ts=question.ts), 2)
        assert await at.stored() == ["one", said]


async def test_without_a_mark_a_word_in_a_thread_is_a_question(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        await at.answer(at.follow(question, "help"), 2)
        private = at.tell("help")
        await at.answer(private)
        assert await at.stored() == ["one", "help", "help"]


async def test_in_a_channel_a_word_behind_the_bots_name_is_a_question(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("help")
        assert await at.stored() == ["help"]


async def test_in_a_thread_of_direct_messages_words_do_the_same(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.tell("one")
        await at.answer(question)
        at.follow(question, "!end")
        assert (await at.whispered(ALICE)).shown.endswith("ended.")
        await at.answer(at.follow(question, "two"), 2)
        assert at.past() == ["two"]

"""Talking to the bot in the fake Slack: where it answers, when it is silent, and what becomes of files and edits."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.scripted_model import FUNCTION_CALLING, ScriptedModel, echo
from tests.fakes.slack import ALICE, BOB, GENERAL, SECRET, Attached
from tests.pictures import png
from tests.slack_scene import bot_on, scene, stage


async def test_a_direct_message_is_answered_in_its_own_thread(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.tell("hello")
        answer = await at.answer(question)
        assert (answer.shown, answer.thread_ts) == ("You said: hello", question.ts)


async def test_each_direct_message_outside_a_thread_is_a_conversation_of_its_own(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for text in ("one", "two"):
            await at.answer(at.tell(text))
        assert at.past() == ["two"]


async def test_a_thread_of_direct_messages_is_one_conversation(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.tell("one")
        await at.answer(question)
        await at.answer(at.follow(question, "two"), 2)
        assert at.past() == ["one", "You said: one", "two"]


async def test_a_mention_is_answered_in_its_thread_and_nowhere_else(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("hello")
        answer = await at.answer(question)
        assert (answer.shown, answer.thread_ts) == ("You said: alice: hello", question.ts)
        assert at.team.by_bot(GENERAL) == [answer]


async def test_each_mention_opens_a_conversation_of_its_own(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for text in ("one", "two"):
            await at.answered(text)
        assert at.past() == ["alice: two"]


async def test_in_its_thread_no_mention_is_needed_and_the_model_knows_who_said_what(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        answer = await at.answer(at.follow(question, "two", by=BOB), 2)
        assert answer.shown == "You said: bob: two"
        assert at.past() == ["alice: one", "You said: alice: one", "bob: two"]


async def test_a_private_channel_is_like_a_public_one(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("psst", channel=SECRET)
        await at.answer(question)
        await at.answer(at.follow(question, "two", by=BOB), 2)
        assert await at.stored() == ["psst", "two"]


async def test_in_a_message_to_several_people_the_bot_speaks_when_it_is_spoken_to(tmp_path: Path, mode: str) -> None:
    async with stage() as slack:
        group = slack.team.direct([ALICE, BOB]).id
        async with bot_on(slack, tmp_path, mode=mode) as at:
            at.team.say(group, ALICE, "hello Bob")
            question = at.ask("hello", channel=group)
            assert (await at.answer(question)).shown == "You said: alice: hello"


async def test_what_is_not_for_the_bot_is_not_answered(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        at.team.say(GENERAL, BOB, "good morning all")
        at.team.say(GENERAL, ALICE, f"<@{BOB}> hello {at.team.mention}")
        at.team.say(GENERAL, ALICE, f"<!here> hello <@{at.team.bot_user}2>")
        at.team.system(GENERAL, "channel_join", at.team.bot_user, f"{at.team.mention} has joined the channel")
        at.team.system(GENERAL, "channel_topic", ALICE, "set the channel topic: agents")
        await at.answered("and now you")
        assert await at.stored() == ["and now you"]


async def test_a_message_in_its_thread_that_opens_for_somebody_else_is_not_answered(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        at.follow(question, f"<@{BOB}> what do you think?")
        at.follow(question, f"<@{BOB}> {at.team.mention} both of you?")
        await at.answer(question, 2)
        assert await at.stored() == ["one", "@bob both of you?"]


async def test_a_thread_of_others_is_answered_from_the_first_mention_on(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        plans = at.team.say(GENERAL, ALICE, "plans")
        at.follow(plans, "among ourselves")
        await at.answer(at.ask("join us", thread_ts=plans.ts))
        await at.answer(at.follow(plans, "and this?", by=BOB), 2)
        assert await at.stored() == ["join us", "and this?"]


async def test_what_was_said_among_others_before_the_bot_was_named_stays_theirs_though_told_again(
    tmp_path: Path, mode: str
) -> None:
    async with scene(tmp_path, mode=mode) as at:
        plans = at.team.say(GENERAL, ALICE, "plans")
        early = at.follow(plans, "among ourselves")
        await at.answer(at.ask("join us", thread_ts=plans.ts))
        for delivery in early.deliveries:
            at.slack.redeliver(delivery)
        await at.slack.dispatcher.settled()
        await at.answer(at.follow(plans, "and this?", by=BOB), 2)
        assert await at.stored() == ["join us", "and this?"]


async def test_other_bots_are_not_answered(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        for subtype in ("bot_message", None):
            at.team.other_bot_says(GENERAL, f"{at.team.mention} hello", subtype=subtype)
            at.team.other_bot_says(GENERAL, "hello", subtype=subtype, thread_ts=question.ts)
        await at.answer(at.follow(question, "two"), 2)
        assert await at.stored() == ["one", "two"]


@pytest.mark.parametrize("subtype", ["bot_message", None])
async def test_other_bots_are_answered_where_the_settings_say_so(
    tmp_path: Path, mode: str, subtype: str | None
) -> None:
    async with scene(tmp_path, mode=mode, answer_bots=True) as at:
        said = at.team.other_bot_says(GENERAL, f"{at.team.mention} the build is red", subtype=subtype)
        assert (await at.answer(said)).shown.endswith("the build is red")


async def test_the_bot_does_not_hear_itself(tmp_path: Path, mode: str) -> None:
    """Its own messages, and every edit of them, come back to it as events."""
    async with scene(tmp_path, mode=mode, answer_bots=True) as at:
        assert at.slack.hub.echo
        question, private = at.ask("one"), at.tell("two")
        await at.answer(question)
        await at.answer(private)
        await at.answer(at.follow(question, "three"), 2)
        await at.slack.settled()
        assert sorted(await at.stored()) == ["one", "three", "two"]


async def test_people_are_called_by_their_names(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered(f"is <@{BOB}> in <#{GENERAL}|general>? see <https://a.b/c|the page>, 1 &lt; 2 &amp; 3")
        assert at.heard().text == "alice: is @bob in #general? see [the page](https://a.b/c), 1 < 2 & 3"


async def test_a_name_that_cannot_be_found_out_is_the_id(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        at.slack.refuse("users.info", "missing_scope")
        await at.answered(f"is <@{BOB}> there?")
        assert at.heard().text == f"{ALICE}: is @{BOB} there?"


async def test_nothing_but_a_mention_is_a_question_too(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        assert (await at.answered("")).shown == "You said: alice: (says only your name)"


@pytest.mark.parametrize("hidden", [False, True])
async def test_files_are_read(tmp_path: Path, mode: str, *, hidden: bool) -> None:
    """Of a hidden one the event tells nothing but the id."""
    seeing = ScriptedModel(answer=echo, capabilities=replace(FUNCTION_CALLING, vision=True))
    async with scene(tmp_path, seeing, mode=mode) as at:
        text = Attached("codes.txt", b"the code is 007", hidden=hidden)
        await at.answered("look", files=[text, Attached("map.png", png(), hidden=hidden)])
        heard = at.heard()
        assert heard.images == (png(),)
        assert "the code is 007" in heard.text
        assert "codes.txt" in heard.text
        assert "map.png" in heard.text


async def test_a_file_without_a_word_is_a_question(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answer(at.tell("", files=[Attached("codes.txt", b"the code is 007")]))
        assert "the code is 007" in at.heard().text
        assert "says only" not in at.heard().text


async def test_a_reply_that_is_shown_in_the_channel_too_belongs_to_its_thread(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        await at.answer(at.follow(question, "two", broadcast=True), 2)
        assert at.past() == ["alice: one", "You said: alice: one", "alice: two"]


@pytest.mark.parametrize("trouble", ["login", "gone", "info"])
async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, mode: str, trouble: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        if trouble == "login":
            at.team.scopes.discard("files:read")
        if trouble == "info":
            at.slack.refuse("files.info", "missing_scope")
        question = at.ask("look", files=[Attached("codes.txt", b"the code is 007", hidden=trouble == "info")])
        if trouble == "gone":
            question.files[0].status = 500
        await at.answer(question)
        assert "007" not in at.heard().text
        assert ("file" if trouble == "info" else "codes.txt") in at.heard().text


@pytest.mark.parametrize("order", ["mention_first", "message_first"])
async def test_a_mention_is_one_turn_in_whatever_order_its_events_come(tmp_path: Path, mode: str, order: str) -> None:
    async with stage() as slack:
        slack.hub.mention_order = order  # type: ignore[assignment]  # one of its values
        slack.dispatcher.duplicate_share = 1.0
        async with bot_on(slack, tmp_path, mode=mode) as at:
            question = at.ask("one")
            await at.answer(question)
            await at.slack.settled()
            assert len(question.deliveries) == 2
            assert all(len(delivery.attempts) == 2 for delivery in question.deliveries)
            assert await at.stored() == ["one"]
            assert len(at.said(question)) == 1


async def test_an_edit_replaces_a_question_whose_answer_has_not_begun(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["busy ", go_on, "no more"], answer=echo), mode=mode) as at:
        question = at.ask("one")
        second = at.follow(question, "tow")
        await at.until_stored("user_message", "one", "tow")
        at.team.edit(second, f"two for <@{BOB}>")
        await at.until_stored("user_message", "one", "two for @bob")
        go_on.set()
        assert (await at.answer(question, 2)).shown == "You said: alice: two for @bob"


async def test_an_edit_after_the_answer_has_begun_changes_nothing(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        at.team.edit(question, f"{at.team.mention} quite another question")
        await at.answer(at.follow(question, "two"), 2)
        assert await at.stored() == ["one", "two"]


async def test_a_preview_under_a_waiting_question_is_no_edit(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["busy ", go_on], answer=echo), mode=mode) as at:
        question = at.ask("one")
        second = at.follow(question, f"{at.team.mention} see https://example.com")
        await at.until_stored("user_message", "one", "see https://example.com")
        at.team.unfurl(second)
        await at.slack.settled()
        go_on.set()
        await at.answer(question, 2)
        assert await at.stored() == ["one", "see https://example.com"]


async def test_deleting_a_waiting_question_cancels_it(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["busy ", go_on, "no more"], answer=echo), mode=mode) as at:
        question = at.ask("one")
        second = at.follow(question, "two")
        await at.until_stored("status", "running", "queued")
        at.team.delete(second)
        await at.until_stored("status", "running", "cancelled")
        at.follow(question, "three")
        go_on.set()
        assert (await at.answer(question, 2)).shown == "You said: alice: three"
        await at.until_stored("status", "answered", "cancelled", "answered")


async def test_deleting_a_question_stops_its_answer(tmp_path: Path, mode: str) -> None:
    """The first message of a thread stays behind as a tombstone."""
    never = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["Well, ", never], answer=echo), mode=mode) as at:
        question = at.ask("one")
        await at.shows(question, "Well")
        at.team.delete(question)
        assert (await at.answer(question)).shown == "Well,\n\n*(stopped)*"
        await at.until_stored("status", "stopped")

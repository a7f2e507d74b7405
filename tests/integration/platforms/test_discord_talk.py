"""Talking to the bot in the fake Discord: where it answers, when it is silent, and what becomes of edits."""

import asyncio
import logging
from pathlib import Path

import pytest

from tests.discord_scene import bot_on, scene, stage
from tests.fakes.discord import Intent, P
from tests.fakes.discord.state import Kind
from tests.fakes.scripted_model import ScriptedModel, echo


async def test_a_direct_message_is_answered(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        dm = at.discord.dm(at.alice)
        at.discord.say(dm, at.alice, "hello")
        assert (await at.answer(dm)).content == "You said: hello"


async def test_a_direct_message_is_one_conversation(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        dm = at.discord.dm(at.alice)
        at.discord.say(dm, at.alice, "one")
        await at.answer(dm)
        at.discord.say(dm, at.alice, "two")
        await at.answer(dm, 2)
        assert [message.text for message in at.model.requests[-1].messages[1:]] == ["one", "You said: one", "two"]


async def test_a_mention_opens_a_thread_named_after_the_question(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        question = at.ask("what is **new**?\nI was away")
        thread = await at.thread_of(question)
        assert (thread.name, thread.parent) == ("what is new?", at.general)
        assert (await at.answer(thread)).content == "You said: Alice: what is **new**?\nI was away"
        assert at.discord.messages(at.general, by=at.discord.bot) == []


async def test_each_mention_opens_a_conversation_of_its_own(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        for text in ("one", "two"):
            await at.answered(text)
        assert len(at.discord.threads(at.general)) == 2
        assert [message.text for message in at.model.requests[-1].messages[1:]] == ["Alice: two"]


async def test_in_its_own_thread_no_mention_is_needed_and_the_model_knows_who_said_what(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = await at.thread_of(at.ask("one"))
        await at.answer(thread)
        at.discord.say(thread, at.bob, "two")
        assert (await at.answer(thread, 2)).content == "You said: Bob: two"
        past = [message.text for message in at.model.requests[-1].messages[1:]]
        assert past == ["Alice: one", "You said: Alice: one", "Bob: two"]


async def test_a_nickname_is_the_name_in_its_server(tmp_path: Path) -> None:
    async with stage() as set_:
        set_.guild.members[set_.alice.id].nick = "Agent A"
        async with bot_on(set_, tmp_path) as at:
            await at.answered("one")
            assert at.heard().text == "Agent A: one"


async def test_what_is_not_for_the_bot_is_not_answered(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.discord.say(at.general, at.bob, "good morning all")
        at.discord.say(at.general, at.alice, f"{at.bob.mention} hello {at.me}")
        at.discord.say(at.general, at.alice, "@everyone hello")
        await at.answered("and now you")
        assert await at.stored() == ["and now you"]


async def test_a_message_in_its_thread_that_opens_for_somebody_else_is_not_answered(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = await at.thread_of(at.ask("one"))
        await at.answer(thread)
        at.discord.say(thread, at.alice, f"{at.bob.mention} what do you think?")
        at.discord.say(thread, at.alice, f"{at.bob.mention} {at.me} both of you?")
        await at.answer(thread, 2)
        assert await at.stored() == ["one", "@Bob both of you?"]


async def test_a_mention_of_the_bots_role_is_a_mention_of_the_bot(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        role = next(role for role in at.guild.roles.values() if role.bot_id == at.discord.bot.id)
        question = at.discord.say(at.general, at.alice, f"<@&{role.id}> hello")
        await at.answer(await at.thread_of(question))
        assert await at.stored() == ["hello"]


async def test_a_post_in_a_forum_is_answered_where_it_mentions_the_bot(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        forum = at.discord.make_forum(at.guild)
        post = at.discord.make_post(forum, at.alice, "Which gadget?", f"{at.me} I need one")
        assert (await at.answer(post)).content == "You said: Alice: I need one"
        at.discord.say(post, at.bob, "me too")
        assert (await at.answer(post, 2)).content == "You said: Bob: me too"


async def test_a_thread_of_others_is_answered_from_the_first_mention_on(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = at.discord.make_thread(at.general, at.alice, "plans")
        at.discord.say(thread, at.alice, "among ourselves")
        at.ask("join us", channel=thread)
        await at.answer(thread)
        at.discord.say(thread, at.bob, "and this?")
        await at.answer(thread, 2)
        assert await at.stored() == ["join us", "and this?"]


async def test_a_thread_of_others_is_left_alone_when_its_mission_has_ended(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = at.discord.make_thread(at.general, at.alice, "plans")
        at.ask("join us", channel=thread)
        await at.answer(thread)
        asked = await at.mission(at.alice, thread, "end")
        await at.turned(at.alice, asked, "end")
        at.discord.say(thread, at.alice, "among ourselves again")
        at.ask("come back", channel=thread)
        await at.answer(thread, 2)
        assert await at.stored() == ["join us", "come back"]


async def test_a_private_thread_is_answered_and_is_a_place_of_its_own(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = at.discord.changes.open_thread(at.general, at.alice, "secret", kind=Kind.PRIVATE_THREAD)
        at.ask("psst", channel=thread)
        assert (await at.answer(thread)).content == "You said: Alice: psst"
        (mission,) = await at.bot.core.commands.listing(at.place(), limit=5)
        assert (mission.channel, mission.thread) == (str(thread.id), str(thread.id))
        refused = await at.mission(at.bob, at.general, "show", id=mission.id)
        assert refused.content == "I know no such mission. `/mission list` shows yours."


async def test_an_archived_thread_is_woken_by_the_question(tmp_path: Path) -> None:
    async with stage() as set_:
        thread = set_.discord.make_thread(set_.general, set_.alice, "old plans")
        set_.discord.archive(thread)
        async with bot_on(set_, tmp_path) as at:
            at.ask("once more", channel=thread)
            assert (await at.answer(thread)).content == "You said: Alice: once more"
            (mission,) = await at.bot.core.commands.listing(at.place(), limit=5)
            assert (mission.channel, mission.thread) == (str(at.general.id), str(thread.id))


async def test_where_no_thread_may_be_opened_the_answer_is_a_reply_in_the_channel(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.discord.permit(at.general, deny=P.CREATE_PUBLIC_THREADS)
        question = at.ask("one")
        answer = await at.answer(at.general)
        assert (answer.content, answer.reply_to) == ("You said: Alice: one", question)


async def test_an_edit_replaces_a_question_whose_answer_has_not_begun(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["busy ", go_on, "no more"], answer=echo)) as at:
        thread = await at.thread_of(at.ask("one"))
        second = at.discord.say(thread, at.alice, "tow")
        await at.until_stored("user_message", "one", "tow")
        at.discord.edit(second, "two")
        await at.until_stored("user_message", "one", "two")
        go_on.set()
        assert (await at.answer(thread, 2)).content == "You said: Alice: two"


async def test_an_edit_after_the_answer_has_begun_changes_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        question = at.ask("one")
        thread = await at.thread_of(question)
        await at.answer(thread)
        at.discord.edit(question, f"{at.me} quite another question")
        at.ask("two", channel=thread)
        await at.answer(thread, 2)
        at.ask("three")
        await at.until_stored("user_message", "one", "two", "three")


async def test_deleting_a_waiting_question_cancels_it(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["busy ", go_on, "no more"], answer=echo)) as at:
        thread = await at.thread_of(at.ask("one"))
        second = at.discord.say(thread, at.alice, "two")
        await at.until_stored("status", "running", "queued")
        at.discord.delete(second)
        await at.until_stored("status", "running", "cancelled")
        at.discord.say(thread, at.alice, "three")
        go_on.set()
        assert (await at.answer(thread, 2)).content == "You said: Alice: three"
        await at.until_stored("status", "answered", "cancelled", "answered")


async def test_deleting_a_question_stops_its_answer(tmp_path: Path) -> None:
    never = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["Well, ", never], answer=echo)) as at:
        question = at.ask("one")
        thread = await at.thread_of(question)
        await at.discord.wait_for(lambda: any("Well" in m.content for m in at.discord.messages(thread)))
        at.discord.delete(question)
        assert (await at.answer(thread)).content == "Well,\n\n*(stopped)*"
        await at.until_stored("status", "stopped")


@pytest.mark.parametrize("bulk", [False, True])
async def test_a_message_deleted_before_it_was_a_question_changes_nothing(tmp_path: Path, *, bulk: bool) -> None:
    async with scene(tmp_path) as at:
        said = at.discord.say(at.general, at.alice, "nothing")
        if bulk:
            deleted = {"ids": [str(said.id)], "channel_id": str(at.general.id), "guild_id": str(at.guild.id)}
            at.discord.changes.tell("MESSAGE_DELETE_BULK", at.general, deleted)
        else:
            at.discord.delete(said)
        await at.answered("hello")
        await at.until_stored("status", "answered")


async def test_without_the_content_intent_mentions_and_direct_messages_are_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(allowed_intents=Intent(0)) as set_, bot_on(set_, tmp_path) as at:
        thread = await at.thread_of(at.ask("one"))
        await at.answer(thread)
        at.discord.say(thread, at.alice, "withheld")
        at.ask("two", channel=thread)
        await at.answer(thread, 2)
        at.discord.say(at.discord.dm(at.alice), at.alice, "three")
        await at.answer(at.discord.dm(at.alice))
        assert await at.stored() == ["one", "two", "three"]
    told = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [line for line in told if "Privileged Gateway Intents > Message Content Intent" in line]


async def test_the_bot_does_not_answer_itself_where_bots_are_answered(tmp_path: Path) -> None:
    """The bot's own messages come back to it as events."""
    async with scene(tmp_path, answer_bots=True) as at:
        thread = await at.thread_of(at.ask("one"))
        await at.answer(thread)
        at.discord.say(thread, at.alice, "two")
        await at.answer(thread, 2)
        assert await at.stored() == ["one", "two"]

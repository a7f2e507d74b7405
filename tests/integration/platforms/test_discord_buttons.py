"""The buttons on an answer in the fake Discord: who may press them, what they do, also after a restart."""

import asyncio
from pathlib import Path
from typing import Any

from tests.discord_scene import Scene, bot_on, scene, stage
from tests.fakes.discord import Channel, Message, P
from tests.fakes.discord.drafts import Draft
from tests.fakes.scripted_model import ScriptedModel, echo

TEXT = "The eagle has landed. "


async def growing(at: Scene, question: Message) -> Message:
    """The answer to a question, as soon as there is some text of it."""
    channel = await at.thread_of(question)
    await at.discord.wait_for(lambda: any("eagle" in message.content for message in at.discord.messages(channel)))
    (message,) = at.discord.messages(channel, by=at.discord.bot)
    return message


def shown_elsewhere(at: Scene, message: Message, channel: Channel) -> Message:
    """The same buttons in another place: nobody but the bot can put them there, and they must not work there."""
    copied: list[dict[str, Any]] = message.components
    return at.discord.changes.post(channel, at.discord.bot, Draft("copied", components=copied, flags=message.flags))


async def test_stop_keeps_the_text_so_far(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel([TEXT, asyncio.Event()])) as at:
        message = await growing(at, at.ask("one"))
        await at.press(at.alice, message, "stop").acknowledged()
        assert (await at.answer(message.channel)).content == f"{TEXT.strip()}\n\n*(stopped)*"
        await at.until_stored("status", "stopped")


async def test_everybody_in_the_thread_may_stop(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel([TEXT, asyncio.Event()])) as at:
        message = await growing(at, at.ask("one"))
        at.press(at.bob, message, "stop")
        assert (await at.answer(message.channel)).content.endswith("*(stopped)*")


async def test_who_is_denied_does_not_stop(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with stage() as set_:
        model = ScriptedModel([TEXT, go_on, "More."])
        async with bot_on(set_, tmp_path, model, deny_users=[str(set_.bob.id)]) as at:
            message = await growing(at, at.ask("one"))
            refused = await at.press(at.bob, message, "stop").followup()
            assert (refused.content, refused.ephemeral) == ("You may not use me here.", True)
            go_on.set()
            assert (await at.answer(message.channel)).content == f"{TEXT}More."


async def test_a_stop_from_another_channel_or_server_stops_nothing(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with stage() as set_:
        other = set_.discord.make_guild("Elsewhere")
        set_.discord.join(other, set_.bob)
        places = [set_.discord.make_text_channel(each) for each in (set_.guild, other)]
        async with bot_on(set_, tmp_path, ScriptedModel([TEXT, go_on, "More."])) as at:
            message = await growing(at, at.ask("one"))
            for place in places:
                refused = await at.press(at.bob, shown_elsewhere(at, message, place), "stop").followup()
                assert (refused.content, refused.ephemeral) == ("I know no such answer.", True)
            go_on.set()
            assert (await at.answer(message.channel)).content == f"{TEXT}More."


async def test_a_stop_that_comes_too_late_says_so(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel([TEXT, go_on])) as at:
        message = await growing(at, at.ask("one"))
        seen = shown_elsewhere(at, message, message.channel)
        go_on.set()
        await at.until_stored("status", "answered")
        assert (await at.press(at.alice, seen, "stop").followup()).content == "This answer is complete already."
        assert message.content.strip() == TEXT.strip()


async def test_buttons_survive_a_restart(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            message = await at.answered("one")
            await at.until_stored("status", "answered")
        async with bot_on(set_, tmp_path) as at:
            noted = await at.press(at.alice, message, "up").followup()
            assert (noted.content, noted.ephemeral) == ("Thank you, noted.", True)
            assert await at.stored("rating") == [1]
            at.press(at.alice, message, "again")
            assert (await at.answer(message.channel, 2)).content == "You said: Alice: one"


async def test_an_answer_is_stopped_after_a_restart(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path, ScriptedModel([TEXT, asyncio.Event()])) as at:
            message = await growing(at, at.ask("one"))
            await at.bot.kill()
            await at.until_stored("status", "running")
        async with bot_on(set_, tmp_path, ScriptedModel([TEXT, asyncio.Event()])) as at:
            await at.discord.wait_for(lambda: at.model.requests)
            at.press(at.alice, message, "stop")
            assert (await at.answer(message.channel)).content.endswith("*(stopped)*")
            assert at.discord.messages(message.channel, by=at.discord.bot) == [message]


async def test_the_last_rating_counts(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        message = await at.answered("one")
        for what, rating in (("up", 1), ("down", -1)):
            await at.press(at.bob, message, what).followup()
            assert await at.stored("rating") == [rating]


async def test_a_rating_from_another_server_is_refused(tmp_path: Path) -> None:
    async with stage() as set_:
        other = set_.discord.make_guild("Elsewhere")
        set_.discord.join(other, set_.alice)
        lobby = set_.discord.make_text_channel(other, "lobby")
        async with bot_on(set_, tmp_path) as at:
            message = await at.answered("one")
            refused = await at.press(at.alice, shown_elsewhere(at, message, lobby), "up").followup()
            assert refused.content == "I know no such answer."
            assert await at.stored("rating") == [None]


async def test_regenerate_answers_anew_and_the_model_remembers_one_of_both(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(["First answer."], ["Second answer."], answer=echo)) as at:
        message = await at.answered("one")
        await at.until_stored("status", "answered")
        at.press(at.alice, message, "again")
        second = await at.answer(message.channel, 2)
        assert (message.content, second.content) == ("First answer.", "Second answer.")
        assert [each.text for each in at.model.requests[1].messages[1:]] == ["Alice: one"]
        at.discord.say(message.channel, at.alice, "two")
        await at.answer(message.channel, 3)
        told = [each.text for each in at.model.requests[2].messages[1:]]
        assert told == ["Alice: one", "Second answer.", "Alice: two"]


async def test_where_regenerating_fails_the_model_remembers_the_first_answer(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(["First answer."], [RuntimeError()], answer=echo)) as at:
        message = await at.answered("one")
        await at.until_stored("status", "answered")
        at.press(at.alice, message, "again")
        await at.answer(message.channel, 2)
        at.discord.say(message.channel, at.alice, "two")
        await at.answer(message.channel, 3)
        told = [each.text for each in at.model.requests[2].messages[1:]]
        assert told == ["Alice: one", "First answer.", "Alice: two"]


async def test_only_the_asker_may_regenerate(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        message = await at.answered("one")
        await at.until_stored("status", "answered")
        refused = await at.press(at.bob, message, "again").followup()
        assert (refused.content, refused.ephemeral) == ("Only who asked may have this answered again.", True)
        assert await at.stored() == ["one"]


async def test_an_admin_may_regenerate(tmp_path: Path) -> None:
    async with stage() as set_:
        set_.discord.join(set_.guild, set_.bob, set_.discord.make_role(set_.guild, "admins", P.ADMINISTRATOR))
        async with bot_on(set_, tmp_path) as at:
            message = await at.answered("one")
            await at.until_stored("status", "answered")
            at.press(at.bob, message, "again")
            await at.answer(message.channel, 2)


async def test_only_the_latest_answer_is_regenerated(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        first = await at.answered("one")
        at.discord.say(first.channel, at.alice, "two")
        await at.answer(first.channel, 2)
        await at.until_stored("status", "answered", "answered")
        refused = await at.press(at.alice, first, "again").followup()
        assert refused.content == "Only the latest answer of an active mission can be made again."


async def test_two_clicks_on_regenerate_act_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        message = await at.answered("one")
        await at.until_stored("status", "answered")
        clicks = [at.press(at.alice, message, "again") for _ in range(2)]
        await at.answer(message.channel, 2)
        await at.discord.wait_for(lambda: any(click.followups for click in clicks))
        assert await at.stored() == ["one", "one"]


async def test_a_repeated_click_on_regenerate_acts_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        message = await at.answered("one")
        await at.until_stored("status", "answered")
        click = at.press(at.alice, message, "again")
        await at.answer(message.channel, 2)
        at.discord.tell_interaction(click)
        at.discord.say(message.channel, at.alice, "two")
        await at.answer(message.channel, 3)
        assert await at.stored() == ["one", "one", "two"]


async def test_the_buttons_of_a_direct_message_work(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        dm = at.discord.dm(at.alice)
        at.discord.say(dm, at.alice, "hello")
        message = await at.answer(dm)
        await at.until_stored("status", "answered")
        await at.press(at.alice, message, "down").followup()
        assert await at.stored("rating") == [-1]
        at.press(at.alice, message, "again")
        await at.answer(dm, 2)

"""After the bot, or Discord, was away: every question is answered once, in order, whatever happened in between."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest

from storage import watermarks
from storage.sqlite import SQLiteDatabase
from tests.discord import WAITS
from tests.discord_scene import Stage, bot_on, other_guild, said, stage, told
from tests.fakes.scripted_model import ScriptedModel

MESSAGES = "/channels/{channel_id}/messages"


async def was_here(at: Stage, path: Path, since: timedelta) -> None:
    """The bot has read everything up to that long ago."""
    moment = discord.utils.time_snowflake(datetime.now(UTC) - since)
    async with SQLiteDatabase(str(path / "bot.db")) as database:
        await database.write(watermarks.advance, "discord", "", str(at.discord.bot.id), str(moment))


# The same message again


async def test_a_message_told_again_is_not_answered_again(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            question = at.ask("one")
            at.discord.redeliver(question)
            thread = await at.thread_of(question)
            await at.answer(thread)
            at.discord.redeliver(question)
            at.discord.kick(op=7)
            await at.discord.wait_for(lambda: at.discord.counts.resumes)
            at.discord.redeliver(question)
            at.discord.say(thread, at.alice, "two")
            await at.answer(thread, 2)
        async with bot_on(set_, tmp_path) as at:
            at.discord.redeliver(question)
            at.discord.say(thread, at.alice, "three")
            await at.answer(thread, 3)
            assert said(at, thread) == told("one", "two", "three")
            assert await at.stored("event_key") != []
            assert len(await at.stored("event_key")) == 3


# After downtime


async def test_who_wrote_while_the_bot_was_away_has_the_same_name_as_always(tmp_path: Path) -> None:
    async with stage() as set_:
        set_.guild.members[set_.alice.id].nick = "Agent A"
        async with bot_on(set_, tmp_path):
            pass
        question = set_.ask("one")
        async with bot_on(set_, tmp_path) as at:
            await at.answer(await at.thread_of(question))
            assert at.heard().text == "Agent A: one"


async def test_what_was_said_among_others_before_the_bot_was_named_stays_theirs_though_read_late(
    tmp_path: Path,
) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path):
            pass
        thread = set_.discord.make_thread(set_.general, set_.alice, "plans")
        early = set_.discord.say(thread, set_.alice, "among ourselves")
        set_.ask("join us", channel=thread)
        set_.discord.say(thread, set_.bob, "and this?")
        async with bot_on(set_, tmp_path) as at:
            await at.answer(thread, 2)
            at.discord.redeliver(early)
            at.discord.say(thread, at.alice, "and that?")
            await at.answer(thread, 3)
            assert await at.stored() == ["join us", "and this?", "and that?"]


async def test_what_was_said_while_the_bot_was_away_is_answered_in_order(tmp_path: Path) -> None:
    async with stage() as set_:
        direct = set_.discord.dm(set_.alice)
        forum = set_.discord.make_forum(set_.guild)
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
            at.discord.say(direct, at.alice, "private one")
            await at.answer(direct)
        for text in ("two", "three", "four"):
            set_.discord.say(thread, set_.alice, text)
        set_.discord.say(direct, set_.alice, "private two")
        question = set_.ask("in the channel")
        post = set_.discord.make_post(forum, set_.alice, "Help", f"{set_.me} in the forum")
        async with bot_on(set_, tmp_path) as at:
            await at.answers(thread, 4)
            await at.answer(direct, 2)
            await at.answer(await at.thread_of(question))
            await at.answer(post)
            assert said(at, thread) == told("one", "two", "three", "four")
            assert said(at, direct) == ["You said: private one", "You said: private two"]
            assert said(at, at.discord.world.channels[question.id]) == told("in the channel")
            assert said(at, post) == told("in the forum")


async def test_questions_from_the_time_away_pass_the_same_gate(tmp_path: Path) -> None:
    async with stage() as set_:
        fake, guild = set_.discord, set_.guild
        trusted, banned = fake.make_role(guild, "trusted"), fake.make_role(guild, "banned")
        carol, dave, robot = fake.make_user("carol"), fake.make_user("dave"), fake.make_user("robot", guild, bot=True)
        fake.join(guild, carol, trusted)
        fake.join(guild, dave, trusted, banned)
        settings: dict[str, Any] = {
            "allow_roles": (str(trusted.id),),
            "deny_roles": (str(banned.id),),
            "allow_users": (str(set_.alice.id), str(robot.id)),
        }
        async with bot_on(set_, tmp_path, **settings) as at:
            thread = (await at.answered("one")).channel
        fake.say(set_.general, set_.alice, "not for you")
        fake.say(set_.general, set_.alice, f"{carol.mention}, ask {set_.me}")
        for user in (set_.bob, dave, robot):
            set_.ask("let me in", by=user)
            fake.say(thread, user, "let me in")
        fake.say(thread, carol, "two")
        question = set_.ask("three", by=carol)
        async with bot_on(set_, tmp_path, **settings) as at:
            await at.answer(await at.thread_of(question))
            await at.answer(thread, 2)
            assert sorted(await at.stored()) == ["one", "three", "two"]


async def test_who_left_the_server_meanwhile_is_not_answered(tmp_path: Path) -> None:
    async with stage() as set_:
        settings: dict[str, Any] = {"deny_roles": (str(set_.discord.make_role(set_.guild, "banned").id),)}
        async with bot_on(set_, tmp_path, **settings) as at:
            await at.answered("one")
        set_.ask("bye", by=set_.bob)
        question = set_.ask("hello")
        del set_.guild.members[set_.bob.id]
        async with bot_on(set_, tmp_path, **settings) as at:
            await at.answer(await at.thread_of(question))
            assert await at.stored() == ["one", "hello"]


async def test_questions_older_than_the_settings_say_are_not_looked_for(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        set_.discord.say(thread, set_.alice, "old")
        async with bot_on(set_, tmp_path, catch_up_hours=0) as at:
            at.discord.say(thread, at.alice, "new")
            await at.answer(thread, 2)
            assert said(at, thread) == told("one", "new")


async def test_of_very_many_messages_only_the_latest_are_looked_at_and_the_log_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        for text in ("two", "three", "four", "five"):
            set_.discord.say(thread, set_.alice, text)
        async with bot_on(set_, tmp_path, catch_up_messages=2) as at:
            await at.answer(thread, 3)
            assert said(at, thread) == told("one", "four", "five")
        assert "more than 2 messages were missed" in caplog.text


async def test_on_the_very_first_start_nothing_is_looked_for(tmp_path: Path) -> None:
    async with stage() as set_:
        set_.ask("before you came")
        async with bot_on(set_, tmp_path) as at:
            await at.answered("hello")
            assert await at.stored() == ["hello"]


async def test_a_first_session_that_breaks_at_once_loses_nothing(tmp_path: Path) -> None:
    async with stage() as set_, bot_on(set_, tmp_path, connected=False, waits=replace(WAITS, guilds=0.3)) as at:
        await set_.discord.wait_for(lambda: set_.discord.counts.identifies)
        set_.discord.kick(op=9, resumable=False)
        await at.answered("said into the gap")


async def test_a_thread_archived_while_the_bot_was_away_is_read_as_well(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        (tmp_path / "bot.db").unlink()
        await was_here(set_, tmp_path, timedelta(hours=3))
        set_.discord.say(thread, set_.alice, f"{set_.me} two")
        set_.discord.archive(thread)
        async with bot_on(set_, tmp_path) as at:
            await at.discord.wait_for(lambda: "You said: Alice: two" in said(at, thread))


async def test_a_question_answered_by_half_is_answered_once(tmp_path: Path) -> None:
    async with stage() as set_:
        never = asyncio.Event()
        async with bot_on(set_, tmp_path, ScriptedModel(["Half ", never])) as at:
            thread = await at.thread_of(at.ask("one"))
            await at.discord.wait_for(lambda: any("Half" in text for text in said(at, thread)))
            await at.bot.kill()
        set_.discord.say(thread, set_.alice, "two")
        async with bot_on(set_, tmp_path) as at:
            await at.answer(thread, 2)
            assert said(at, thread) == told("one", "two")


# Without a restart


@pytest.mark.parametrize("shards", [1, 2])
async def test_after_a_session_that_discord_forgot_the_missed_is_read_without_a_restart(
    tmp_path: Path, shards: int
) -> None:
    async with stage(shards=shards) as set_:
        direct = set_.discord.dm(set_.alice)
        other = other_guild(set_, shards)
        async with bot_on(set_, tmp_path) as at:
            await at.discord.connected(shards)
            thread = (await at.answered("one")).channel
            elsewhere = (await at.answered("one", channel=other)).channel
            at.discord.say(direct, at.alice, "private one")
            await at.answer(direct)
            at.discord.pause_gateway()
            at.discord.say(thread, at.alice, "two")
            at.discord.say(elsewhere, at.alice, "two")
            at.discord.say(direct, at.alice, "private two")
            question = at.ask("three")
            at.discord.unpause_gateway()
            for channel in (thread, elsewhere, direct):
                await at.answer(channel, 2)
            await at.answer(await at.thread_of(question))
            assert said(at, thread) == told("one", "two")
            assert said(at, elsewhere) == told("one", "two")
            assert said(at, direct) == ["You said: private one", "You said: private two"]


async def test_what_is_said_while_the_missed_is_read_is_answered_after_it(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        set_.discord.say(thread, set_.alice, "two")
        hold = set_.discord.hold_next("GET", MESSAGES, channel=thread)
        async with bot_on(set_, tmp_path) as at:
            await hold.reached.wait()
            at.discord.say(thread, at.alice, "three")
            await at.answered("elsewhere")
            hold.release()
            await at.answers(thread, 3)
            assert said(at, thread) == told("one", "two", "three")


async def test_what_is_said_while_the_session_begins_is_answered_after_the_missed(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        set_.discord.say(thread, set_.alice, "two")
        async with bot_on(set_, tmp_path, waits=replace(WAITS, guilds=0.3)) as at:
            third = at.discord.say(thread, at.alice, "three")
            at.discord.edit(third, "three!")
            await at.answers(thread, 3)
            assert said(at, thread) == told("one", "two", "three!")

"""After the bot, or Discord, was away: every question is answered once, in order, whatever happened in between."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest

from storage import watermarks
from storage.sqlite import SQLiteDatabase
from tests.discord import WAITS
from tests.discord_scene import Scene, Stage, bot_on, scene, stage
from tests.fakes.discord import Channel, Guild, Message, P, User
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.waiting import until

MESSAGES = "/channels/{channel_id}/messages"
MINUTES = 600
"""Seconds: longer than Discord remembers a nonce, and than the positions that are read from overlap."""


def said(at: Stage, channel: Channel) -> list[str]:
    return [each.content for each in at.discord.messages(channel, by=at.discord.bot)]


def told(*texts: str) -> list[str]:
    """What the bot says in a server to these questions of Alice's."""
    return [f"You said: Alice: {text}" for text in texts]


async def position(path: Path) -> int:
    async with SQLiteDatabase(str(path / "bot.db")) as database:
        ((_, _, found),) = await database.read(watermarks.of_platform, "discord")
    return int(found)


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


def other_guild(at: Stage, shards: int) -> Channel:
    """A channel of a server that is not on the first server's shard, if there are two."""
    for number in range(100):
        guild = at.discord.make_guild(f"Elsewhere {number}")
        if shards == 1 or (guild.id >> 22) % shards != (at.guild.id >> 22) % shards:
            at.discord.join(guild, at.alice)
            return at.discord.make_text_channel(guild, "other")
        at.discord.advance(0.001)
    raise AssertionError


async def test_what_is_said_while_the_missed_is_read_is_answered_after_it(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        set_.discord.say(thread, set_.alice, "two")
        hold = set_.discord.hold_next("GET", MESSAGES)
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


# How far everything was read


async def test_live_messages_do_not_move_the_position_while_the_missed_is_read(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        before = await position(tmp_path)
        set_.discord.say(thread, set_.alice, "two")
        hold = set_.discord.hold_next("GET", MESSAGES)
        set_.discord.advance(MINUTES)
        async with bot_on(set_, tmp_path) as at:
            await hold.reached.wait()
            await at.answered("elsewhere")
        assert await position(tmp_path) == before
        hold.release()
        async with bot_on(set_, tmp_path) as at:
            await at.answer(thread, 2)
            assert said(at, thread) == told("one", "two")
        assert await position(tmp_path) > before


async def test_a_channel_that_cannot_be_read_now_holds_the_position(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        before = await position(tmp_path)
        set_.discord.say(thread, set_.alice, "two")
        set_.discord.fail_next("GET", MESSAGES, status=503, times=100)
        set_.discord.advance(MINUTES)
        async with bot_on(set_, tmp_path) as at:
            direct = at.discord.dm(at.alice)
            at.discord.say(direct, at.alice, "elsewhere")
            await at.answer(direct)
            await at.discord.wait_for(lambda: len(at.discord.requests("GET", MESSAGES)) >= 2)
        assert await position(tmp_path) == before


async def test_the_position_stays_while_a_server_is_away_and_its_messages_are_read_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with stage() as set_:
        other = other_guild(set_, 1)
        assert other.guild is not None
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one", channel=other)).channel
            gone(at, other.guild)
            unheard(at, thread, at.alice, "two")
            at.discord.advance(MINUTES)
            await at.answered("here")
            before = await stopped_position(at, tmp_path)
        async with bot_on(set_, tmp_path) as at:
            await at.answer(thread, 2)
            gone(at, other.guild)
            unheard(at, thread, at.alice, "three")
            at.discord.advance(MINUTES)
            await at.answered("there")
            back(at, other.guild)
            at.discord.say(thread, at.alice, "four")
            await at.answer(thread, 4)
            assert said(at, thread) == told("one", "two", "three", "four")
            assert await stopped_position(at, tmp_path) > before


async def test_a_message_told_later_than_newer_ones_of_other_channels_survives_a_crash(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
            unheard(at, thread, at.alice, "two")
            await at.answered("three")
            await at.bot.kill()
        async with bot_on(set_, tmp_path) as at:
            await at.answer(thread, 2)
            assert said(at, thread) == told("one", "two")


def gone(at: Stage, guild: Guild) -> None:
    at.discord.gateway.dispatch("GUILD_DELETE", guild.id, {"id": str(guild.id), "unavailable": True})


def back(at: Stage, guild: Guild) -> None:
    for session in at.discord.gateway.connected:
        session.dispatch("GUILD_CREATE", at.discord.gateway.guild_created(guild, session))


def unheard(at: Stage, channel: Channel, user: User, text: str) -> Message:
    """Something that is said where the gateway does not tell."""
    heard, at.discord.gateway.sessions = at.discord.gateway.sessions, []
    message = at.discord.say(channel, user, text)
    at.discord.gateway.sessions = heard
    return message


async def stopped_position(at: Scene, path: Path) -> int:
    await at.bot.kill()
    rows = await at.bot.core.database.read(watermarks.of_platform, "discord")
    return int(rows[0][2])


async def test_the_position_stays_while_a_shard_is_away(tmp_path: Path) -> None:
    waits = replace(WAITS, identify=1.0)
    async with stage(shards=2) as set_:
        other = other_guild(set_, 2)
        assert other.guild is not None
        async with bot_on(set_, tmp_path, waits=waits) as at:
            await at.discord.connected(2)
            thread = (await at.answered("one", channel=other)).channel
            for connection in at.discord.gateway.connections:
                if connection.session and connection.session.serves(other.guild.id):
                    connection.session.ended = True
                    connection.say(9, data=False)
            await at.discord.wait_for(lambda: len(at.discord.gateway.connected) == 1)
            at.discord.say(thread, at.alice, "two")
            at.discord.advance(MINUTES)
            await at.answered("here")
            await at.bot.kill()
        async with bot_on(set_, tmp_path) as at:
            await at.answer(thread, 2)
            assert said(at, thread) == told("one", "two")


# The database is away


async def test_a_database_that_is_away_loses_nothing_and_the_asker_is_told_once(tmp_path: Path) -> None:
    wrapped: list[FailingDatabase] = []

    def wrap(database: SQLiteDatabase) -> FailingDatabase:
        wrapped.append(FailingDatabase(database))
        return wrapped[0]

    async with scene(tmp_path, wrap=wrap) as at:
        thread = (await at.answered("one")).channel
        wrapped[0].failing = True
        at.discord.say(thread, at.alice, "two")
        at.discord.say(thread, at.alice, "three")
        await at.discord.wait_for(lambda: any("cannot save" in text for text in said(at, thread)))
        failures = wrapped[0].writes
        await until(lambda: wrapped[0].writes >= failures + 2)
        wrapped[0].failing = False
        await at.answer(thread, 3)
        texts = said(at, thread)
        assert [text for text in texts if text.startswith("You said")] == told("one", "two", "three")
        assert len([text for text in texts if "cannot save" in text]) == 1
        assert len(texts) == 4


# Posted, and not remembered


def in_thread(at: Scene) -> Message:
    return at.ask("hello")


def in_private(at: Scene) -> Message:
    return at.discord.say(at.discord.dm(at.alice), at.alice, "hello")


def in_channel(at: Scene) -> Message:
    at.discord.permit(at.general, deny=P.CREATE_PUBLIC_THREADS)
    return at.ask("hello")


PLACES = [in_thread, in_private, in_channel]
PARAGRAPHS = ["a" * 1500, "b" * 1500, "c" * 1500]
LONG = "\n\n".join(PARAGRAPHS)


async def place(at: Scene, question: Message) -> Channel:
    in_thread_ = question.channel is at.general and at.discord.world.bot_may(at.general, P.CREATE_PUBLIC_THREADS)
    return await at.thread_of(question) if in_thread_ else question.channel


@pytest.mark.parametrize("later", [0, MINUTES])
@pytest.mark.parametrize("ask", PLACES)
async def test_a_first_part_posted_before_a_crash_is_found_and_edited(
    tmp_path: Path, ask: Callable[[Scene], Message], later: float
) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True)
            channel = await place(at, ask(at))
            await at.discord.wait_for(lambda: said(at, channel))
            await at.bot.kill()
        set_.discord.advance(later)
        async with bot_on(set_, tmp_path) as at:
            answer = await at.answer(channel)
            assert said(at, channel) == [answer.content]
            assert answer.content.endswith("hello")


@pytest.mark.parametrize("later", [0, MINUTES])
@pytest.mark.parametrize("ask", PLACES)
@pytest.mark.parametrize("part", [1, 2])
async def test_a_later_part_posted_before_a_crash_is_found(
    tmp_path: Path, ask: Callable[[Scene], Message], part: int, later: float
) -> None:
    async with stage() as set_:
        go_on = asyncio.Event()
        script: Script = ["Well: ", go_on, LONG]
        async with bot_on(set_, tmp_path, ScriptedModel(script)) as at:
            channel = await place(at, ask(at))
            await at.discord.wait_for(lambda: any("Well" in text for text in said(at, channel)))
            holds = [at.discord.hold_next("POST", MESSAGES) for _ in range(part - 1)]
            go_on.set()
            for hold in holds:
                await hold.reached.wait()
            at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True)
            for hold in holds:
                hold.release()
            await at.discord.wait_for(lambda: len(said(at, channel)) == part + 1)
            await at.bot.kill()
        set_.discord.advance(later)
        async with bot_on(set_, tmp_path, ScriptedModel()) as at:
            await at.answer(channel)
            assert said(at, channel) == [f"Well: {PARAGRAPHS[0]}", *PARAGRAPHS[1:]]


async def test_where_the_history_may_not_be_read_the_nonce_finds_what_was_posted(tmp_path: Path) -> None:
    async with stage() as set_:
        set_.discord.permit(set_.general, deny=P.READ_MESSAGE_HISTORY)
        async with bot_on(set_, tmp_path) as at:
            at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True, times=2)
            at.ask("hello")
            await at.discord.wait_for(lambda: said(at, at.general))
            await at.bot.kill()
        async with bot_on(set_, tmp_path) as at:
            await at.answer(at.general)
            assert said(at, at.general) == told("hello")


async def test_a_regenerated_answer_posted_before_a_crash_is_found_and_edited(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            first = await at.answered("hello")
            thread = first.channel
            at.discord.fail_next("POST", MESSAGES, status=None, after_effect=True)
            at.press(at.alice, first, "again")
            await at.discord.wait_for(lambda: len(said(at, thread)) == 2)
            await at.bot.kill()
        set_.discord.advance(MINUTES)
        async with bot_on(set_, tmp_path) as at:
            await at.discord.wait_for(lambda: said(at, thread)[1:] == told("hello"))
            await at.until_stored("status", "answered", "answered")
            assert said(at, thread) == told("hello", "hello")

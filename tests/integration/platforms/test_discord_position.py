"""How far everything was read is remembered, and never further: after a crash nothing is missing."""

from dataclasses import replace
from pathlib import Path

from storage import watermarks
from storage.sqlite import SQLiteDatabase
from tests.discord import WAITS
from tests.discord_scene import Scene, Stage, bot_on, other_guild, said, scene, stage, told
from tests.fakes.discord import Channel, Guild, Message, User
from tests.fakes.failing_database import FailingDatabase
from tests.waiting import until

MESSAGES = "/channels/{channel_id}/messages"
MINUTES = 600
"""Seconds: longer than Discord remembers a nonce, and than the positions that are read from overlap."""


async def position(path: Path) -> int:
    async with SQLiteDatabase(str(path / "bot.db")) as database:
        ((_, _, found),) = await database.read(watermarks.of_platform, "discord")
    return int(found)


async def test_live_messages_do_not_move_the_position_while_the_missed_is_read(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            thread = (await at.answered("one")).channel
        before = await position(tmp_path)
        set_.discord.say(thread, set_.alice, "two")
        hold = set_.discord.hold_next("GET", MESSAGES, channel=thread)
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
            await at.discord.wait_for(lambda: at.discord.requests("GET", MESSAGES))
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

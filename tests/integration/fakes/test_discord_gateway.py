"""The fake Discord's gateway, as the unmodified discord.py finds it."""

from typing import Any

import aiohttp
import discord
import pytest

from tests.discord_client import Recorder, all_intents, connected, pointed_at
from tests.fakes.discord import Channel, FakeDiscord, Intent, P, User
from tests.waiting import until


def place(fake: FakeDiscord) -> tuple[Channel, User]:
    guild = fake.make_guild("HQ")
    return fake.make_text_channel(guild, "general"), fake.make_user("alice", guild)


async def test_a_client_connects_compressed_and_hears_what_is_said() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            fake.say(channel, alice, "hello")
            message = await client.next_message()
            assert isinstance(message.channel, discord.TextChannel)
        assert (message.content, message.author.id, message.channel.id) == ("hello", alice.id, channel.id)


async def test_the_gateway_also_speaks_plain_text() -> None:
    async with (
        FakeDiscord.running() as fake,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{fake.gateway_url}?v=10&encoding=json") as socket,
    ):
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11


async def test_two_shards_share_the_guilds() -> None:
    async with FakeDiscord.running(shards=2) as fake:
        channels = [fake.make_text_channel(fake.make_guild(name)) for name in "abcdef"]
        async with connected(fake) as client:
            assert client.shard_count == 2
            assert {guild.id for guild in client.guilds} == {each.guild.id for each in channels if each.guild}


async def test_content_is_withheld_without_its_intent_except_where_the_bot_is_meant() -> None:
    async with FakeDiscord.running(allowed_intents=Intent(0)) as fake:
        channel, alice = place(fake)
        async with connected(fake, intents=discord.Intents.default()) as client:
            fake.say(channel, alice, "secret", attachments={"a.txt": b"a"})
            fake.say(channel, alice, f"{fake.bot.mention} open")
            fake.say(fake.dm(alice), alice, "private")
            heard = [await client.next_message() for _ in range(3)]
            fetched = [each.content async for each in heard[0].channel.history()]
    assert [each.content for each in heard] == ["", f"{fake.bot.mention} open", "private"]
    assert not heard[0].attachments
    assert fetched == [f"{fake.bot.mention} open", ""]


async def test_without_the_dm_intent_no_dm_is_heard() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        intents = all_intents()
        intents.dm_messages = False
        async with connected(fake, intents=intents) as client:
            fake.say(fake.dm(alice), alice, "private")
            fake.say(channel, alice, "public")
            assert (await client.next_message()).content == "public"


async def test_a_channel_that_the_bot_does_not_see_is_silent() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        assert channel.guild is not None
        hidden = fake.make_text_channel(channel.guild, "hidden")
        fake.permit(hidden, deny=P.VIEW_CHANNEL)
        async with connected(fake) as client:
            fake.say(hidden, alice, "psst")
            fake.say(channel, alice, "public")
            assert (await client.next_message()).content == "public"
            with pytest.raises(discord.Forbidden) as caught:
                await client.fetch_channel(hidden.id)
    assert caught.value.code == 50001


@pytest.mark.parametrize("how", [{}, {"op": 7}, {"op": 9}, {"code": 4000}, {"code": 1001}], ids=str)
async def test_after_a_drop_the_session_resumes_and_the_missed_is_told(how: dict[str, Any]) -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            fake.kick(**how)
            await fake.wait_for(lambda: not fake.gateway.connected)
            fake.say(channel, alice, "missed")
            assert (await client.next_message()).content == "missed"
            await fake.wait_for(lambda: fake.counts.resumes == 1)
        assert fake.counts.identifies == 1


@pytest.mark.parametrize("how", [{"op": 9, "resumable": False}, {"code": 4009}], ids=str)
async def test_an_invalid_session_begins_anew_without_what_was_missed(how: dict[str, Any]) -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            fake.kick(**how)
            await fake.wait_for(lambda: not fake.gateway.connected)
            fake.say(channel, alice, "missed")
            await fake.wait_for(lambda: fake.counts.identifies == 2 and fake.gateway.connected)
            fake.say(channel, alice, "heard")
            assert (await client.next_message()).content == "heard"


async def test_a_closed_client_has_nothing_replayed() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake):
            pass
        await fake.wait_for(lambda: not fake.gateway.connected)
        fake.say(channel, alice, "missed")
        async with connected(fake) as client:
            found = client.get_channel(channel.id)
            assert isinstance(found, discord.TextChannel)
            assert [each.content async for each in found.history()] == ["missed"]
            assert client.received.empty()
        assert fake.counts.close_codes == [1000, 1000]


async def test_what_is_said_while_the_gateway_is_away_is_only_in_the_history() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            fake.pause_gateway()
            await fake.wait_for(lambda: not fake.gateway.connected)
            fake.say(channel, alice, "missed")
            fake.unpause_gateway()
            await fake.wait_for(lambda: fake.counts.identifies == 2 and fake.gateway.connected)
            fake.say(channel, alice, "heard")
            assert (await client.next_message()).content == "heard"


async def test_a_message_can_be_told_twice() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            fake.redeliver(fake.say(channel, alice, "again"))
            assert (await client.next_message()).id == (await client.next_message()).id


async def test_a_wrong_token_is_refused_at_login() -> None:
    async with FakeDiscord.running() as fake, pointed_at(fake), Recorder(all_intents()) as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")


async def test_a_token_that_the_gateway_refuses_closes_with_4004() -> None:
    async with FakeDiscord.running() as fake, pointed_at(fake), Recorder(all_intents()) as client:
        await client.login(fake.token)
        fake.portal.token = "changed"
        client.shard_count = 1
        with pytest.raises(discord.ConnectionClosed) as caught:
            await client.connect()
    assert caught.value.code == 4004


async def test_an_intent_that_is_switched_off_in_the_portal_closes_with_4014() -> None:
    async with FakeDiscord.running(allowed_intents=Intent(0)) as fake:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            async with connected(fake):
                pass


async def test_members_are_told_on_request() -> None:
    async with FakeDiscord.running() as fake:
        _, alice = place(fake)
        async with connected(fake) as client:
            found = await client.guilds[0].query_members("ali")
    assert [member.id for member in found] == [alice.id]


async def test_heartbeats_are_acknowledged() -> None:
    async with FakeDiscord.running() as fake, connected(fake) as client:
        await fake.wait_for(lambda: fake.counts.heartbeats)
        await until(lambda: client.latency < float("inf"))

"""The fake Discord's REST API, as the unmodified discord.py finds it."""

import asyncio
import io

import aiohttp
import discord
import pytest

from tests.discord_client import connected
from tests.fakes.discord import Channel, FakeDiscord, Limits, P, User

SEND = ("POST", "/channels/{channel.id}/messages")
EDIT = ("PATCH", "/channels/{channel.id}/messages/{message.id}")


def place(fake: FakeDiscord) -> tuple[Channel, User]:
    guild = fake.make_guild("HQ")
    return fake.make_text_channel(guild, "general"), fake.make_user("alice", guild)


def text_channel(client: discord.Client, channel: Channel) -> discord.TextChannel:
    found = client.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    return found


async def test_a_message_is_sent_edited_and_deleted() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake, allowed_mentions=discord.AllowedMentions.none()) as client:
            asked = fake.say(channel, alice, "question")
            theirs = await client.next_message()
            mine = await theirs.reply("draft", suppress_embeds=True)
            await mine.edit(content="final")
            (posted,) = fake.messages(channel, by=fake.bot)
            assert (posted.contents, posted.edits, posted.reply_to) == (["draft", "final"], 1, asked)
            assert posted.mentions == []
            assert posted.flags & 4
            await mine.delete()
            assert fake.messages(channel, by=fake.bot) == []
            with pytest.raises(discord.NotFound) as caught:
                await mine.edit(content="late")
    assert caught.value.code == 10008


async def test_an_edit_pings_anew_whatever_the_message_was_sent_with() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            none = discord.AllowedMentions.none()
            sent = await text_channel(client, channel).send(alice.mention, allowed_mentions=none)
            (message,) = fake.messages(channel)
            assert message.mentions == []
            await sent.edit(content=f"{alice.mention}!")
            assert message.mentions == [alice]


async def test_pings_are_what_allowed_mentions_lets_through() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            there = text_channel(client, channel)
            await there.send(f"@everyone {alice.mention}")
            await there.send(f"@everyone {alice.mention}", allowed_mentions=discord.AllowedMentions.none())
    loud, quiet = fake.messages(channel)
    assert (loud.mentions, loud.mention_everyone) == ([alice], True)
    assert (quiet.mentions, quiet.mention_everyone) == ([], False)


@pytest.mark.parametrize(("text", "code"), [("x" * 2001, 50035), ("", 50006), (" \n", 50006)])
async def test_too_long_and_empty_messages_are_refused(text: str, code: int) -> None:
    async with FakeDiscord.running() as fake:
        channel, _ = place(fake)
        async with connected(fake) as client:
            with pytest.raises(discord.HTTPException) as caught:
                await text_channel(client, channel).send(text)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert fake.messages(channel) == []


async def test_the_same_nonce_finds_the_same_message_for_a_few_minutes() -> None:
    async with FakeDiscord.running() as fake:
        channel, _ = place(fake)
        async with connected(fake) as client:
            there = text_channel(client, channel)
            first = await there.send("once", nonce="turn-1")
            assert (await there.send("once", nonce="turn-1")).id == first.id
            fake.advance(200)
            assert (await there.send("once", nonce="turn-1")).id != first.id
    assert len(fake.messages(channel)) == 2


async def test_unknown_places_have_their_codes() -> None:
    async with FakeDiscord.running() as fake:
        channel, _ = place(fake)
        async with connected(fake) as client:
            with pytest.raises(discord.NotFound, match="10003"):
                await client.fetch_channel(1)
            with pytest.raises(discord.NotFound, match="10008"):
                await text_channel(client, channel).fetch_message(1)
            nowhere = discord.MessageReference(message_id=1, channel_id=channel.id)
            with pytest.raises(discord.HTTPException, match="50035"):
                await text_channel(client, channel).send("hi", reference=nowhere)
            nowhere.fail_if_not_exists = False
            assert (await text_channel(client, channel).send("hi", reference=nowhere)).reference is None


async def test_permissions_are_computed_from_overwrites() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        fake.permit(channel, deny=P.SEND_MESSAGES | P.CREATE_PUBLIC_THREADS)
        asked = fake.say(channel, alice, "question")
        async with connected(fake) as client:
            there = text_channel(client, channel)
            assert not there.permissions_for(there.guild.me).send_messages
            with pytest.raises(discord.Forbidden, match="50013"):
                await there.send("hi")
            with pytest.raises(discord.Forbidden, match="50013"):
                await there.create_thread(name="t", message=discord.Object(asked.id))


async def test_a_thread_has_its_messages_id_and_there_is_one_per_message() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            asked = fake.say(channel, alice, "question")
            message = await client.next_message()
            thread = await message.create_thread(name="question")
            with pytest.raises(discord.HTTPException) as caught:
                await message.create_thread(name="question")
            assert (thread.id, caught.value.code) == (asked.id, 160004)
            fake.say(fake.threads(channel)[0], alice, "more")
            more = await client.next_message()
            assert isinstance(more.channel, discord.Thread)
            await more.channel.send("answer")
    assert [each.content for each in fake.messages(fake.threads(channel)[0])] == ["more", "answer"]


async def test_archived_threads_wake_up_for_messages_but_not_for_edits() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        thread = fake.make_thread(channel, alice, "talk")
        async with connected(fake) as client:
            seen = client.get_channel(thread.id)
            assert isinstance(seen, discord.Thread)
            mine = await seen.send("first")
            fake.archive(thread)
            with pytest.raises(discord.HTTPException, match="50083"):
                await mine.edit(content="late")
            await seen.send("second")
            assert thread.thread is not None
            assert not thread.thread.archived
            fake.archive(thread, locked=True)
            with pytest.raises(discord.HTTPException, match="50083"):
                await seen.send("third")


async def test_a_thread_without_a_message_and_a_forum_post() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        assert channel.guild is not None
        forum = fake.make_forum(channel.guild)
        async with connected(fake) as client:
            thread = await text_channel(client, channel).create_thread(
                name="talk", type=discord.ChannelType.public_thread
            )
            await thread.edit(name="renamed", archived=True)
            there = client.get_channel(forum.id)
            assert isinstance(there, discord.ForumChannel)
            post = await there.create_thread(name="post", content="text")
            assert post.message.id == post.thread.id
            made = fake.make_post(forum, alice, "help", "please")
            while (message := await client.next_message()).channel.id != made.id:
                pass
            assert (message.content, message.id) == ("please", made.id)
    assert [each.name for each in fake.threads(channel)] == ["renamed"]


async def test_dms_and_closed_dms() -> None:
    async with FakeDiscord.running() as fake:
        _, alice = place(fake)
        async with connected(fake) as client:
            user = await client.fetch_user(alice.id)
            await user.send("hello")
            alice.accepts_dms = False
            with pytest.raises(discord.Forbidden, match="50007"):
                await user.send("hello")
    assert [each.content for each in fake.messages(fake.dm(alice))] == ["hello"]


async def test_history_is_paged_both_ways() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        said = [fake.say(channel, alice, str(number)) for number in range(230)]
        async with connected(fake) as client:
            there = text_channel(client, channel)
            after = discord.Object(said[9].id)
            later = [each.content async for each in there.history(after=after, oldest_first=True, limit=None)]
            newest = [each.content async for each in there.history(limit=3)]
            around = [each.content async for each in there.history(limit=3, around=discord.Object(said[100].id))]
    assert later == [str(number) for number in range(10, 230)]
    assert newest == ["229", "228", "227"]
    assert sorted(around) == ["100", "101", "99"]


async def test_files_go_up_and_come_down_until_their_address_expires() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            fake.say(channel, alice, "read this", attachments={"notes.txt": "grüße".encode()})
            (attachment,) = (await client.next_message()).attachments
            assert attachment.content_type == "text/plain; charset=utf-8"
            assert await attachment.read() == "grüße".encode()
            file = discord.File(io.BytesIO(b"rest"), "answer.md", description="the rest")
            sent = await text_channel(client, channel).send("see file", file=file)
            assert await sent.attachments[0].read() == b"rest"
            fake.expire_attachments()
            with pytest.raises(discord.NotFound):
                await attachment.read()
    (mine,) = fake.messages(channel, by=fake.bot)
    assert [(each.filename, each.data) for each in mine.attachments] == [("answer.md", b"rest")]


async def test_a_file_beyond_the_limit_is_refused() -> None:
    async with FakeDiscord.running(limits=Limits(file_bytes=10)) as fake:
        channel, _ = place(fake)
        async with connected(fake) as client:
            with pytest.raises(discord.HTTPException) as caught:
                await text_channel(client, channel).send(file=discord.File(io.BytesIO(b"x" * 11), "big.txt"))
    assert (caught.value.status, caught.value.code) == (413, 40005)


async def test_typing_and_reactions_are_seen() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            asked = fake.say(channel, alice, "question")
            message = await client.next_message()
            async with message.channel.typing():
                await message.add_reaction("👀")
                assert (channel.typing, asked.reactions) == ([fake.bot.id], {"👀": [fake.bot.id]})
            assert client.user is not None
            await message.remove_reaction("👀", client.user)
        assert asked.reactions == {}


async def test_edits_and_deletes_of_people_are_told() -> None:
    async with FakeDiscord.running() as fake:
        channel, alice = place(fake)
        async with connected(fake) as client:
            asked = fake.say(channel, alice, "question")
            await client.next_message()
            edit = asyncio.create_task(client.wait_for("message_edit", timeout=5))
            delete = asyncio.create_task(client.wait_for("raw_message_delete", timeout=5))
            await asyncio.sleep(0)
            fake.edit(asked, "better question")
            fake.delete(asked)
            assert (await edit)[1].content == "better question"
            assert (await delete).message_id == asked.id


async def test_announced_limits_are_kept_without_a_429() -> None:
    async with FakeDiscord.running() as fake:
        channel, _ = place(fake)
        fake.limit(*SEND, count=2, per=0.2)
        async with connected(fake) as client:
            for number in range(5):
                await text_channel(client, channel).send(str(number))
    assert [each.status for each in fake.requests(*SEND)] == [200] * 5


async def test_a_hidden_limit_is_slept_out() -> None:
    async with FakeDiscord.running() as fake:
        channel, _ = place(fake)
        fake.limit(*SEND, count=1, per=0.2, hidden=True)
        async with connected(fake) as client:
            for number in range(2):
                await text_channel(client, channel).send(str(number))
    assert [each.status for each in fake.requests(*SEND)] == [200, 429, 200]
    assert [each.content for each in fake.messages(channel)] == ["0", "1"]


async def test_a_global_limit_is_slept_out() -> None:
    async with FakeDiscord.running() as fake:
        channel, _ = place(fake)
        async with connected(fake) as client:
            fake.limit_globally(count=1, per=0.2)
            await text_channel(client, channel).send("0")
            await text_channel(client, channel).send("1")
    assert 429 in [each.status for each in fake.requests(*SEND)]


async def test_a_429_says_how_long_and_by_whom() -> None:
    async with (
        FakeDiscord.running() as fake,
        aiohttp.ClientSession(headers={"Authorization": "Bot fake-token"}) as http,
    ):
        fake.fail_next("GET", "/users/@me", status=429, retry_after=0.5)
        async with http.get(f"{fake.api_url}/users/@me") as response:
            assert (response.status, response.headers["Via"], response.headers["Retry-After"]) == (
                429,
                "1.1 google",
                "1",
            )
            assert response.headers["Content-Type"] == "application/json"
            assert (await response.json())["retry_after"] == 0.5


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_failed_call_may_have_had_its_effect(*, after_effect: bool) -> None:
    async with FakeDiscord.running() as fake:
        channel, _ = place(fake)
        fake.fail_next(*SEND, status=503, after_effect=after_effect)
        fake.fail_next(*SEND, status=None, after_effect=after_effect)
        async with connected(fake) as client:
            with pytest.raises(discord.DiscordServerError):
                await text_channel(client, channel).send("hi", nonce="1")
            with pytest.raises(aiohttp.ClientError):
                await text_channel(client, channel).send("hi", nonce="2")
    assert len(fake.messages(channel)) == (2 if after_effect else 0)


async def test_a_held_request_is_carried_out_when_it_is_released() -> None:
    async with FakeDiscord.running() as fake:
        channel, _ = place(fake)
        hold = fake.hold_next(*SEND)
        async with connected(fake) as client:
            sending = asyncio.create_task(text_channel(client, channel).send("hi"))
            await hold.reached.wait()
            assert fake.messages(channel) == []
            hold.release()
            await sending
    assert len(fake.messages(channel)) == 1


async def provoke(fake: FakeDiscord, path: str, body: dict[str, str]) -> tuple[int, int]:
    headers = {"Authorization": f"Bot {fake.token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.post(fake.api_url + path, json=body) as response:
        return response.status, (await response.json())["code"]


async def test_a_request_against_the_description_is_remembered() -> None:
    async with FakeDiscord.running() as fake:
        if not fake.validates:
            pytest.skip("Discord's OpenAPI description is not at hand")
        channel, _ = place(fake)
        body = {"content": "hi", "nonce": "x" * 26}
        assert await provoke(fake, f"/channels/{channel.id}/messages", body) == (400, 50035)
        assert "request at /nonce" in fake.violations.pop()
        assert fake.messages(channel) == []


async def test_what_broke_the_protocol_fails_the_test_at_its_end() -> None:
    running = FakeDiscord.running()
    fake = await running.__aenter__()
    assert await provoke(fake, "/nowhere", {}) == (404, 0)
    with pytest.raises(AssertionError, match="no such route"):
        await running.__aexit__(None, None, None)

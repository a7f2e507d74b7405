"""The fake Slack's streams and files, held against the SDK's own helpers."""

import aiohttp
import pytest
from slack_sdk.models.messages.chunk import TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from tests.bolt import error_of
from tests.fakes.slack import ALICE, BOB, GENERAL, Attached, FakeSlack, Message

DEAD = "message_not_in_streaming_state"


@pytest.fixture
async def said(slack: FakeSlack) -> Message:
    return slack.team.say(slack.team.dm(ALICE), ALICE, "a question")


async def test_a_stream_grows_and_ends(slack: FakeSlack, client: AsyncWebClient, said: Message) -> None:
    stream = await client.chat_stream(channel=said.channel, thread_ts=said.ts, buffer_size=1)
    await stream.append(markdown_text="hello ")
    await stream.append(chunks=[TaskUpdateChunk(id="1", title="Weather", status="in_progress")])
    message = slack.team.by_bot(said.channel)[0]
    assert (
        await error_of(client.chat_update(channel=said.channel, ts=message.ts, text="x")) == "streaming_state_conflict"
    )
    buttons = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
        "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
    }
    feedback = {"type": "context_actions", "elements": [buttons]}
    await stream.stop(markdown_text="world", blocks=[feedback], session_status="active")
    assert message.shown == "hello world"
    assert message.stream is not None
    assert [chunk["type"] for chunk in message.stream.chunks] == ["markdown_text", "task_update", "markdown_text"]
    assert slack.team.sessions[said.channel, said.ts].status == "active"
    slack.team.click(ALICE, message, "rate", "down")
    assert (await slack.team.answered(said.channel, "world")) is message


async def test_a_stream_dies_after_five_minutes_and_can_be_edited(
    slack: FakeSlack, client: AsyncWebClient, said: Message
) -> None:
    stream = await client.chat_stream(channel=said.channel, thread_ts=said.ts, buffer_size=1)
    await stream.append(markdown_text="one")
    slack.clock.advance(301)
    assert await error_of(stream.append(markdown_text="two")) == DEAD
    assert stream.ts is not None
    await client.chat_update(channel=said.channel, ts=stream.ts, markdown_text="one two")
    assert slack.team.by_bot(said.channel)[0].shown == "one two"


@pytest.mark.parametrize("refusal", [DEAD, "stopped_by_user"])
async def test_slacks_stop_button_ends_the_streams(
    slack: FakeSlack, client: AsyncWebClient, said: Message, refusal: str
) -> None:
    await client.agents_sessions_setStatus(channel_id=said.channel, thread_ts=said.ts, status="processing")
    stream = await client.chat_stream(channel=said.channel, thread_ts=said.ts, buffer_size=1)
    await stream.append(markdown_text="partial")
    delivery = slack.team.press_stop(ALICE, said.channel, said.ts, refusal=refusal)
    assert delivery.payload["event"]["streaming_message_ts"] == [stream.ts]
    assert await error_of(stream.append(markdown_text="more")) == refusal
    assert slack.team.sessions[said.channel, said.ts].status == "processing"


async def test_a_stream_in_a_channel_needs_its_recipient(slack: FakeSlack, client: AsyncWebClient) -> None:
    said = slack.team.say(GENERAL, ALICE, "hello")
    start = client.chat_startStream
    assert await error_of(start(channel=GENERAL, thread_ts=said.ts)) == "missing_recipient_user_id"
    assert "missing_recipient" in slack.take_violations()[0]
    await start(channel=GENERAL, thread_ts=said.ts, recipient_user_id=ALICE, recipient_team_id=slack.team.id)


async def test_a_stream_holds_twelve_thousand_characters(
    slack: FakeSlack, client: AsyncWebClient, said: Message
) -> None:
    stream = await client.chat_stream(channel=said.channel, thread_ts=said.ts)
    await stream.append(markdown_text="x" * 12_000)
    assert await error_of(stream.append(markdown_text="y" * 300)) == "msg_too_long"
    slack.take_violations()


async def test_the_sdk_uploads_a_file_into_a_thread_or_for_itself(
    slack: FakeSlack, client: AsyncWebClient, said: Message
) -> None:
    await client.files_upload_v2(
        channel=said.channel, thread_ts=said.ts, filename="log.json", content="{}", initial_comment="the log"
    )
    await client.files_upload_v2(filename="private.txt", content="secret")
    shared = slack.team.by_bot(said.channel, said.ts)[0]
    assert (shared.text, shared.subtype) == ("the log", "file_share")
    assert [(file.name, file.content) for file in shared.files] == [("log.json", b"{}")]
    assert {file.name for file in slack.team.files.values()} == {"log.json", "private.txt"}


async def test_a_multipart_upload_is_read_too(slack: FakeSlack, client: AsyncWebClient, said: Message) -> None:
    begun = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    form = aiohttp.FormData()
    form.add_field("filename", b"abc", filename="a.txt")
    async with aiohttp.ClientSession() as session, session.post(begun["upload_url"], data=form) as response:
        assert response.status == 200
    files = [{"id": begun["file_id"], "title": "A"}]
    await client.files_completeUploadExternal(files=files, channel_id=said.channel)
    assert slack.team.bot_files(said.channel)[0].content == b"abc"


async def test_a_file_is_downloaded_with_the_bots_token_only(slack: FakeSlack, client: AsyncWebClient) -> None:
    note = Attached("note.txt", "grüße".encode(), "text/plain")
    said = slack.team.say(GENERAL, BOB, "read this", files=[note, Attached("b.bin", b"\0", hidden=True)])
    event = said.deliveries[0].payload["event"]
    assert event["subtype"] == "file_share"
    assert event["files"][1] == {"id": said.files[1].id, "file_access": "check_file_info"}
    assert (await client.files_info(file=said.files[1].id))["file"]["name"] == "b.bin"
    url = event["files"][0]["url_private_download"]
    async with aiohttp.ClientSession() as session:
        right = {"Authorization": f"Bearer {slack.team.bot_token}"}
        async with session.get(url, headers=right) as response:
            assert await response.text() == "grüße"
        async with session.get(url, headers={"Authorization": "Bearer wrong"}) as response:
            assert (response.status, response.content_type) == (200, "text/html")

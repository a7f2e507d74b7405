"""The fake Slack's Web API, held against the unmodified SDK."""

import json
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.models.metadata import Metadata
from slack_sdk.web.async_client import AsyncWebClient

from tests.bolt import error_of, web_client
from tests.fakes.slack import ALICE, BOB, CAROL, GENERAL, SECRET, FakeSlack, Message

MARK = Metadata(event_type="answer", event_payload={"key": "turn-1"})


@pytest.fixture
async def said(slack: FakeSlack) -> Message:
    return slack.team.say(GENERAL, ALICE, "a question")


async def test_the_bot_knows_itself_and_the_people(slack: FakeSlack, client: AsyncWebClient) -> None:
    me = await client.auth_test()
    assert (me["team_id"], me["user_id"], me["bot_id"]) == ("T0HOME", "U0BOT", "B0BOT")
    assert (await client.bots_info(bot="B0BOT"))["bot"]["app_id"] == "A0APP"
    assert (await client.users_info(user=CAROL))["user"]["is_admin"] is True
    assert await error_of(client.users_info(user="U0NOBODY")) == "user_not_found"


async def test_a_message_is_posted_found_by_metadata_edited_and_deleted(
    slack: FakeSlack, client: AsyncWebClient, said: Message
) -> None:
    posted = await client.chat_postMessage(
        channel=GENERAL, thread_ts=said.ts, markdown_text="**hi**", metadata=MARK, unfurl_links=False
    )
    thread = await client.conversations_replies(channel=GENERAL, ts=said.ts, include_all_metadata=True)
    assert [m["ts"] for m in thread["messages"]] == [said.ts, posted["ts"]]
    assert thread["messages"][1]["metadata"]["event_payload"] == {"key": "turn-1"}
    bare = await client.conversations_replies(channel=GENERAL, ts=said.ts)
    assert "metadata" not in bare["messages"][1]
    await client.chat_update(channel=GENERAL, ts=posted["ts"], markdown_text="**bye**")
    message = slack.team.answered(GENERAL, "bye", thread_ts=said.ts)
    assert [revision.text for revision in (await message).revisions] == ["**hi**"]
    link = await client.chat_getPermalink(channel=GENERAL, message_ts=posted["ts"])
    assert f"thread_ts={said.ts}" in link["permalink"]
    await client.chat_delete(channel=GENERAL, ts=posted["ts"])
    assert slack.team.by_bot(GENERAL) == []


async def test_a_new_text_takes_blocks_away(slack: FakeSlack, client: AsyncWebClient) -> None:
    blocks: list[dict[str, Any]] = [{"type": "markdown", "text": "in a block"}]
    posted = await client.chat_postMessage(channel=GENERAL, text="hidden", blocks=blocks, metadata=MARK)
    message = slack.team.by_bot(GENERAL)[0]
    assert message.shown == "in a block"
    await client.chat_update(channel=GENERAL, ts=posted["ts"], text="plain")
    assert (message.shown, message.metadata) == ("plain", MARK.to_dict())


async def test_a_user_id_as_channel_means_the_direct_message(slack: FakeSlack, client: AsyncWebClient) -> None:
    opened = (await client.conversations_open(users=ALICE))["channel"]["id"]
    assert opened == slack.team.dm(ALICE)
    posted = await client.chat_postMessage(channel=ALICE, text="psst")
    assert posted["channel"] == opened
    assert await error_of(client.chat_update(channel=ALICE, ts=posted["ts"], text="x")) == "channel_not_found"
    assert len(slack.take_violations()) == 1
    group = await client.conversations_open(users=[ALICE, BOB], return_im=True)
    assert group["channel"]["is_mpim"] is True


async def test_channels_are_described_and_listed(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.team.add_channel("C0OLD", "old").archived = True
    dm = slack.team.dm(ALICE)
    assert (await client.conversations_info(channel=SECRET))["channel"]["is_private"] is True
    assert (await client.conversations_info(channel=dm))["channel"]["user"] == ALICE
    assert (await client.conversations_members(channel=dm))["members"] == [ALICE, "U0BOT"]
    listed = await client.conversations_list(types=["public_channel", "im"], exclude_archived=True)
    assert [channel["id"] for channel in listed["channels"]] == [GENERAL, dm]


async def test_ordinary_refusals_are_no_violations(slack: FakeSlack, client: AsyncWebClient, said: Message) -> None:
    slack.team.add_channel("C0AWAY", "away", bot=False)
    slack.team.add_channel("C0OLD", "old").archived = True
    post = client.chat_postMessage
    assert await error_of(post(channel="C0NONE", text="x")) == "channel_not_found"
    assert await error_of(post(channel="C0AWAY", text="x")) == "not_in_channel"
    assert await error_of(post(channel="C0OLD", text="x")) == "is_archived"
    assert await error_of(post(channel=GENERAL, text="x", thread_ts="1.1")) == "thread_not_found"
    assert await error_of(client.chat_update(channel=GENERAL, ts=said.ts, text="x")) == "cant_update_message"
    assert await error_of(client.chat_update(channel=GENERAL, ts="1.1", text="x")) == "message_not_found"
    slack.team.scopes.remove("users:read")
    assert await error_of(client.users_info(user=ALICE)) == "missing_scope"
    slack.team.revoked = "token_revoked"
    assert await error_of(client.auth_test()) == "token_revoked"
    assert await error_of(AsyncWebClient("xoxb-wrong", base_url=slack.api_url).auth_test()) == "invalid_auth"


SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        pytest.param({"text": "x" * 40_001}, "msg_too_long", id="text"),
        pytest.param({"markdown_text": "x" * 12_001}, "msg_too_long", id="markdown"),
        pytest.param({"text": "x", "blocks": [SECTION]}, "invalid_blocks", id="section"),
        pytest.param({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks", id="blocks"),
        pytest.param({"text": "x", "blocks": [{"type": "nonsense"}]}, "invalid_blocks", id="block type"),
        pytest.param({"text": " "}, "no_text", id="nothing"),
        pytest.param({"text": "x", "markdown_text": "y"}, "markdown_text_conflict", id="both texts"),
        pytest.param({"text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format", id="metadata"),
        pytest.param({"text": "x", "thread_ts": 1.5}, "invalid_arguments", id="number as ts"),
        pytest.param({"text": "x", "nonsense": "y"}, "invalid_arguments", id="unknown argument"),
    ],
)
async def test_programming_errors_are_refused_and_noted(
    slack: FakeSlack, client: AsyncWebClient, arguments: dict[str, Any], error: str
) -> None:
    assert await error_of(client.api_call("chat.postMessage", json={"channel": GENERAL, **arguments})) == error
    assert f"chat.postMessage: {error}" in slack.take_violations()[0]


async def test_wrong_calls_are_refused_and_noted(slack: FakeSlack, client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("chat.shout")) == "unknown_method"
    assert await error_of(client.api_call("users.info", json={"user": ALICE})) == "invalid_arguments"
    assert await error_of(client.apps_connections_open(app_token=slack.team.bot_token)) == "not_allowed_token_type"
    app = AsyncWebClient(slack.app_token, base_url=slack.api_url)
    assert await error_of(app.auth_test()) == "not_allowed_token_type"
    assert await error_of(AsyncWebClient(None, base_url=slack.api_url).auth_test()) == "not_authed"
    posted = await client.chat_postMessage(channel=GENERAL, text="x")
    assert await error_of(client.chat_update(channel=GENERAL, ts=posted["ts"], text="x" * 4001)) == "msg_too_long"
    assert len(slack.take_violations()) == 6


async def test_rate_limits_hold_per_method_and_per_channel(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.limits.per_channel(1, per=0.7)
    await client.chat_postMessage(channel=GENERAL, text="1")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=GENERAL, text="2")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel=SECRET, text="elsewhere")
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    await client.chat_postMessage(channel=GENERAL, text="3")
    assert [message.text for message in slack.team.by_bot(GENERAL)] == ["1", "3"]
    assert slack.limits.refused["chat.postMessage"] == 2


async def test_the_documented_limits_are_per_workspace(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.limit_realistically()
    said = slack.team.say(slack.team.dm(ALICE), ALICE, "a question")
    for _ in range(20):
        await client.chat_startStream(channel=said.channel, thread_ts=said.ts)
    assert await error_of(client.chat_startStream(channel=said.channel, thread_ts=said.ts)) == "ratelimited"
    assert await error_of(client.chat_startStream(channel=said.channel, thread_ts=said.ts)) == "ratelimited"
    assert slack.limits.early == ["chat.startStream"]
    other = slack.add_team("T0OTHER", "other")
    theirs = other.say(other.dm(ALICE), ALICE, "elsewhere")
    async with web_client(slack, other) as client_there:
        await client_there.chat_startStream(channel=theirs.channel, thread_ts=theirs.ts)


async def test_faults_strike_before_or_after_the_effect(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.fail_next("chat.postMessage", drop=True, after_effect=True)
    await client.chat_postMessage(channel=GENERAL, text="doubled by the SDK's own retry")
    assert len(slack.team.by_bot(GENERAL)) == 2
    slack.fail_next("chat.postMessage", error="internal_error")
    assert await error_of(client.chat_postMessage(channel=GENERAL, text="x")) == "internal_error"
    slack.fail_next("chat.postMessage", status=500)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=GENERAL, text="x")
    assert refused.value.response.status_code == 500
    slack.fail_next("chat.postMessage", status=429, retry_after=7)
    assert await error_of(client.chat_postMessage(channel=GENERAL, text="x")) == "ratelimited"
    assert len(slack.team.by_bot(GENERAL)) == 2


async def test_the_agent_surface_keeps_sessions_or_is_refused(
    slack: FakeSlack, client: AsyncWebClient, said: Message
) -> None:
    status = client.agents_sessions_setStatus
    await status(channel_id=GENERAL, thread_ts=said.ts, status="processing", title="A question")
    await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=said.ts, status="thinking…")
    prompts = [{"title": "Weather", "message": "How is the weather?"}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=slack.team.dm(ALICE), prompts=prompts)
    await client.assistant_threads_setTitle(channel_id=GENERAL, thread_ts=said.ts, title="A title")
    session = slack.team.sessions[GENERAL, said.ts]
    assert (session.status, session.title) == ("processing", "A question")
    assert slack.team.status(GENERAL, said.ts) == "thinking…"
    slack.clock.advance(121)
    assert slack.team.status(GENERAL, said.ts) == ""
    assert slack.team.prompts[slack.team.dm(ALICE)] == prompts
    slack.refuse("agents.sessions.setStatus", "feature_not_enabled")
    refused = status(channel_id=GENERAL, thread_ts=said.ts, status="active")
    assert await error_of(refused) == "feature_not_enabled"


@pytest.mark.parametrize("how", ["json", "data", "params"])
async def test_arguments_come_as_json_form_or_query(slack: FakeSlack, client: AsyncWebClient, how: str) -> None:
    blocks: Any = [{"type": "section", "text": {"type": "mrkdwn", "text": "shown"}}]
    flat = blocks if how == "json" else json.dumps(blocks)
    sent: Any = {"channel": GENERAL, "text": "hidden", "blocks": flat, "unfurl_links": how == "json" or "false"}
    arguments: Any = {how: sent}
    await client.api_call("chat.postMessage", **arguments)
    message = slack.team.by_bot(GENERAL)[0]
    assert (message.shown, message.unfurl_links) == ("shown", how == "json")
    assert (await client.api_call("auth.test", http_verb="GET"))["team_id"] == "T0HOME"


async def test_reactions_come_and_go(slack: FakeSlack, client: AsyncWebClient, said: Message) -> None:
    await client.reactions_add(channel=GENERAL, timestamp=said.ts, name="eyes")
    assert said.reactions == {"eyes": ["U0BOT"]}
    assert await error_of(client.reactions_add(channel=GENERAL, timestamp=said.ts, name="eyes")) == "already_reacted"
    await client.reactions_remove(channel=GENERAL, timestamp=said.ts, name="eyes")
    assert said.reactions == {}


async def test_teams_are_apart(slack: FakeSlack, client: AsyncWebClient) -> None:
    other = slack.add_team("T0OTHER", "other")
    async with web_client(slack, other) as theirs:
        await theirs.chat_postMessage(channel=GENERAL, text="over there")
        assert (await theirs.auth_test())["team_id"] == "T0OTHER"
    assert slack.team.by_bot(GENERAL) == []
    assert [message.text for message in other.by_bot(GENERAL)] == ["over there"]


async def test_pings_count_outside_code_only(slack: FakeSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=GENERAL, text=f"<!channel> `<!here>` &lt;!here&gt; <@{ALICE}> @here")
    assert slack.team.by_bot(GENERAL)[0].pings == ["<!channel>", f"<@{ALICE}>"]


async def test_history_is_paged(slack: FakeSlack, client: AsyncWebClient) -> None:
    said = [slack.team.say(GENERAL, ALICE, str(number)).ts for number in range(5)]
    first = await client.conversations_history(channel=GENERAL, limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_history(channel=GENERAL, limit=3, cursor=cursor)
    assert [m["ts"] for m in [*first["messages"], *second["messages"]]] == said[::-1]
    newer = await client.conversations_history(channel=GENERAL, oldest=said[3], inclusive=True)
    assert [m["text"] for m in newer["messages"]] == ["4", "3"]

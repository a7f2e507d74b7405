"""The fake Slack's events, held against unmodified Bolt."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.bolt import bolt_app, in_socket_mode, listening
from tests.fakes.slack import ALICE, BOB, GENERAL, FakeSlack


@pytest.mark.parametrize(
    ("order", "types"), [("mention_first", ["app_mention", "message"]), ("message_first", ["message", "app_mention"])]
)
async def test_a_mention_arrives_as_two_events(
    slack: FakeSlack, client: AsyncWebClient, order: Any, types: list[str]
) -> None:
    slack.hub.mention_order = order
    app, heard = listening(slack, client)
    async with in_socket_mode(slack, app):
        said = slack.team.say(GENERAL, ALICE, f"{slack.team.mention} hello")
        await slack.settled()
        await slack.until(lambda: len(heard) == 2)
    assert [delivery.event_type for delivery in said.deliveries] == types
    assert {body["event"]["ts"] for body in heard} == {said.ts}
    assert len({body["event_id"] for body in heard}) == 2
    assert slack.late() == []


async def test_a_direct_message_is_answered_in_its_thread(slack: FakeSlack, client: AsyncWebClient) -> None:
    app = bolt_app(client)

    @app.event("message")
    async def answer(event: dict[str, Any], say: Any) -> None:
        await say(text=f"you said {event['text']}", thread_ts=event["ts"])

    async with in_socket_mode(slack, app):
        dm = slack.team.dm(ALICE)
        said = slack.team.say(dm, ALICE, "ping")
        answered = await slack.team.answered(dm, "you said ping", thread_ts=said.ts)
        await slack.settled()
    assert answered.thread_ts == said.ts
    assert len(slack.team.by_bot(dm)) == 1


async def test_edits_deletes_and_other_writers_look_like_slacks(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.hub.mention_order = "message_first"
    app, heard = listening(slack, client)
    async with in_socket_mode(slack, app):
        said = slack.team.say(GENERAL, ALICE, "first")
        slack.team.edit(said, "second")
        slack.team.unfurl(said)
        slack.team.delete(said)
        root = slack.team.say(GENERAL, BOB, "root")
        slack.team.say(GENERAL, ALICE, "reply", thread_ts=root.ts, broadcast=True)
        slack.team.delete(root)
        slack.team.other_bot_says(GENERAL, "beep")
        slack.team.system(GENERAL, "channel_join", BOB, "joined")
        await slack.settled()
        await slack.until(lambda: len(heard) == 9)
    subtypes = [body["event"].get("subtype") for body in heard]
    changes = ["message_changed", "message_changed", "message_deleted"]
    assert subtypes == [None, *changes, None, "thread_broadcast", "message_changed", "bot_message", "channel_join"]
    assert heard[1]["event"]["previous_message"]["text"] == "first"
    assert heard[1]["event"]["message"]["text"] == "second"
    assert heard[6]["event"]["message"]["subtype"] == "tombstone"


async def test_opening_the_messages_tab_and_uninstalling_are_told(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, heard = bolt_app(client), list[dict[str, Any]]()

    async def note(event: dict[str, Any]) -> None:
        heard.append(event)
        slack.changes.tell()

    app.event("app_home_opened")(note)
    app.event("app_uninstalled")(note)
    async with in_socket_mode(slack, app):
        slack.team.open_messages_tab(ALICE)
        await slack.until(lambda: heard)
        slack.team.uninstall()
        await slack.until(lambda: len(heard) == 2)
    assert (heard[0]["tab"], heard[0]["channel"]) == ("messages", slack.team.dm(ALICE))
    assert slack.team.revoked == "account_inactive"


async def test_duplicates_are_sent_although_acknowledged(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, heard = listening(slack, client)
    slack.dispatcher.duplicate_share = 1.0
    async with in_socket_mode(slack, app):
        said = slack.team.say(GENERAL, ALICE, "twice")
        await slack.settled()
        slack.redeliver(said.deliveries[0])
        await slack.settled()
        await slack.until(lambda: len(heard) == 3)
    assert len({body["event_id"] for body in heard}) == 1

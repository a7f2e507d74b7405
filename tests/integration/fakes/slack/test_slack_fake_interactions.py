"""The fake Slack's commands, clicks and response URLs, held against unmodified Bolt."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.bolt import bolt_app, error_of, in_socket_mode
from tests.fakes.slack import ALICE, BOB, GENERAL, FakeSlack


async def test_a_command_is_acknowledged_and_answered_five_times(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, statuses = bolt_app(client), list[tuple[int, str]]()

    @app.command("/mission")
    async def mission(ack: Any, respond: Any, command: dict[str, Any]) -> None:
        await ack(f"looking for {command['text']}")
        for number in range(6):
            response = await respond(text=f"answer {number}")
            statuses.append((response.status_code, response.body))
        slack.changes.tell()

    async with in_socket_mode(slack, app):
        asked = slack.team.slash(ALICE, GENERAL, "/mission", "show abc")
        assert await asked.acknowledged() < 3
        assert await asked.answered(6) == ["looking for show abc", *(f"answer {number}" for number in range(5))]
        await slack.until(lambda: len(statuses) == 6)
    assert [status for status, _ in statuses] == [200] * 5 + [404]
    assert "used_url" in statuses[5][1]
    assert [message.shown for message in slack.team.ephemerals(ALICE)] == [f"answer {number}" for number in range(5)]
    assert slack.team.ephemerals(BOB) == []


async def test_a_response_url_expires_after_half_an_hour(slack: FakeSlack, client: AsyncWebClient) -> None:
    app = bolt_app(client)

    @app.command("/mission")
    async def mission(ack: Any) -> None:
        await ack()

    async with in_socket_mode(slack, app), aiohttp.ClientSession() as session:
        asked = slack.team.slash(ALICE, GENERAL, "/mission")
        await asked.acknowledged()
        slack.clock.advance(1801)
        async with session.post(asked.url.url, json={"text": "late"}) as response:
            assert (response.status, (await response.json())["error"]) == (404, "expired_url")


async def test_a_click_replaces_the_message_it_was_made_on(slack: FakeSlack, client: AsyncWebClient) -> None:
    app = bolt_app(client)
    button = {"type": "button", "action_id": "end", "value": "7", "text": {"type": "plain_text", "text": "End"}}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "one mission"}}

    @app.action("end")
    async def end(ack: Any, respond: Any, action: dict[str, Any]) -> None:
        await ack()
        await respond(text=f"ended {action['value']}", replace_original=True)

    async with in_socket_mode(slack, app):
        blocks: list[dict[str, Any]] = [section, {"type": "actions", "elements": [button]}]
        await client.chat_postEphemeral(channel=GENERAL, user=ALICE, text="list", blocks=blocks)
        shown = slack.team.ephemerals(ALICE)[0]
        assert shown.shown == "one mission"
        clicked = slack.team.click(ALICE, shown, "end", "7")
        assert await clicked.answered() == ["ended 7"]
    assert shown.shown == "ended 7"
    with pytest.raises(KeyError):
        slack.team.click(ALICE, shown, "end")


async def test_a_message_shortcut_carries_its_message(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, seen = bolt_app(client), list[str]()

    @app.shortcut("end_mission")
    async def end(ack: Any, shortcut: dict[str, Any]) -> None:
        await ack()
        seen.append(shortcut["message"]["text"])

    async with in_socket_mode(slack, app):
        said = slack.team.say(GENERAL, BOB, "a message")
        await slack.team.shortcut(ALICE, said, "end_mission").acknowledged()
        await slack.until(lambda: seen)
    assert seen == ["a message"]


async def test_a_trigger_opens_one_view_within_three_seconds(slack: FakeSlack, client: AsyncWebClient) -> None:
    app = bolt_app(client)
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Missions"}, "blocks": [{"type": "divider"}]}

    @app.command("/mission")
    async def mission(ack: Any) -> None:
        await ack(blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "opening"}}], text="hidden")

    async with in_socket_mode(slack, app):
        asked = slack.team.slash(ALICE, GENERAL, "/mission")
        assert await asked.answered() == ["opening"]
        later = slack.team.slash(ALICE, GENERAL, "/mission")
        await later.acknowledged()
    trigger = asked.delivery.payload["trigger_id"]
    await client.views_open(trigger_id=trigger, view=view)
    assert slack.team.views[0]["title"]["text"] == "Missions"
    assert await error_of(client.views_open(trigger_id=trigger, view=view)) == "invalid_trigger_id"
    slack.clock.advance(4)
    late = later.delivery.payload["trigger_id"]
    assert await error_of(client.views_open(trigger_id=late, view=view)) == "expired_trigger_id"

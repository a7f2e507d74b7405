"""The fake Slack's signed deliveries, held against unmodified Bolt behind an HTTP server."""

import asyncio
import time
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.bolt import bolt_app, over_http
from tests.fakes.slack import ALICE, GENERAL, FakeSlack


async def test_events_commands_and_clicks_are_signed(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, heard = bolt_app(client), list[str]()

    @app.event("message")
    async def message(event: dict[str, Any]) -> None:
        heard.append(event["text"])
        slack.changes.tell()

    @app.command("/mission")
    async def mission(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"acknowledged {command['text']}")

    @app.action("stop")
    async def stop(ack: Any, respond: Any) -> None:
        await ack()
        await respond("stopped")

    async with over_http(slack, app):
        slack.team.say(GENERAL, ALICE, "grüße")
        await slack.settled()
        await slack.until(lambda: heard == ["grüße"])
        assert await slack.team.slash(ALICE, GENERAL, "/mission", "a & b").answered() == ["acknowledged a & b"]
        button = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}
        await client.chat_postMessage(channel=GENERAL, text="x", blocks=[{"type": "actions", "elements": [button]}])
        assert await slack.team.click(ALICE, slack.team.by_bot(GENERAL)[0], "stop").answered() == ["stopped"]
    assert slack.late() == []


async def test_an_app_refuses_what_slack_did_not_sign(slack: FakeSlack, client: AsyncWebClient) -> None:
    async with over_http(slack, bolt_app(client)) as http:
        assert await http.verify_url()
        body = b'{"type":"event_callback","event":{"type":"message"}}'
        assert (await http.request(body, signature="v0=" + "0" * 64)).status == 401
        assert (await http.request(body, timestamp=str(int(time.time()) - 301))).status == 401
        assert (await http.request(body, headers={"X-Slack-Signature": None})).status == 401


@pytest.mark.parametrize("odd", [{"timestamp": "abc"}, {"timestamp": ""}, {"timestamp": "nan"}, {"signature": "v0=é"}])
async def test_odd_headers_reach_the_app_as_they_are(
    slack: FakeSlack, client: AsyncWebClient, odd: dict[str, Any]
) -> None:
    async with over_http(slack, bolt_app(client)) as http:
        assert (await http.request(b"{}", **odd)).status == 500  # what Bolt's own verifier makes of them


async def test_a_replay_is_signed_as_well_as_the_first(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, ids = bolt_app(client), list[str]()

    @app.event("message")
    async def message(body: dict[str, Any]) -> None:
        ids.append(body["event_id"])
        slack.changes.tell()

    async with over_http(slack, app) as http:
        slack.team.say(GENERAL, ALICE, "once")
        await slack.settled()
        assert (await http.replay(http.sent[0])).status == 200
        await slack.until(lambda: len(ids) == 2)
    assert ids[0] == ids[1]


async def test_an_app_can_ask_for_no_retries(slack: FakeSlack, client: AsyncWebClient) -> None:
    app = bolt_app(client)

    @app.middleware
    async def fail() -> BoltResponse:
        return BoltResponse(status=503, headers={"X-Slack-No-Retry": "1"})

    async with over_http(slack, app):
        delivery = slack.team.say(GENERAL, ALICE, "hello").deliveries[0]
        await slack.settled()
    assert delivery.lost
    assert len(delivery.attempts) == 1


async def test_a_failing_request_url_is_tried_four_times(slack: FakeSlack, client: AsyncWebClient) -> None:
    tried: list[tuple[str, str]] = []
    app = bolt_app(client)

    @app.middleware
    async def fail(request: Any) -> Any:
        headers = request.headers
        tried.append((headers.get("x-slack-retry-num", ["-"])[0], headers.get("x-slack-retry-reason", ["-"])[0]))
        slack.changes.tell()
        raise RuntimeError

    async with over_http(slack, app):
        delivery = slack.team.say(GENERAL, ALICE, "hello").deliveries[0]
        for number, pause in ((2, 60), (3, 300)):
            await slack.until(lambda number=number: len(delivery.attempts) == number and delivery.attempts[-1].failure)  # type: ignore[misc]
            slack.clock.advance(pause)
        await slack.settled()
    assert tried == [("-", "-"), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert delivery.lost
    assert [attempt.status for attempt in delivery.attempts] == [500] * 4


async def test_a_slow_request_url_is_a_timeout(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, calm = bolt_app(client), asyncio.Event()

    @app.command("/mission")
    async def mission(ack: Any) -> None:
        await calm.wait()
        await ack()

    async with over_http(slack, app) as http:
        http.ack_seconds = 0.2
        asked = slack.team.slash(ALICE, GENERAL, "/mission")
        await slack.until(lambda: asked.failed)
        calm.set()
    assert asked.delivery.attempts[0].failure == "http_timeout"
    assert len(asked.delivery.attempts) == 1


async def test_an_unreachable_app_is_tried_again_when_it_is_back(slack: FakeSlack, client: AsyncWebClient) -> None:
    app = AsyncApp(client=client, signing_secret="x", request_verification_enabled=False)
    app.event("message")(_nothing)
    async with over_http(slack, app) as http:
        url, http.url = http.url, "http://127.0.0.1:9/slack/events"
        delivery = slack.team.say(GENERAL, ALICE, "hello").deliveries[0]
        await slack.until(lambda: len(delivery.attempts) == 2 and delivery.attempts[1].failure)
        http.url = url
        slack.clock.advance(60)
        await slack.settled()
    assert [attempt.failure for attempt in delivery.attempts] == ["connection_failed", "connection_failed", None]


async def _nothing() -> None:
    pass

"""The fake Slack's sockets, held against unmodified Bolt."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.bolt import bolt_app, in_socket_mode, listening
from tests.fakes.slack import ALICE, GENERAL, FakeSlack


async def test_an_unacknowledged_event_comes_again_with_the_same_id(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.socket_mode.ack_seconds = 0.2
    ids: list[str] = []
    numbers: list[Any] = []
    app = bolt_app(client)
    calm = asyncio.Event()

    @app.middleware
    async def stall(body: dict[str, Any], request: Any, next: Any) -> None:  # noqa: A002 - Bolt looks for this name
        ids.append(body["event_id"])
        numbers.append(request.headers.get("x-slack-retry-num", [None])[0])
        if len(ids) <= 2:
            await calm.wait()
        await next()

    @app.event("message")
    async def listen() -> None:
        calm.set()

    async with in_socket_mode(slack, app):
        said = slack.team.say(GENERAL, ALICE, "hello")
        delivery = said.deliveries[0]
        await slack.until(lambda: sum(a.failure == "timeout" for a in delivery.attempts) == 2)
        assert not delivery.acknowledged
        slack.clock.advance(60)
        await slack.until(lambda: delivery.acknowledged)
    assert len(set(ids)) == 1
    assert numbers == ["0", "1", "2"]
    assert len(slack.late()) == 2


async def test_events_wait_for_a_socket_and_commands_do_not(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, heard = listening(slack, client)
    said = slack.team.say(GENERAL, ALICE, "while you were away")
    asked = slack.team.slash(ALICE, GENERAL, "/mission")
    await slack.until(lambda: asked.failed)
    assert not said.deliveries[0].acknowledged
    async with in_socket_mode(slack, app):
        await slack.settled()
        await slack.until(lambda: heard)
    assert heard[0]["event"]["text"] == "while you were away"


@pytest.mark.parametrize("how", ["refresh", "warn", "kick", "cut"])
async def test_bolt_reconnects_with_a_new_ticket(slack: FakeSlack, client: AsyncWebClient, how: str) -> None:
    app, heard = listening(slack, client)
    async with in_socket_mode(slack, app):
        await getattr(slack.socket_mode, how)()
        await slack.until(lambda: slack.socket_mode.hellos == 2)
        slack.team.say(GENERAL, ALICE, "still there?")
        await slack.until(lambda: heard)
    assert len(slack.called("apps.connections.open")) == 2


async def test_a_ticket_opens_one_socket(slack: FakeSlack, client: AsyncWebClient) -> None:
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as ws:
            assert (await ws.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_every_event_goes_to_one_of_ten_sockets_and_an_eleventh_is_turned_away(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    app, heard = listening(slack, client)
    async with in_socket_mode(slack, app, sockets=10), aiohttp.ClientSession() as session:
        url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
        async with session.ws_connect(url) as ws:
            assert (await ws.receive_json())["reason"] == "too_many_websockets"
        for number in range(30):
            slack.team.say(GENERAL, ALICE, f"message {number}")
        await slack.settled()
        await slack.until(lambda: len(heard) >= 30)
    assert len(heard) == 30


async def test_an_acknowledgement_of_nothing_is_a_violation(slack: FakeSlack, client: AsyncWebClient) -> None:
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
        await ws.send_json({"envelope_id": "made up"})
        await slack.until(lambda: slack.violations)
        await ws.close()
    assert "not an envelope" in slack.take_violations()[0]


async def test_what_a_dying_app_left_unacknowledged_goes_to_the_next(slack: FakeSlack, client: AsyncWebClient) -> None:
    app, heard = listening(slack, client)
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
        assert (await ws.receive_json())["type"] == "hello"
        said = slack.team.say(GENERAL, ALICE, "hello")
        first = await ws.receive_json()
    async with in_socket_mode(slack, app):
        await slack.settled()
        await slack.until(lambda: heard)
    assert first["payload"]["event_id"] == heard[0]["event_id"]
    assert [attempt.failure for attempt in said.deliveries[0].attempts] == ["connection_failed", None]

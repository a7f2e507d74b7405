"""Unmodified Bolt apps that talk to the fake Slack, over both of its transports."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack, HttpEvents, Team

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@asynccontextmanager
async def web_client(slack: FakeSlack, team: Team | None = None) -> AsyncIterator[AsyncWebClient]:
    """The SDK's client with the bot's token of a team, on one session."""
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient((team or slack.team).bot_token, base_url=slack.api_url, session=session)


@asynccontextmanager
async def in_socket_mode(slack: FakeSlack, app: AsyncApp, *, sockets: int = 1) -> AsyncIterator[None]:
    """Connect the app with so many sockets."""
    handlers = [AsyncSocketModeHandler(app, slack.app_token, ping_interval=0.2) for _ in range(sockets)]
    try:
        for handler in handlers:
            await handler.connect_async()  # type: ignore[no-untyped-call]
        await slack.socket_mode.connected(sockets)
        yield
    finally:
        for handler in handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]


def bolt_app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client, signing_secret=SECRET)


def listening(slack: FakeSlack, client: AsyncWebClient) -> tuple[AsyncApp, list[dict[str, Any]]]:
    """An app and the bodies of all messages and mentions that it gets, in order."""
    app, heard = bolt_app(client), list[dict[str, Any]]()

    async def note(body: dict[str, Any]) -> None:
        heard.append(body)
        slack.changes.tell()

    app.event("message")(note)
    app.event("app_mention")(note)
    return app, heard


async def error_of(call: Awaitable[Any]) -> str:
    """The error with which Slack refuses a call; fails when it does not."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


@asynccontextmanager
async def over_http(slack: FakeSlack, app: AsyncApp) -> AsyncIterator[HttpEvents]:
    """Serve the app at a request URL and have the fake deliver there."""

    async def receive(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack/events", receive)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield slack.deliver_over_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", SECRET)
    finally:
        await runner.cleanup()

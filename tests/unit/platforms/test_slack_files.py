"""Files from Slack: where the bot's token goes, and where it never does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.platforms.slack.api import Api
from bot.platforms.slack.files import sent_file
from tests.bolt import web_client
from tests.fakes.slack import ALICE, GENERAL, Attached, FakeSlack
from tests.fakes.slack.wire import event_file

LIMIT = 1_000


@dataclass(slots=True)
class Elsewhere:
    """A server that is not Slack's."""

    url: str
    requests: list[web.Request] = field(default_factory=list)


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    found = Elsewhere("")

    async def note(request: web.Request) -> web.Response:
        found.requests.append(request)
        return web.Response(text="gotcha")

    app = web.Application()
    app.router.add_get("/{path:.*}", note)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/file.txt"
        yield found
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "marks",
    [{"is_external": True}, {"mode": "external"}, {}, {"is_external": False, "mode": "hosted"}],
    ids=["external", "external mode", "unmarked", "in disguise"],
)
@pytest.mark.parametrize("key", ["url_private", "url_private_download"])
async def test_what_is_not_at_slacks_is_not_asked_for(marks: dict[str, Any], key: str) -> None:
    async with FakeSlack.running() as slack, web_client(slack) as client, elsewhere() as other:
        file = {"id": "F1", "name": "file.txt", "mimetype": "text/plain", "size": 5, key: other.url, **marks}
        sent = await sent_file(Api(client), file, LIMIT)
        assert (sent.name, sent.media_type, sent.size) == ("file.txt", "text/plain", 5)
        assert await sent.download() is None
        assert other.requests == []


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "/files-pri/x", "http://[", "http://files.slack.com/x"])
async def test_an_odd_address_is_not_asked_for(url: str) -> None:
    async with FakeSlack.running() as slack, web_client(slack) as client:
        sent = await sent_file(Api(client), {"id": "F1", "name": "x", "url_private": url}, LIMIT)
        assert await sent.download() is None


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_file_of_slacks_is_read_up_to_the_limit(*, hidden: bool) -> None:
    async with FakeSlack.running() as slack, web_client(slack) as client:
        for size, readable in ((LIMIT, True), (LIMIT + 1, False)):
            said = slack.team.say(GENERAL, ALICE, "", files=[Attached("a.txt", b"x" * size, hidden=hidden)])
            sent = await sent_file(Api(client), event_file(slack.team, said.files[0]), LIMIT)
            assert (sent.name, sent.media_type, sent.size) == ("a.txt", "text/plain", size)
            assert await sent.download() == (b"x" * size if readable else None)


async def test_a_page_of_html_is_read_where_that_is_what_was_sent() -> None:
    """Otherwise it is Slack's page to log in."""
    async with FakeSlack.running() as slack, web_client(slack) as client:
        said = slack.team.say(GENERAL, ALICE, "", files=[Attached("a.html", b"<p>hello</p>")])
        told = event_file(slack.team, said.files[0])
        assert await (await sent_file(Api(client), told, LIMIT)).download() == b"<p>hello</p>"
        assert await (await sent_file(Api(client), told | {"mimetype": "text/plain"}, LIMIT)).download() is None

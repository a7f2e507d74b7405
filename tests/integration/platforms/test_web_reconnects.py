"""Pages that come, go, come back in the middle, or do not listen."""

import asyncio
import socket
from pathlib import Path

import aiohttp

from tests.fakes.scripted_model import ScriptedModel
from tests.waiting import PATIENCE, until_found
from tests.web import Browser, Site, running_site


async def test_a_page_that_comes_back_in_the_middle_gets_the_text_so_far(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(["**One**, ", more, "two."])) as site,
        Browser(site.url) as browser,
    ):
        async with browser.connect() as page:
            await page.send("message", text="Count", message_id="m")
            await page.get("response_chunk", text="**One**, ")
        async with browser.connect() as page:
            started = await page.get("response_start")
            assert started["message_id"] == "m"
            assert (started["text"], started["html"]) == ("**One**, ", "<p><strong>One</strong>,</p>\n")
            (message,) = await page.history(started["conversation_id"])
            assert (message["status"], message["answer"]) == ("running", "**One**, ")
            more.set()
            assert (await page.get("response_complete"))["text"] == "**One**, two."


async def test_an_answer_nobody_watches_is_in_the_history(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(["**One**, ", more, "two."])) as site,
        Browser(site.url) as browser,
    ):
        async with browser.connect() as page:
            await page.send("message", text="Count", message_id="m")
            conversation = (await page.get("response_chunk"))["conversation_id"]
        more.set()
        async with browser.connect() as page:
            (message,) = await until_found(
                lambda: page.history(conversation), lambda found: found[0]["status"] == "answered"
            )
    assert message["html"] == "<p><strong>One</strong>, two.</p>\n"


async def test_an_answer_goes_on_after_the_program_was_ended(tmp_path: Path) -> None:
    """The second start finds the turn open, and shows its answer to the page that comes back."""
    first = ScriptedModel(["Half", asyncio.Event()])
    async with running_site(tmp_path / "t.db", first) as site, Browser(site.url) as browser:
        async with browser.connect() as page:
            await page.send("message", text="Count", message_id="m")
            await page.get("response_chunk")
        cookies = browser.cookies()
    more = asyncio.Event()
    async with running_site(tmp_path / "t.db", ScriptedModel([more, "Whole"])) as site, Browser(site.url) as browser:
        browser.http.cookie_jar.update_cookies(cookies)
        async with browser.connect() as page:
            await page.get("response_start", message_id="m")
            more.set()
            assert (await page.get("response_complete"))["text"] == "Whole"


async def test_the_end_of_the_server_closes_with_going_away(site: Site, browser: Browser) -> None:
    async with browser.connect() as page:
        await page.get("status", state="model")
        await site.stop()
        async with asyncio.timeout(PATIENCE):
            while (message := await page.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)


async def test_a_page_that_reads_nothing_holds_nobody_up_and_is_cut_off(site: Site, browser: Browser) -> None:
    """A browser with one page that reads and one that does not: every answer comes, the silent page is let go."""
    long = "word " * 38_000
    async with browser.connect() as page:
        silent = await deaf_page(site, browser)
        conversation = (await page.ask("0", message_id="m0"))["conversation_id"]
        for number in range(1, 120):
            await page.ask(long, message_id=f"m{number}", conversation_id=conversation)
        silent.read_on()
        await asyncio.wait_for(silent.gone, PATIENCE)


class DeafPage(asyncio.Protocol):
    """Shakes hands and then does not read."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.greeted.done():
            assert data.startswith(b"HTTP/1.1 101")
            self._transport.pause_reading()
            self.greeted.set_result(None)

    def read_on(self) -> None:
        self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set_result(None)


async def deaf_page(site: Site, browser: Browser) -> DeafPage:
    request = (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nCookie: {browser.cookie_header()}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is buffered in between
    raw.connect(("127.0.0.1", site.port))
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(lambda: DeafPage(request.encode()), sock=raw)
    await protocol.greeted
    return protocol

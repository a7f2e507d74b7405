"""The page over plain HTTP: headers, files, cookies, the gate, logging in, health, ports."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.errors import ConfigurationError
from bot.models.model import Health
from bot.platforms.web.logins import MAX_FAILURES
from bot.platforms.web.server import WebPlatform
from storage.sqlite import SQLiteDatabase
from tests.fakes.scripted_model import ScriptedModel
from tests.web import TOKEN, Browser, Site, running_site

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path / "t.db", ScriptedModel()) as site:
        yield site


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path / "t.db", ScriptedModel(), access_token=TOKEN) as site:
        yield site


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Browser]:
    async with Browser(site.url) as browser:
        yield browser


@pytest.mark.parametrize("path", ["", "static/app.js", "static/nothing", "healthz", "readyz", "metrics", "nothing"])
async def test_every_response_is_restricted(browser: Browser, path: str) -> None:
    async with browser.http.get(browser.url + path) as response:
        assert response.headers["Content-Security-Policy"] == POLICY
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_and_all_it_names_are_there_and_nothing_inline(browser: Browser) -> None:
    async with browser.http.get(browser.url) as response:
        assert response.content_type == "text/html"
        page = await response.text()
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|https?://", page)
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        async with browser.http.get(browser.url + path[1:]) as response:
            assert response.status == 200


async def test_every_module_a_script_imports_is_there(browser: Browser) -> None:
    wanted, seen = {"app.js", "login.js"}, set[str]()
    while wanted:
        seen.add(name := wanted.pop())
        async with browser.http.get(f"{browser.url}static/{name}") as response:
            assert (response.status, response.content_type) == (200, "text/javascript")
            wanted |= set(re.findall(r'from "\./([^"]+)"', await response.text())) - seen
    assert len(seen) > 4


async def test_an_unchanged_file_is_not_sent_again(browser: Browser) -> None:
    url = f"{browser.url}static/style.css"
    async with browser.http.get(url) as response:
        tag = response.headers["ETag"]
    async with browser.http.get(url, headers={"If-None-Match": tag}) as response:
        assert response.status == 304


PATHS = ["nothing", "static/", "static/page.html", "static/..%2fserver.py", "static/%2e%2e/server.py", "metrics"]


@pytest.mark.parametrize("path", PATHS)
async def test_other_paths_are_not_found(site: Site, browser: Browser, path: str) -> None:
    assert (await raw_status(site.port, f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) == 404


async def raw_status(port: int, request: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


# Cookies.


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    async with browser.http.get(browser.url) as response:
        (cookie,) = response.cookies.values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert int(cookie["max-age"]) == 365 * 24 * 3600
    assert not cookie["secure"]


async def test_a_browser_stays_the_same_over_a_restart(tmp_path: Path) -> None:
    answer = ScriptedModel(["hi"])
    async with (
        running_site(tmp_path / "t.db", answer) as site,
        Browser(site.url) as browser,
        browser.connect() as page,
    ):
        conversation = (await page.ask("hello"))["conversation_id"]
        cookies = browser.cookies()
    async with running_site(tmp_path / "t.db", ScriptedModel()) as site, Browser(site.url) as browser:
        browser.http.cookie_jar.update_cookies(cookies)
        async with browser.connect() as page:
            assert (await page.history(conversation))[0]["answer"] == "hi"


async def test_a_forged_cookie_is_a_fresh_browser(site: Site, browser: Browser) -> None:
    async with browser.http.get(browser.url):
        (name,) = browser.cookies()
    async with aiohttp.ClientSession(cookies={name: "forged.cookie.value"}) as http, http.get(site.url) as response:
        assert response.status == 200
        assert response.cookies[name].value != "forged.cookie.value"


async def test_a_link_on_another_site_does_not_cost_the_browser_its_cookie(browser: Browser) -> None:
    """It is held back then (SameSite=Strict); a new one would overwrite it."""
    async with browser.http.get(browser.url, headers={"Sec-Fetch-Site": "cross-site"}) as response:
        assert response.status == 200
        assert not response.cookies


# The gate.


@pytest.mark.parametrize("path", ["", "ws", "static/app.js", "readyz", "metrics"])
async def test_a_foreign_host_is_refused(browser: Browser, path: str) -> None:
    async with browser.http.get(browser.url + path, headers={"Host": "evil.example"}) as response:
        assert response.status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null"])
async def test_a_foreign_page_gets_no_websocket(browser: Browser, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with browser.http.ws_connect(f"{browser.url}ws", origin=origin):
            pass
    assert refused.value.status == 403


async def test_the_own_page_gets_its_websocket(browser: Browser) -> None:
    async with browser.http.ws_connect(f"{browser.url}ws", origin=browser.url[:-1]) as page:
        assert (await page.receive_json())["type"] == "status"


async def test_an_allowed_host_is_let_in(tmp_path: Path) -> None:
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(), allowed_hosts=("bot.example.org",)) as site,
        aiohttp.ClientSession() as http,
        http.get(site.url, headers={"Host": "bot.example.org"}) as response,
    ):
        assert response.status == 200


async def test_a_plain_request_for_the_websocket_is_refused(browser: Browser) -> None:
    async with browser.http.get(f"{browser.url}ws") as response:
        assert response.status == 400


# The access token.


async def log_in(browser: Browser, token: str, **headers: str) -> aiohttp.ClientResponse:
    return await browser.http.post(f"{browser.url}login", data={"token": token}, headers=headers, allow_redirects=False)


async def test_without_the_token_there_is_a_form_and_no_chat(guarded: Site) -> None:
    async with Browser(guarded.url) as browser:
        async with browser.http.get(guarded.url) as response:
            assert response.status == 401
            assert 'name="token"' in await response.text()
            assert not response.cookies
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with browser.connect():
                pass
        assert refused.value.status == 401


@pytest.mark.parametrize("origin", ["own", "null", None], ids=["own page", "as browsers send it", "no browser"])
async def test_with_the_token_there_is_the_page_and_the_chat(guarded: Site, origin: str | None) -> None:
    own = {"own": guarded.url[:-1], "null": "null"}
    async with Browser(guarded.url) as browser:
        response = await log_in(browser, TOKEN, **({"Origin": own[origin]} if origin else {}))
        assert (response.status, response.headers["Location"]) == (303, "/")
        async with browser.http.get(guarded.url) as page:
            assert page.status == 200
        async with browser.connect() as socket_:
            await socket_.get("status", state="model")


async def test_a_foreign_page_cannot_log_in(guarded: Site) -> None:
    async with Browser(guarded.url) as browser:
        assert (await log_in(browser, TOKEN, Origin="http://evil.example")).status == 403


async def test_guessing_the_token_is_slowed_down_and_logged_without_it(
    guarded: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Browser(guarded.url) as browser:
        for _ in range(MAX_FAILURES):
            response = await log_in(browser, "guess-guess-guess")
            assert response.status == 401
            assert not response.cookies
        limited = await log_in(browser, TOKEN)
        assert limited.status == 429
        assert 0 < int(limited.headers["Retry-After"]) <= 60
    assert "guess-guess" not in caplog.text
    assert TOKEN not in caplog.text


async def test_a_huge_login_is_refused(guarded: Site) -> None:
    async with Browser(guarded.url) as browser:
        assert (await log_in(browser, "x" * 100_000)).status == 413


def test_a_host_open_to_others_needs_a_token(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\[web\] access_token: .*"):
        WebPlatform(
            host="0.0.0.0",
            port=0,
            database=SQLiteDatabase(str(tmp_path / "t.db")),
            model=ScriptedModel(),
            agents={},
        )


async def test_a_host_open_to_others_serves_with_a_token(tmp_path: Path) -> None:
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(), host="0.0.0.0", access_token=TOKEN) as site,
        Browser(f"http://127.0.0.1:{site.port}/") as browser,
    ):
        assert (await log_in(browser, TOKEN)).status == 303


# Health.


async def test_alive_and_ready(browser: Browser) -> None:
    async with browser.http.get(f"{browser.url}healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    async with browser.http.get(f"{browser.url}readyz") as response:
        assert response.status == 200
        assert await response.json() == {
            "status": "ready",
            "model": {"name": "scripted/script-1", "state": "ready"},
            "database": "ok",
            "platforms": {"web": "connected"},
        }


class LoadingModel(ScriptedModel):
    state = Health("loading", "43 % of 1.1 GB, 40 s left")

    async def health(self) -> Health:
        return self.state


async def test_a_model_that_loads_is_not_ready_and_its_progress_is_told(tmp_path: Path) -> None:
    model = LoadingModel()
    async with running_site(tmp_path / "t.db", model) as site, Browser(site.url) as browser:
        async with browser.http.get(f"{site.url}readyz") as response:
            assert response.status == 503
            assert (await response.json())["model"]["state"] == "loading"
        async with browser.connect() as page:
            told = await page.get("status", state="model")
            assert (told["health"], told["text"]) == ("loading", "43 % of 1.1 GB, 40 s left")
            model.state = Health("ready", "all set")
            assert (await page.get("status", state="model"))["health"] == "ready"


async def test_a_closed_database_is_not_ready(site: Site, browser: Browser) -> None:
    await site.database.__aexit__(None, None, None)
    async with browser.http.get(f"{browser.url}readyz") as response:
        assert response.status == 503
        assert (await response.json())["database"] == "failed"
    await site.database.__aenter__()


# Ports.


async def test_a_port_that_is_taken_is_a_line_for_the_operator(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"^\[web\] port: {port} is in use"):
            async with running_site(tmp_path / "t.db", ScriptedModel(), port=port):
                pass


async def test_a_host_that_is_not_ours_is_a_line_for_the_operator(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^\[web\] host: '192\.0\.2\.1' cannot"):
        async with running_site(tmp_path / "t.db", ScriptedModel(), host="192.0.2.1", access_token=TOKEN):
            pass


async def test_after_its_end_the_port_is_free_again(tmp_path: Path) -> None:
    async with running_site(tmp_path / "t.db", ScriptedModel()) as site:
        port = site.port
    async with running_site(tmp_path / "t.db", ScriptedModel(), port=port) as site:
        assert site.port == port

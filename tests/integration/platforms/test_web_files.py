"""Files that answers to commands come with: for the browser that asked, once, for a while."""

import asyncio
import gzip
import json
import tempfile
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.answer_files import PREFIX, AnswerFile
from bot.platforms.web.downloads import FILES, IN_ALL, PER_BROWSER, Downloads
from bot.platforms.web.sessions import Sessions
from tests.core import BOSS
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.waiting import until
from tests.web import TOKEN, Browser, Fetched, Frame, Site, cookie_of, running_site

HEADERS = {
    "Content-Type": "application/json",
    "Content-Disposition": 'attachment; filename="my-data.json"',
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the program's temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def kept_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"{PREFIX}*/*") if path.name != ".lock")


@pytest.fixture
async def boss(site: Site) -> AsyncIterator[Browser]:
    async with Browser(site.url) as browser:
        browser.http.cookie_jar.update_cookies(await cookie_of(site.database, BOSS))
        yield browser


async def told(browser: Browser, line: str, **fields: object) -> Frame:
    """The note that answers a command."""
    async with browser.connect() as page:
        await page.send("message", text=f"/mission {line}", message_id="c", **fields)
        return await page.get("status", state="note", message_id="c")


async def mission_of(browser: Browser, text: str = "hello") -> str:
    async with browser.connect() as page:
        return str((await page.ask(text))["conversation_id"])


async def refused(browser: Browser, path: str) -> bool:
    """Whether it is not found, in the words in which nothing at all is not found."""
    found, nothing = await browser.fetch(path), await browser.fetch(f"{FILES}{'A' * 43}")
    assert _all_but_date(found) == _all_but_date(nothing) or found.status == 200
    return found.status == 404


def _all_but_date(fetched: Fetched) -> tuple[int, bytes, dict[str, str]]:
    return fetched.status, fetched.body, {name: value for name, value in fetched.headers.items() if name != "Date"}


# What the asker gets.


async def test_somebodys_data_comes_as_a_file_once(temporary: Path, browser: Browser) -> None:
    await mission_of(browser, "my secret")
    note = await told(browser, "forget export")
    (kept,) = kept_in(temporary)
    whole, file = kept.read_bytes(), note["file"]
    assert (file["name"], file["size"]) == ("my-data.json", len(whole))
    assert note["text"] == "All that I have of yours."
    fetched = await browser.fetch(file["url"])
    assert (fetched.status, fetched.body) == (200, whole)
    assert [each["message"] for each in json.loads(whole)["messages"]] == ["my secret"]
    assert {name: fetched.headers[name] for name in HEADERS} == HEADERS
    assert await refused(browser, file["url"])
    assert kept_in(temporary) == []


@pytest.mark.parametrize(
    ("format_", "ending", "media_type"),
    [
        ("json", ".json", "application/json"),
        ("jsonl", ".jsonl", "application/jsonl"),
        ("markdown", ".md", "text/markdown; charset=utf-8"),
        ("html", ".html", "text/html; charset=utf-8"),
        ("csv", ".csv", "text/csv; charset=utf-8"),
        ("finetune", ".finetune.jsonl", "application/jsonl"),
    ],
)
async def test_an_admin_gets_a_mission_in_every_format(
    boss: Browser, format_: str, ending: str, media_type: str
) -> None:
    mission = await mission_of(boss)
    file = (await told(boss, f"export {mission} {format_}", conversation_id=mission))["file"]
    fetched = await boss.fetch(file["url"])
    assert file["name"] == f"mission-{mission}{ending}"
    assert fetched.headers["Content-Disposition"] == f'attachment; filename="mission-{mission}{ending}"'
    assert fetched.headers["Content-Type"] == media_type
    assert b"You said: hello" in fetched.body


async def test_a_page_that_was_taken_out_runs_nothing_here(boss: Browser) -> None:
    mission = await mission_of(boss, "<script>alert(1)</script>")
    fetched = await boss.fetch((await told(boss, f"export {mission} html"))["file"]["url"])
    policy = fetched.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "sandbox"} <= set(policy)
    assert fetched.headers["Content-Disposition"].startswith("attachment")


async def test_who_is_no_admin_gets_no_export(temporary: Path, browser: Browser) -> None:
    mission = await mission_of(browser)
    async with browser.connect() as page:
        for line in ("export", "export all", f"export {mission} html"):
            await page.send("message", text=f"/mission {line}", conversation_id=mission, message_id="c")
            assert await page.get("error") == {
                "type": "error",
                "text": "Only admins may export missions.",
                "message_id": "c",
                "conversation_id": mission,
            }
    assert kept_in(temporary) == []


async def test_a_look_does_not_use_it_up_and_a_part_is_the_whole(browser: Browser) -> None:
    await mission_of(browser)
    file = (await told(browser, "forget export"))["file"]
    assert (await browser.fetch(file["url"], "HEAD")).status == 405
    fetched = await browser.fetch(file["url"], Range="bytes=0-3")
    assert (fetched.status, len(fetched.body)) == (200, file["size"])


async def test_a_file_outlasts_its_websocket(browser: Browser) -> None:
    await mission_of(browser)
    url = (await told(browser, "forget export"))["file"]["url"]
    async with browser.connect() as page:
        await page.get("status", state="model")
    assert (await browser.fetch(url)).status == 200


# Who does not.


async def test_another_browser_gets_nothing_and_uses_nothing_up(site: Site, browser: Browser, boss: Browser) -> None:
    await mission_of(browser)
    url = (await told(browser, "forget export"))["file"]["url"]
    async with Browser(site.url) as stranger:
        assert await refused(stranger, url)
    assert await refused(boss, url)
    assert (await browser.fetch(url)).status == 200


@pytest.mark.parametrize("token", ["x", "A" * 43, "..%2f..%2fetc%2fpasswd", "%00", "%F0%9F%98%80"])
async def test_a_made_up_token_is_not_found(browser: Browser, token: str) -> None:
    await mission_of(browser)
    await told(browser, "forget export")
    assert await refused(browser, f"{FILES}{token}")


async def test_of_two_who_fetch_at_once_one_gets_it(browser: Browser) -> None:
    await mission_of(browser)
    url = (await told(browser, "forget export"))["file"]["url"]
    fetched = await asyncio.gather(*(browser.fetch(url) for _ in range(5)))
    assert sorted(each.status for each in fetched) == [200, 404, 404, 404, 404]


async def test_a_foreign_page_gets_nothing(browser: Browser) -> None:
    await mission_of(browser)
    url = (await told(browser, "forget export"))["file"]["url"]
    assert (await browser.fetch(url, Origin="http://evil.example")).status == 403
    assert (await browser.fetch(url, Host="evil.example")).status == 403
    assert (await browser.fetch(url)).status == 200


async def test_without_the_access_token_there_is_nothing(tmp_path: Path) -> None:
    """A cookie of the same browser from before the token was set does not do."""
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(answer=echo), access_token=TOKEN) as site,
        Browser(site.url) as browser,
        Browser(site.url) as untrusted,
    ):
        for client in (browser, untrusted):
            client.http.cookie_jar.update_cookies(await cookie_of(site.database, BOSS))
        await browser.http.post(f"{site.url}login", data={"token": TOKEN})
        url = (await told(browser, "forget export"))["file"]["url"]
        assert await refused(untrusted, url)
        assert (await browser.fetch(url)).status == 200


# How long and how many.


async def test_the_oldest_makes_room(temporary: Path, browser: Browser) -> None:
    await mission_of(browser)
    notes = [await told(browser, "forget export") for _ in range(PER_BROWSER + 1)]
    assert len(kept_in(temporary)) == PER_BROWSER
    first, *others = (note["file"]["url"] for note in notes)
    assert await refused(browser, first)
    assert [(await browser.fetch(url)).status for url in others] == [200] * PER_BROWSER


async def test_the_end_of_the_server_removes_what_waits(temporary: Path, site: Site, browser: Browser) -> None:
    await mission_of(browser)
    await told(browser, "forget export")
    assert len(kept_in(temporary)) == 1
    await site.stop()
    assert kept_in(temporary) == []


async def test_who_was_forgotten_leaves_no_file(temporary: Path, browser: Browser) -> None:
    await mission_of(browser)
    url = (await told(browser, "forget export"))["file"]["url"]
    async with browser.connect() as page:
        await page.send("message", text="/mission forget yes")
        await page.get("status", state="forgotten")
    assert kept_in(temporary) == []
    assert await refused(browser, url)


# The same for files of any name and size.


@asynccontextmanager
async def serving(**seconds: float) -> AsyncIterator[tuple[Downloads, Browser]]:
    """Downloads on a port of their own, and the browser `me`."""
    sessions = Sessions("key", None)
    downloads, app = Downloads(sessions, **seconds), web.Application()
    app.add_routes([web.get(f"{FILES}{{token}}", downloads.serve)])
    async with AsyncExitStack() as stack:
        stack.callback(downloads.close)
        runner = web.AppRunner(app)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        browser = await stack.enter_async_context(Browser(f"http://127.0.0.1:{port}/"))
        browser.http.cookie_jar.update_cookies({sessions.cookie: sessions.write("me")})
        yield downloads, browser


def file_of(folder: Path, name: str, content: bytes = b"content") -> AnswerFile:
    path = folder / str(len(list(folder.iterdir())))
    path.write_bytes(content)
    return AnswerFile(name, path)


async def test_what_nobody_fetches_goes_after_a_while(tmp_path: Path) -> None:
    file = file_of(tmp_path, "a.json")
    async with serving(kept=0) as (downloads, browser):
        link = downloads.keep("me", file)
        assert file.path.exists()
        await until(lambda: not file.path.exists())
        assert await refused(browser, link.url)


async def test_all_browsers_together_are_bounded_too(tmp_path: Path) -> None:
    files = [file_of(tmp_path, "a.json") for _ in range(IN_ALL + 3)]
    async with serving() as (downloads, browser):
        mine = downloads.keep("me", files[0])
        for number, file in enumerate(files[1:]):
            downloads.keep(f"browser {number}", file)
        assert [file.path.exists() for file in files] == [False] * 3 + [True] * IN_ALL
        assert await refused(browser, mine.url)
    assert not any(file.path.exists() for file in files)


@pytest.mark.parametrize(
    ("name", "told", "media_type"),
    [
        ("missions.json.gz", 'filename="missions.json.gz"', "application/gzip"),
        ('a"b\\c\r\nX: 1.html', "filename=\"a_b_c__X_ 1.html\"; filename*=UTF-8''a%22b%5Cc%0D%0AX%3A%201.html", "html"),
        ("Ünter €.csv", "filename=\"_nter _.csv\"; filename*=UTF-8''%C3%9Cnter%20%E2%82%AC.csv", "text/csv"),
        ("half \ud800.md", "filename=\"half _.md\"; filename*=UTF-8''half%20%3F.md", "text/markdown"),
        ("noending", 'filename="noending"', "application/octet-stream"),
    ],
)
async def test_every_name_is_told_as_http_has_it(tmp_path: Path, name: str, told: str, media_type: str) -> None:
    content = gzip.compress(b"content")
    async with serving() as (downloads, browser):
        fetched = await browser.fetch(downloads.keep("me", file_of(tmp_path, name, content)).url)
    assert fetched.headers["Content-Disposition"] == f"attachment; {told}"
    assert media_type in fetched.headers["Content-Type"]
    assert "Content-Encoding" not in fetched.headers
    assert fetched.body == content


def large(folder: Path, size: int = 64 * 2**20) -> AnswerFile:
    path = folder / "large"
    with path.open("wb") as file:
        file.truncate(size)
    return AnswerFile("large.json", path)


async def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    async with serving() as (downloads, browser):
        link, received = downloads.keep("me", large(tmp_path)), 0
        tracemalloc.start()
        try:
            async with browser.http.get(f"{browser.url[:-1]}{link.url}") as response:
                async for chunk in response.content.iter_chunked(2**16):
                    received += len(chunk)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert received == link.size == 64 * 2**20
    assert peak < 8 * 2**20


async def test_who_takes_too_long_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = large(tmp_path)
    async with serving(sending=0) as (downloads, browser):
        link = downloads.keep("me", file)
        with pytest.raises(aiohttp.ClientError):
            await browser.fetch(link.url)
        await until(lambda: not file.path.exists())
    assert "took too long" in caplog.text
    assert link.url.removeprefix(FILES) not in caplog.text


async def test_who_goes_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    file = large(tmp_path)
    async with serving() as (downloads, browser):
        link = downloads.keep("me", file)
        async with browser.http.get(f"{browser.url[:-1]}{link.url}") as response:
            assert await response.content.readexactly(10) == bytes(10)
            response.close()
        await until(lambda: not file.path.exists())

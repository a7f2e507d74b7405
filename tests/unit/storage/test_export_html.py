"""The page of a transcript: nothing of what was said is more than text, and it needs nothing but itself."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.platforms.web.rendering import render
from storage import conversations, turns
from storage.database import Connection
from storage.export import Options
from storage.images import Image
from storage.sqlite import SQLiteDatabase
from storage.turns import NewTurn
from tests.exports import exported, parsed
from tests.storage_builders import answer, message, opening, result

TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "section", "article", "header", "h1", "h2", "b", "time",
    "p", "div", "dl", "dt", "dd", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "a", "img",
}  # fmt: skip
ATTRIBUTES = {
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "id",
    "class",
    "dir",
    "datetime",
    "href",
    "alt",
    "src",
}
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><script>x</script>", "<!-- open",
    "</div></article></section>", "' onmouseover='alert(1)", "javascript:alert(1)", "&lt;b&gt;",
    "<svg/onload=alert(1)>",
    "\x00<b>\x00", "a\x00b\x00\x00c", "\x1b[31m", "\u202eevil", "]]>", "<plaintext>", "<base href=//x>",
    "<meta http-equiv=refresh content=0>",
)  # fmt: skip
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as opened:
        yield opened


def talk(connection: Connection, question: str = "decrypt", said: str = "HELLO", channel: str = "c") -> None:
    new = NewTurn(f"{channel}:{question}", "u1", question, question, opening(channel, title=question))
    number = turns.admit(connection, new).conversation
    claim = turns.claim(connection, number, window=0)
    assert claim is not None
    turns.record_step(connection, claim.turn, claim.attempt, result(0, question or "decrypt"))
    turns.conclude(connection, claim.turn, claim.attempt, answer(said))
    turns.finish(connection, claim.turn, claim.attempt)


def visible(text: str) -> str:
    """As a page shows it: controls are replaced."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "\ufffd", text)


async def test_a_mission_is_told_with_its_questions_answers_and_gadgets(database: SQLiteDatabase) -> None:
    await database.write(talk)
    await database.write(turns.admit, message("queued", "two\n  lines", channel="c"))
    page = parsed(await exported(database, "html"))
    assert page.texts("h2") == ["decrypt"]
    assert page.texts("div", "text") == ["decrypt", "HELLO", '{"shift": 1}', "HELLO", "two\n  lines"]
    assert page.texts("summary") == ["Used decrypt"]
    assert page.texts("p", "state") == ["(queued)"]
    assert "quartermaster" in page.texts("dd")
    assert "table" not in page.tags


async def test_several_missions_are_listed_in_a_table_of_links(database: SQLiteDatabase) -> None:
    await database.write(talk, "first", channel="c1")
    await database.write(conversations.open_, opening("silent"))
    await database.write(talk, "third", channel="c3")
    page = parsed(await exported(database, "html"))
    links = [element for element in page.elements if element.tag == "a"]
    assert [link.text for link in links][::2] == ["first", "third"]
    assert [link.attributes["href"] for link in links] == ["#m1", "#m2", "#m3"]
    assert [e.attributes["id"] for e in page.elements if e.tag == "section"] == ["m1", "m2", "m3"]


async def test_nothing_to_tell_is_a_page_all_the_same(database: SQLiteDatabase) -> None:
    page = parsed(await exported(database, "html"))
    assert page.texts("title") == ["Missions"]
    assert "section" not in page.tags


@pytest.mark.parametrize("options", [Options(), Options(render=render)], ids=["plain", "laid out"])
@pytest.mark.parametrize("text", HOSTILE)
async def test_no_text_is_more_than_text(database: SQLiteDatabase, text: str, options: Options) -> None:
    await database.write(talk, text, text)
    await database.write(talk, text, text, "other")
    page = parsed(await exported(database, "html", options=options))
    laid_out = {"code", "pre", "blockquote", "h3", "strong", "em"} if options.render else set()
    assert page.tags <= TAGS | laid_out
    assert page.attributes <= ATTRIBUTES
    assert visible(text).strip() in page.texts("h2")[0]
    assert page.texts("div", "text")[0] == visible(text)
    assert [e.attributes.get("href") for e in page.elements if e.tag == "a"] == ["#m1", "#m2"]


async def test_answers_are_laid_out_by_whoever_knows_markdown(database: SQLiteDatabase) -> None:
    await database.write(
        talk, "x", "**bold** <script>alert(1)</script>\n\n[a](https://example.org) ![b](https://e.org/i)"
    )
    html = await exported(database, "html", options=Options(render=render))
    page = parsed(html)
    assert page.texts("strong") == ["bold"]
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert "https://example.org" in [e.attributes.get("href") for e in page.elements if e.tag == "a"]


async def test_the_policy_allows_its_own_style_and_nothing_else(database: SQLiteDatabase) -> None:
    html = await exported(database, "html")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'", "img-src data:", f"style-src 'sha256-{digest}'", "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip
    assert html.index("<meta charset") < html.index("Content-Security-Policy") < html.index("<style>")
    assert not re.search(r"(?:src|href)=.?(?:https?:|//)|@import|url\(|<script|<link|style=", html)


async def test_pictures_are_in_the_page_if_they_are_of_a_kind_that_cannot_run(database: SQLiteDatabase) -> None:
    files = ({"name": "<cat>.png", "image": 0}, {"name": "evil.svg", "image": 1})
    pictures = (Image(0, "image/png", PNG), Image(1, "image/svg+xml", b"<svg onload='alert(1)'/>"))
    new = NewTurn("1", "u1", "Eve", "look", opening(), attachments=files, images=pictures)
    await database.write(turns.admit, new)
    page = parsed(await exported(database, "html"))
    (shown,) = [element.attributes["src"] for element in page.elements if element.tag == "img"]
    assert shown == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert page.texts("p", "made") == ["Attached: <cat>.png, evil.svg"]

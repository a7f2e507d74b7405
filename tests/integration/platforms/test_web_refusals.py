"""What the chat WebSocket refuses: what is no frame, and what belongs to another browser."""

import json
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.scripted_model import ScriptedModel, echo
from tests.web import Browser, Frame, Site, running_site

NOT_FRAMES = [
    ("hello", "no JSON"),
    ("", "nothing"),
    ("[]", "no object"),
    ("{}", "no type"),
    ('{"type": "shutdown"}', "an unknown type"),
    ('{"type": 5}', "a type of the wrong type"),
    ('{"type": "message"}', "a missing field"),
    ('{"type": "message", "text": 5}', "a number for a text"),
    ('{"type": "message", "text": "hi", "admin": true}', "an unknown field"),
    ('{"type": "message", "text": "hi", "message_id": "a b"}', "an id with a blank"),
    ('{"type": "message", "text": "hi", "message_id": "' + "x" * 65 + '"}', "a long id"),
    ('{"type": "message", "text": "   "}', "an empty text"),
    ('{"type": "message", "text": "\\ud800"}', "half a character"),
    ('{"type": "message", "text": "' + "x" * 200_001 + '"}', "more than is stored"),
    ('{"type": "rate", "turn": 1, "rating": 2}', "a rating out of range"),
    ('{"type": "rate", "turn": 1, "rating": true}', "a rating that is no number"),
    ('{"type": "rate", "turn": 99999999999999999999, "rating": 1}', "a number no database holds"),
    ('{"type": "get_conversations", "before": -1}', "a negative position"),
    ('{"type": "message", "text": "' + "x" * 1024 * 1024 + '"}', "more than 1 MiB"),
    ("[" * 100_000, "deep nesting"),
]


@pytest.mark.parametrize(("text", "reason"), NOT_FRAMES, ids=[reason for _, reason in NOT_FRAMES])
async def test_what_is_no_frame_is_an_error_and_the_connection_stays(browser: Browser, text: str, reason: str) -> None:
    async with browser.connect() as page:
        await page.socket.send_str(text)
        assert (await page.get("error"))["text"]
        assert (await page.ask("still there?"))["outcome"] == "answered"


async def test_bytes_are_refused_and_the_connection_stays(browser: Browser) -> None:
    async with browser.connect() as page:
        await page.socket.send_bytes(b'{"type": "new"}')
        assert (await page.get("error"))["text"] == "I read text frames only."
        assert (await page.ask("still there?"))["outcome"] == "answered"


async def test_broken_utf8_is_refused_and_the_connection_stays(browser: Browser) -> None:
    async with browser.connect() as page:
        await page.socket.send_frame(b'{"type": "message", "text": "\xff"}', aiohttp.WSMsgType.TEXT)
        assert (await page.get("error"))["text"]
        assert (await page.ask("still there?"))["outcome"] == "answered"


async def test_a_database_that_fails_keeps_the_message_unacknowledged(tmp_path: Path) -> None:
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(answer=echo)) as site,
        Browser(site.url) as browser,
        browser.connect() as page,
    ):
        await site.database.write(lambda connection: connection.execute("ALTER TABLE turns RENAME TO lost").fetchall())
        await page.send("message", text="hi", message_id="m")
        error = await page.get("error", message_id="m")
        assert "did not take this one in" in error["text"]
        await site.database.write(lambda connection: connection.execute("ALTER TABLE lost RENAME TO turns").fetchall())
        assert (await page.ask("hi", message_id="m"))["outcome"] == "answered"


# One browser, another browser.


async def test_a_browser_sees_nothing_of_another(site: Site, browser: Browser) -> None:
    async with browser.connect() as page, Browser(site.url) as stranger, stranger.connect() as spy:
        complete = await page.ask("my secret")
        await spy.send("get_conversations")
        assert (await spy.get("conversations"))["conversations"] == []
        await spy.send("stop", conversation_id="nothing")  # answered last: what came before it is all there was
        assert "secret" not in json.dumps(await spy.until("error"))
        assert complete["outcome"] == "answered"


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "get_conversations"},
        {"type": "end_conversation"},
        {"type": "stop"},
        {"type": "message", "text": "let me in", "message_id": "m"},
        {"type": "message", "text": "/mission end", "message_id": "m"},
    ],
    ids=lambda frame: frame.get("text") or frame["type"],
)
async def test_a_guessed_conversation_is_refused_as_if_it_were_not_there(
    site: Site, browser: Browser, frame: Frame
) -> None:
    async with browser.connect() as page, Browser(site.url) as stranger, stranger.connect() as spy:
        mine = (await page.ask("my secret"))["conversation_id"]
        answers = []
        for conversation in (mine, "abcdefghjk", mine[:6]):
            await spy.socket.send_str(json.dumps(frame | {"conversation_id": conversation}))
            answers.append((await spy.get("error"))["text"])
        (message,) = await page.history(mine)
        await page.send("get_conversations")
        (listed,) = (await page.get("conversations"))["conversations"]
    assert len(set(answers)) == 1
    assert message["text"] == "my secret"
    assert listed["status"] == "active"


@pytest.mark.parametrize("command", ["/mission show", "/mission end"])
async def test_a_guessed_conversation_is_refused_by_commands_too(site: Site, browser: Browser, command: str) -> None:
    async with browser.connect() as page, Browser(site.url) as stranger, stranger.connect() as spy:
        mine = (await page.ask("my secret"))["conversation_id"]
        await spy.send("message", text=f"{command} {mine}", message_id="m")
        assert "no such mission" in (await spy.get("error", message_id="m"))["text"]


async def test_a_strangers_answer_cannot_be_rated(site: Site, browser: Browser) -> None:
    async with browser.connect() as page, Browser(site.url) as stranger, stranger.connect() as spy:
        complete = await page.ask("hi")
        await spy.send("rate", turn=complete["turn"], rating=-1)
        assert (await spy.get("error"))["text"] == "I know no such answer."
        (message,) = await page.history(complete["conversation_id"])
    assert message["rating"] == 0


async def test_the_same_message_id_of_two_browsers_is_two_messages(site: Site, browser: Browser) -> None:
    async with browser.connect() as page, Browser(site.url) as stranger, stranger.connect() as other:
        one, two = await page.ask("one", message_id="m"), await other.ask("two", message_id="m")
    assert one["turn"] != two["turn"]
    assert two["text"] == "You said: two"


async def test_a_prefix_of_an_own_conversation_is_not_its_id(browser: Browser) -> None:
    async with browser.connect() as page:
        mine = (await page.ask("hi"))["conversation_id"]
        await page.send("get_conversations", conversation_id=mine[:6])
        assert "no such mission" in (await page.get("error"))["text"]


async def test_two_pages_of_one_browser_see_the_same(browser: Browser) -> None:
    async with browser.connect() as page, browser.connect() as second:
        await page.send("message", text="hi", message_id="m")
        received = await second.get("status", state="received")
        assert received["text"] == "hi"
        assert (await second.get("response_complete"))["text"] == "You said: hi"

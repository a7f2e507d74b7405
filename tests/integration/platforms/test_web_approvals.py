"""Approvals on the page: a question with an id, a frame that decides it, also after a reload and a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.models.model import ToolCall
from storage.database import Connection
from tests.core import launch
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.web import Browser, Frame, Page, Site, running_site

CALL = ToolCall("1", "launch", {"target": "<b>moon</b>"})


@asynccontextmanager
async def site(path: Path, *scripts: Script) -> AsyncIterator[Site]:
    async with running_site(path / "t.db", ScriptedModel(*scripts), gadgets=[launch]) as running:
        yield running


async def asked(page: Page) -> Frame:
    await page.send("message", text="go", message_id="m")
    return await page.get("approval")


def verdicts(connection: Connection) -> list[str | None]:
    return [verdict for (verdict,) in connection.execute("SELECT verdict FROM approvals").fetchall()]


async def test_a_question_is_asked_and_approved(tmp_path: Path) -> None:
    async with site(tmp_path, [CALL], ["Launched."]) as at, Browser(at.url) as browser, browser.connect() as page:
        question = await asked(page)
        assert (question["message_id"], question["turn"]) == ("m", 1)
        assert "<code>launch</code>" in question["html"]
        assert "<b>" not in question["html"]
        assert "&lt;b&gt;moon" in question["html"]
        assert question["expires_at"] > "2026"
        await page.send("decide", approval=question["approval"], decision="approve")
        frames = await page.until("response_complete")
        (decided,) = [frame for frame in frames if frame.get("state") == "decided"]
        assert (decided["turn"], decided["approval"]) == (1, question["approval"])
        assert decided["text"] == "Approved: I use `launch`."
        assert (frames[-1]["text"], frames[-1]["tools"]) == ("Launched.", ["launch"])


async def test_a_declined_question_is_followed_by_an_answer_without(tmp_path: Path) -> None:
    async with site(tmp_path, [CALL], ["Not launched."]) as at, Browser(at.url) as browser, browser.connect() as page:
        question = await asked(page)
        await page.send("decide", approval=question["approval"], decision="decline")
        assert (await page.get("response_complete"))["text"] == "Not launched."
        assert await at.database.read(verdicts) == ["declined"]


async def test_a_page_that_comes_later_sees_the_question(tmp_path: Path) -> None:
    async with site(tmp_path, [CALL], ["Launched."]) as at, Browser(at.url) as browser:
        async with browser.connect() as page:
            question = await asked(page)
        async with browser.connect() as page:
            again = await page.get("approval")
            assert again == question
            (message,) = await page.history(question["conversation_id"])
            assert (message["approval"], message["answer"]) == (question["approval"], question["text"])
            await page.send("decide", approval=question["approval"], decision="approve")
            assert (await page.get("response_complete"))["text"] == "Launched."
            (message,) = await page.history(question["conversation_id"])
            assert (message.get("approval"), message["answer"]) == (None, "Launched.")


async def test_a_question_is_decided_after_a_restart(tmp_path: Path) -> None:
    async with Browser("") as browser:
        async with site(tmp_path, [CALL]) as at:
            browser.url = at.url
            async with browser.connect() as page:
                question = await asked(page)
        async with site(tmp_path, ["Launched."]) as at:
            browser.url = at.url
            async with browser.connect() as page:
                (message,) = await page.history(question["conversation_id"])
                assert (message["approval"], message["expires_at"]) == (question["approval"], question["expires_at"])
                assert message["html"] == question["html"]
                await page.send("decide", approval=message["approval"], decision="approve")
                assert (await page.get("response_complete"))["text"] == "Launched."


async def test_all_pages_of_the_browser_see_that_it_goes_on(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with (
        site(tmp_path, [CALL], [go_on, "Launched."]) as at,
        Browser(at.url) as browser,
        browser.connect() as page,
        browser.connect() as other,
    ):
        question = await asked(page)
        await other.get("approval")
        await page.send("decide", approval=question["approval"], decision="approve")
        assert (await other.get("response_chunk"))["text"] == ""
        go_on.set()
        await other.get("response_complete")


async def test_of_two_decisions_the_second_is_told_that_it_is_too_late(tmp_path: Path) -> None:
    async with site(tmp_path, [CALL], ["Launched."]) as at, Browser(at.url) as browser, browser.connect() as page:
        question = await asked(page)
        for decision in ("approve", "decline"):
            await page.send("decide", approval=question["approval"], decision=decision)
        first, second = [await page.get("status", state="decided") for _ in range(2)]
        assert first["text"].startswith("Approved")
        assert second["text"] == "That was approved already."
        assert await at.database.read(verdicts) == ["approved"]


async def test_another_browser_decides_nothing(tmp_path: Path) -> None:
    async with (
        site(tmp_path, [CALL]) as at,
        Browser(at.url) as browser,
        Browser(at.url) as stranger,
        browser.connect() as page,
        stranger.connect() as elsewhere,
    ):
        question = await asked(page)
        await elsewhere.send("decide", approval=question["approval"], decision="approve")
        assert (await elsewhere.get("error"))["text"] == "Only who asked, or an admin, may decide this."
        await elsewhere.send("decide", approval=99, decision="approve")
        assert (await elsewhere.get("error"))["text"] == "I know no such question."
        assert await at.database.read(verdicts) == [None]


async def test_a_stopped_question_is_gone_from_the_page(tmp_path: Path) -> None:
    async with site(tmp_path, [CALL]) as at, Browser(at.url) as browser, browser.connect() as page:
        question = await asked(page)
        await page.send("stop", conversation_id=question["conversation_id"])
        assert (await page.get("response_complete"))["outcome"] == "stopped"
        await page.send("decide", approval=question["approval"], decision="approve")
        assert (await page.get("status", state="decided"))["text"] == "Nothing waits for that any more."

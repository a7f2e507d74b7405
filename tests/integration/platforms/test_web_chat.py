"""The chat WebSocket: every frame, every refusal, over real sockets and the real core."""

import asyncio
from pathlib import Path

from bot.models.model import ToolCall
from storage.database import Connection
from tests.fakes.scripted_model import ScriptedModel
from tests.waiting import until_found
from tests.web import Browser, Site, running_site


async def test_a_message_is_received_then_answered(browser: Browser) -> None:
    async with browser.connect() as page:
        await page.send("message", text="**hello**", message_id="first")
        received = await page.get("status", state="received")
        started = await page.get("response_start")
        complete = await page.get("response_complete")
    assert received["message_id"] == started["message_id"] == complete["message_id"] == "first"
    assert received["turn"] == started["turn"] == complete["turn"]
    assert complete["text"] == "You said: **hello**"
    assert complete["html"] == "<p>You said: <strong>hello</strong></p>\n"
    assert complete["outcome"] == "answered"
    assert complete["model"] == "scripted/script-1"


async def test_a_growing_answer_comes_in_chunks_of_the_whole_text_so_far(tmp_path: Path) -> None:
    more = asyncio.Event()
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(["One **two", more, "** three."])) as site,
        Browser(site.url) as browser,
        browser.connect() as page,
    ):
        await page.send("message", text="Count", message_id="m")
        chunk = await page.get("response_chunk", text="One **two")
        assert chunk["html"] == "<p>One **two</p>\n"
        more.set()
        assert (await page.get("response_complete"))["html"] == "<p>One <strong>two</strong> three.</p>\n"


async def test_what_a_gadget_does_is_told_and_named_in_the_end(tmp_path: Path) -> None:
    call = ToolCall("1", "shout", {"text": "hey"})
    async with (
        running_site(tmp_path / "t.db", ScriptedModel([call], ["HEY!"])) as site,
        Browser(site.url) as browser,
        browser.connect() as page,
    ):
        await page.send("message", text="Shout hey", message_id="m")
        assert (await page.get("status", state="working"))["text"]
        assert (await page.get("response_complete"))["tools"] == ["shout"]


async def test_a_message_sent_again_is_one_turn(browser: Browser) -> None:
    async with browser.connect() as page:
        first = await page.ask("once", message_id="same")
        await page.send("message", text="once", message_id="same")
        again = await page.get("status", state="received", message_id="same")
        assert again["duplicate"]
        assert again["turn"] == first["turn"]
        assert len(await page.history(first["conversation_id"])) == 1


async def test_a_message_sent_again_after_its_conversation_ended_begins_nothing(browser: Browser) -> None:
    async with browser.connect() as page:
        first = await page.ask("once", message_id="same")
        await page.send("end_conversation", conversation_id=first["conversation_id"])
        await page.send("message", text="once", message_id="same", conversation_id=first["conversation_id"])
        again = await page.get("status", state="received", duplicate=True)
        assert again["conversation_id"] == first["conversation_id"]
        await page.send("get_conversations")
        assert len((await page.get("conversations"))["conversations"]) == 1


async def test_a_message_to_an_ended_conversation_begins_another(browser: Browser) -> None:
    async with browser.connect() as page:
        first = (await page.ask("one", message_id="a"))["conversation_id"]
        await page.send("end_conversation", conversation_id=first)
        await page.get("status", state="updated", conversation_id=first)
        second = await page.ask("two", message_id="b", conversation_id=first)
        assert second["conversation_id"] != first


async def test_messages_without_a_conversation_begin_one_each(browser: Browser) -> None:
    async with browser.connect() as page:
        one = await page.ask("one", message_id="a")
        two = await page.ask("two", message_id="b")
        three = await page.ask("three", message_id="c", conversation_id=one["conversation_id"])
    assert one["conversation_id"] != two["conversation_id"]
    assert three["conversation_id"] == one["conversation_id"]


async def test_an_agent_can_be_asked_for(browser: Browser) -> None:
    async with browser.connect() as page:
        await page.send("new", agent="plain")
        assert (await page.get("status", state="new"))["conversation"]["agent"] == "plain"
        await page.send("message", text="hi", message_id="m", agent="plain")
        assert (await page.get("status", state="updated"))["conversation"]["agent"] == "plain"


async def test_an_unknown_agent_is_a_sentence_with_the_messages_id(browser: Browser) -> None:
    async with browser.connect() as page:
        await page.send("message", text="hi", message_id="m", agent="nobody")
        error = await page.get("error")
    assert error["message_id"] == "m"
    assert "quartermaster" in error["text"]


async def test_new_begins_an_empty_conversation_that_takes_messages(browser: Browser) -> None:
    async with browser.connect() as page:
        await page.send("new")
        begun = (await page.get("status", state="new"))["conversation"]
        assert begun["status"] == "active"
        complete = await page.ask("hi", conversation_id=begun["conversation_id"])
        assert complete["conversation_id"] == begun["conversation_id"]


async def test_the_list_names_title_agent_and_state(browser: Browser) -> None:
    async with browser.connect() as page:
        conversation = (await page.ask("Weather in Oslo?\nplease"))["conversation_id"]
        await page.send("end_conversation", conversation_id=conversation)
        ended = await page.get("status", state="updated", conversation_id=conversation)
        await page.send("get_conversations")
        listing = await page.get("conversations")
    assert ended["conversation"]["title"] == "Weather in Oslo?"
    (listed,) = listing["conversations"]
    assert (listed["title"], listed["agent"], listed["status"]) == ("Weather in Oslo?", "quartermaster", "completed")
    assert {agent["name"] for agent in listing["agents"]} == {"quartermaster", "plain"}


async def test_the_list_is_paged(browser: Browser) -> None:
    async with browser.connect() as page:
        for _ in range(53):
            await page.send("new")
            await page.get("status", state="new")
        await page.send("get_conversations")
        newest = await page.get("conversations")
        await page.send("get_conversations", before=newest["conversations"][-1]["number"])
        oldest = await page.get("conversations")
    assert (len(newest["conversations"]), newest["more"]) == (50, True)
    assert (len(oldest["conversations"]), "more" in oldest) == (3, False)


async def test_messages_are_paged_oldest_first(browser: Browser) -> None:
    async with browser.connect() as page:
        conversation = (await page.ask("0", message_id="m0"))["conversation_id"]
        for number in range(1, 33):
            await page.ask(str(number), message_id=f"m{number}", conversation_id=conversation)
        newest = await page.history(conversation)
        earlier = await page.history(conversation, before=newest[0]["turn"])
    assert [message["text"] for message in newest] == [str(number) for number in range(3, 33)]
    assert [message["text"] for message in earlier] == ["0", "1", "2"]


async def test_a_stored_message_says_everything_about_its_answer(browser: Browser) -> None:
    async with browser.connect() as page:
        complete = await page.ask("*hi*", message_id="m")
        await page.send("rate", turn=complete["turn"], rating=1)
        await page.get("status", state="rated")
        (message,) = await page.history(complete["conversation_id"])
    created = message.pop("created_at")
    assert created
    assert message == {
        "turn": complete["turn"],
        "message_id": "m",
        "status": "answered",
        "text": "*hi*",
        "answer": "You said: *hi*",
        "html": "<p>You said: <em>hi</em></p>\n",
        "model": "scripted/script-1",
        "tools": [],
        "rating": 1,
    }


async def test_stop_ends_the_answer_and_keeps_its_text(tmp_path: Path) -> None:
    async with (
        running_site(tmp_path / "t.db", ScriptedModel(["Once upon a time", asyncio.Event()])) as site,
        Browser(site.url) as browser,
        browser.connect() as page,
    ):
        await page.send("message", text="Tell me a story", message_id="m")
        started = await page.get("response_chunk", text="Once upon a time")
        await page.send("stop", conversation_id=started["conversation_id"])
        await page.get("status", state="stopping")
        complete = await page.get("response_complete")
    assert complete["outcome"] == "stopped"
    assert complete["text"].startswith("Once upon a time")


async def test_stop_without_an_answer_is_idle(site: Site, browser: Browser) -> None:
    async with browser.connect() as page:
        conversation = (await page.ask("hi"))["conversation_id"]
        await until_found(lambda: site.database.read(statuses), lambda found: found == ["answered"])
        await page.send("stop", conversation_id=conversation)
        await page.get("status", state="idle", conversation_id=conversation)


def statuses(connection: Connection) -> list[str]:
    return [status for (status,) in connection.execute("SELECT status FROM turns").fetchall()]


async def test_rating_can_be_given_and_taken_back(browser: Browser) -> None:
    async with browser.connect() as page:
        complete = await page.ask("hi")
        for rating in (1, -1, 0):
            await page.send("rate", turn=complete["turn"], rating=rating)
            assert (await page.get("status", state="rated"))["rating"] == rating
            (message,) = await page.history(complete["conversation_id"])
            assert message["rating"] == rating


async def test_the_page_is_told_which_model_answers(browser: Browser) -> None:
    async with browser.connect() as page:
        told = await page.get("status", state="model")
    assert (told["model"], told["health"]) == ("scripted/script-1", "ready")


# Commands.


async def test_help_is_a_note_for_the_asker_and_no_turn(browser: Browser) -> None:
    async with browser.connect() as page, browser.connect() as other:
        await page.send("message", text="/help", message_id="m")
        note = await page.get("status", state="note", message_id="m")
        await page.send("get_conversations")
        assert (await page.get("conversations"))["conversations"] == []
        await other.send("rate", turn=10**9, rating=1)  # answered after whatever the note may have sent here
        assert "note" not in [frame.get("state") for frame in await other.until("error")]
    assert "<code>/mission new [agent]</code>" in note["html"]


async def test_mission_new_begins_a_conversation_and_leaves_the_old_one_active(browser: Browser) -> None:
    async with browser.connect() as page:
        old = (await page.ask("hi"))["conversation_id"]
        await page.send("message", text="/mission new plain", message_id="n", conversation_id=old)
        begun = await page.get("status", state="new", message_id="n")
        await page.send("get_conversations")
        listed = (await page.get("conversations"))["conversations"]
    assert begun["conversation"]["agent"] == "plain"
    assert {each["conversation_id"]: each["status"] for each in listed} == {
        old: "active",
        begun["conversation_id"]: "active",
    }


async def test_mission_end_ends_the_open_conversation(browser: Browser) -> None:
    async with browser.connect() as page:
        conversation = (await page.ask("hi"))["conversation_id"]
        await page.send("message", text="/mission end", message_id="e", conversation_id=conversation)
        await page.get("status", state="note", message_id="e")
        changed = await page.get("status", state="updated")
    assert changed["conversation"]["status"] == "completed"


async def test_an_unknown_command_is_an_error_with_the_messages_id(browser: Browser) -> None:
    async with browser.connect() as page:
        await page.send("message", text="/mission dance", message_id="d")
        error = await page.get("error", message_id="d")
    assert "/mission list" in error["text"]

"""While another program keeps the database locked, people are told on the page; when it lets go, all goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from bot import respondents
from bot.errors import sentence_for
from bot.turn_journal import CANNOT_SAVE
from storage.database import Database, P, R, Unit
from storage.errors import StorageBusy
from tests.core import running_core
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.other_process import PAUSE, other_process
from tests.fakes.scripted_model import ScriptedModel
from tests.fakes.stub_platform import message
from tests.waiting import until
from tests.web import Browser, running_site

HOLD_LOCKED = f"""
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
{PAUSE}
connection.execute("ROLLBACK")
connection.close()
"""


async def test_a_lock_in_the_middle_of_an_answer_is_told_and_waited_out(tmp_path: Path) -> None:
    """The lock outlives the time a statement waits, many times over; nothing is asked of the model again."""
    path, gate = tmp_path / "t.db", asyncio.Event()
    model = ScriptedModel(["The key is the word ", gate, "SHOUT."], ["Yes."])
    async with (
        running_site(path, model, busy_seconds=0.02) as site,
        Browser(site.url) as browser,
        browser.connect() as page,
    ):
        await page.send("message", text="What is the key?", message_id="m1")
        mission = (await page.get("response_chunk"))["conversation_id"]
        with other_process(HOLD_LOCKED, path):
            gate.set()
            await page.get("status", state="working", text=CANNOT_SAVE)
            await page.send("message", text="Are you there?", message_id="m2", conversation_id=mission)
            refused = await page.get("error", message_id="m2")
            assert refused["text"] == sentence_for(StorageBusy())
        answered = await page.get("response_complete", message_id="m1")
        assert (answered["outcome"], answered["text"]) == ("answered", "The key is the word SHOUT.")
        again = await page.ask("Are you there?", message_id="m2", conversation_id=mission)
        assert (again["outcome"], again["text"]) == ("answered", "Yes.")
        assert [each["text"] for each in await page.history(mission)] == ["What is the key?", "Are you there?"]
    assert len(model.requests) == 2


class RefusingAfter(FailingDatabase):
    """Every write fails once this unit is done."""

    def __init__(self, unit: Callable[..., object], database: Database) -> None:
        super().__init__(database, error=StorageBusy)
        self._last = unit

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        result = await super().write(unit, *args, **kwargs)
        self.failing |= unit is self._last
        return result


async def test_it_is_told_even_where_the_database_does_not_take_the_id_of_what_was_posted(tmp_path: Path) -> None:
    made: list[RefusingAfter] = []

    def wrap(database: Database) -> Database:
        made.append(RefusingAfter(respondents.claim, database))
        return made[0]

    async with running_core(tmp_path / "db", ScriptedModel(["Hello."]), wrap=wrap) as core:
        await core.inbox.admit(message("Hi"))
        await until(lambda: CANNOT_SAVE in core.platform.channel.statuses)
        made[0].failing = False
        await core.platform.wait_for(1)
    assert core.platform.channel.answers() == ["Hello."]

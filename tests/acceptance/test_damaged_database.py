"""A damaged database is named as such and left as it is; damage that comes while the bot runs makes nothing spin."""

import asyncio
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.engines.local import FIRST_RETRY_SECONDS
from bot.errors import sentence_for
from storage import turns
from storage.conversations import NewConversation
from storage.database import Connection
from storage.errors import StorageCorrupt
from storage.sqlite import SQLiteDatabase
from storage.turns import NewTurn
from tests.command import Command
from tests.fakes.scripted_model import ScriptedModel
from tests.storage_builders import answer, answer_next, message
from tests.waiting import until
from tests.web import Browser, Site, running_site

PAGE = 4096
TURNS = 300
LONG = "A long story. " * 1_000
"""Some pages of the file; all of them together are more than the database keeps in memory."""


def garbage(_: bytes) -> bytes:
    return b"my important notes\n" * 5_000


def without_header(whole: bytes) -> bytes:
    return bytes(100) + whole[100:]


def without_tables(whole: bytes) -> bytes:
    """Only the first page, which says what there is, is as it was."""
    return whole[:PAGE] + b"\xa5" * (len(whole) - PAGE)


def cut_off(whole: bytes) -> bytes:
    return whole[: len(whole) // 3]


def fill(connection: Connection) -> None:
    for number in range(20):
        turns.admit(connection, message(f"discord:{number}", LONG))


async def make(path: Path, copy: Path) -> None:
    """A closed database in `path`; as `copy` what a power failure leaves of it: its last message is in the log."""
    async with SQLiteDatabase(str(path)) as database:
        await database.write(fill)
    async with SQLiteDatabase(str(path)) as database:
        await database.write(turns.admit, message("discord:last"))
        shutil.copytree(path.parent, copy)


def contents(folder: Path) -> dict[str, bytes]:
    """What holds data: neither the locks nor the log's index, which is made anew at every start."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".db", ".db-wal"}}


@pytest.mark.parametrize(
    ("damage", "log"),
    [
        (garbage, False),
        (garbage, True),
        (without_header, False),  # a log that holds the first page would repair it
        (without_tables, False),
        (without_tables, True),
        (cut_off, False),
    ],
)
async def test_every_command_names_the_damaged_file_and_leaves_it_as_it_is(
    command: Command, tmp_path: Path, damage: Callable[[bytes], bytes], log: bool
) -> None:
    await make(tmp_path / "whole" / "secret-agents.db", tmp_path / "crashed")
    data = shutil.copytree(tmp_path / ("crashed" if log else "whole"), tmp_path / "data")
    path = data / "secret-agents.db"
    path.write_bytes(damage(path.read_bytes()))
    before = contents(data)
    assert ("secret-agents.db-wal" in before) == log
    named = f"data/secret-agents.db: {StorageCorrupt()}"
    for name in ("run", "chat", "list"):
        done = await command(name, said="hi\n")
        assert (done.status, done.out, done.err.splitlines()[-1:]) == (1, "", [named]), name
        assert contents(data) == before, name
    checked = await command("check", "--json")
    [finding] = [each for each in json.loads(checked.out) if each["part"] == "database"]
    assert (checked.status, finding["why"]) == (1, named)
    assert "restore a backup" in finding["todo"]
    assert contents(data) == before


OVERWRITE = f"""
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
with open(sys.argv[1], "r+b") as file:
    while page := file.read({PAGE}):
        if page[0] == 0 and page.count(b"long story") > 200:
            file.seek(-{PAGE}, 1)
            file.write(b"\\xa5" * {PAGE})
"""
"""Moves the log into the file, from where it has to be read again, and overwrites the pages full of long stories.

An overflow page begins with the number of the next one, a small one here; pages with rows begin with
their type. https://www.sqlite.org/fileformat2.html
"""


async def overwrite(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", OVERWRITE, str(path))
    assert await process.wait() == 0


def story(connection: Connection, browser: str, number: int) -> None:
    """A long answered message of a browser, all in one mission."""
    place = NewConversation("web", "", browser, "t1", browser, "web visitor", "quartermaster", "a story")
    admitted = turns.admit(connection, NewTurn(f"web:{browser}:{number}", browser, "web visitor", "go on", place))
    answer_next(connection, admitted.conversation, answer(LONG))


async def remembered(site: Site, browser: Browser) -> str:
    """Fill a mission of this browser; its id."""
    async with browser.connect() as page:
        await page.ask("Hello")
    [(who,)] = await site.database.read(lambda c: c.execute("SELECT channel FROM conversations").fetchall())
    for number in range(TURNS):
        await site.database.write(story, who, number)
    titled = "SELECT id FROM conversations WHERE title = 'a story'"
    [(mission,)] = await site.database.read(lambda c: c.execute(titled).fetchall())
    return str(mission)


async def test_damage_that_comes_while_it_runs_is_told_and_makes_nothing_spin(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A message whose history cannot be read stays in the queue, and is tried again at growing distances."""
    path = tmp_path / "t.db"
    async with running_site(path, ScriptedModel(answer=lambda _: ["Fine."])) as site, Browser(site.url) as browser:
        mission = await remembered(site, browser)
        await overwrite(path)
        damaged = path.read_bytes()
        async with browser.connect() as page:
            await page.send("get_conversations", conversation_id=mission)
            assert (await page.get("error", conversation_id=mission))["text"] == sentence_for(StorageCorrupt())
            answered = await page.ask("Something new")
            assert (answered["outcome"], answered["text"]) == ("answered", "Fine.")
            await page.send("message", text="Go on", message_id="m2", conversation_id=mission)
            await until(lambda: len(tries(caplog)) >= 3)
    first, second, third, *_ = tries(caplog)
    assert second - first >= FIRST_RETRY_SECONDS
    assert third - second >= 2 * FIRST_RETRY_SECONDS
    assert path.read_bytes() == damaged
    with sqlite3.connect(path) as connection:  # what people wrote meanwhile is in the log, beside the file
        assert connection.execute("SELECT max(id), user_message FROM turns").fetchone()[1] == "Go on"
    connection.close()


def tries(caplog: pytest.LogCaptureFixture) -> list[float]:
    """When a conversation was put aside because of the damage."""
    return [
        r.created for r in caplog.records if r.name == "bot.engines.local" and "t.db: The file is not" in r.getMessage()
    ]

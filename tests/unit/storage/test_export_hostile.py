"""What people may not have meant well, in every text there is, through every format."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self, get_args

import pytest

from bot.platforms.web.rendering import render
from storage.database import Database, P, R, Unit
from storage.errors import StorageBusy, StorageError, StorageFull
from storage.export import Options, export_to_file
from storage.export_csv import original
from storage.export_finetune import Persona
from storage.export_formats import Format
from storage.importing import import_json
from storage.sqlite import SQLiteDatabase
from storage.turns import admit
from tests.exports import exported, lines_of, parsed, rows_of
from tests.fakes.disks import tiny_disk
from tests.storage_builders import TEST_DATA, message

FORMATS: tuple[Format, ...] = get_args(Format)
NOW = "2026-01-01T00:00:00.000Z"
OURS = ("line\u2028separator\x00\x7f\x1b", '"}]}', "\r", "\r\n\n", "']", "=1;2", "\ufeff", "\U0010ffff", "a,b\"c'd")


@pytest.fixture(scope="module")
def hostile() -> list[str]:
    path = TEST_DATA / "blns.json"
    if not path.exists():
        pytest.skip("needs blns.json: set SECRET_AGENTS_TEST_DATA to the folder with it")
    strings: list[str] = json.loads(path.read_text("utf-8"))
    assert len(strings) > 500
    return [*strings, *OURS]


def mission(number: int, text: str) -> dict[str, Any]:
    """A conversation whose every text is this one; ids are it, and a number."""
    body = {"tool": text, "parameters": {text: [text]}, "result": text}
    turn = {
        "event_key": f"{number}:{text}", "author": text, "author_name": text,
        "shared": False, "attachments": [{"name": text, "media_type": text, "text": text}], "status": "answered",
        "attempt": 1, "stop_requested": False, "outcome": "answered", "model": text, "prompt_tokens": 1,
        "completion_tokens": 1, "error": text, "rating": None, "started_at": NOW, "finished_at": NOW,
        "steps": [{"seq": 0, "kind": "result", "body": body, "recorded_at": NOW}],
        "deliveries": [{"part": 0, "remote_id": text}], "extras": {text: text},
    }  # fmt: skip
    message = {
        "timestamp": NOW, "user_message": text, "agent_response": text, "llm_raw_response": text,
        "tool_calls": [body], "turn": turn,
    }  # fmt: skip
    return {
        "conversation_id": f"{number}:{text}", "started_at": NOW, "last_updated": NOW, "status": "completed",
        "messages": [message], "place": dict.fromkeys(("platform", "workspace", "channel", "thread"), text),
        "owner": text, "owner_name": text, "agent": text, "title": text, "summary": text, "state": {text: text},
        "extras": {text: text},
    }  # fmt: skip


@pytest.fixture(scope="module")
def log(hostile: list[str]) -> dict[str, Any]:
    missions = [mission(number, text) for number, text in enumerate(hostile)]
    metadata = {"total_conversations": len(missions), "last_activity": NOW}
    return {"version": 2, "conversations": missions, "current_conversation_id": None, "metadata": metadata}


@pytest.fixture
async def database(tmp_path: Path, log: dict[str, Any]) -> AsyncIterator[SQLiteDatabase]:
    (tmp_path / "log.json").write_text(json.dumps(log), "utf-8")
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as opened:
        await import_json(opened, tmp_path / "log.json")
        yield opened


async def test_the_log_says_it_all_and_comes_back_byte_by_byte(
    database: SQLiteDatabase, log: dict[str, Any], tmp_path: Path
) -> None:
    await export_to_file(database, None, tmp_path / "first.json")
    first = (tmp_path / "first.json").read_bytes()
    assert json.loads(first) == log
    async with SQLiteDatabase(str(tmp_path / "second.db")) as second:
        assert (await import_json(second, tmp_path / "first.json")).conversations == len(log["conversations"])
        assert (await exported(second)).encode() == first


async def test_lines_of_json_say_it_all(database: SQLiteDatabase, hostile: list[str]) -> None:
    lines = await lines_of(database)
    assert [line["user_message"] for line in lines] == hostile
    assert [line["title"] for line in lines] == hostile
    assert [line["turn"]["steps"][0]["body"]["result"] for line in lines] == hostile


async def test_cells_are_the_texts_but_for_an_apostrophe(database: SQLiteDatabase, hostile: list[str]) -> None:
    rows = await rows_of(database)
    same = ("platform", "workspace", "channel", "thread", "owner", "owner_name", "agent", "title", "author", "error")
    more = ("author_name", "user_message", "attachments", "agent_response", "gadgets", "model")
    for column in (*same, *more):
        assert [original(row[column]) for row in rows] == hostile
        assert not [row[column] for row in rows if row[column].strip().startswith(("=", "+", "-", "@"))]
    assert [original(row["conversation_id"]) for row in rows] == [f"{n}:{text}" for n, text in enumerate(hostile)]


@pytest.mark.parametrize("options", [Options(), Options(render=render)], ids=["plain", "laid out"])
async def test_a_page_has_them_as_text(database: SQLiteDatabase, hostile: list[str], options: Options) -> None:
    page = parsed(await exported(database, "html", options=options))
    controls = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), "\ufffd")
    names = [element.text for element in page.elements if element.tag == "summary"]
    assert names == [f"Used {text.translate(controls)}" for text in hostile]
    classes = [element.attributes.get("class") for element in page.elements]
    asked = [page.elements[classes.index("text", place)].text for place, one in enumerate(classes) if one == "asked"]
    assert asked == [text.translate(controls) for text in hostile]
    assert not page.tags & {"script", "img", "iframe", "svg", "base", "link", "form", "input", "object", "embed"}
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    links = [str(element.attributes.get("href")) for element in page.elements if element.tag == "a"]
    assert all(link.startswith(("#m", "http://", "https://", "mailto:")) for link in links)


async def test_lines_for_training_are_what_was_said(database: SQLiteDatabase, hostile: list[str]) -> None:
    personas = {text: Persona(text) for text in hostile}
    text = await exported(database, "finetune", options=Options(personas=personas))
    lines = [json.loads(line)["messages"] for line in text.split("\n") if line]
    said = [each for each in hostile if each]
    assert [line[0]["content"] for line in lines] == said
    assert [line[-1]["content"] for line in lines] == said
    assert [line[3]["content"] for line in lines] == said
    assert [json.loads(line[2]["tool_calls"][0]["function"]["arguments"]) for line in lines] == [{t: [t]} for t in said]


# What can go wrong meanwhile.


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_full_disk_leaves_the_old_file_whatever_the_format(tmp_path: Path, format_: Format) -> None:
    def fill(connection: Any) -> None:
        for n in range(30):
            turn = admit(connection, message(f"discord:{n}", "x" * 100_000)).turn
            connection.execute(
                "UPDATE turns SET status = 'answered', outcome = 'answered', agent_response = 'y' WHERE id = :turn",
                {"turn": turn},
            )

    async with SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        await database.write(fill)
        with tiny_disk(tmp_path / "disk", "size=1m") as disk:
            (disk / "log").write_text("what was there")
            with pytest.raises(StorageFull, match=r"The disk is full: .*log was not written"):
                await export_to_file(database, None, disk / "log", format_)
            assert {file.name: file.read_text() for file in disk.iterdir()} == {"log": "what was there"}


class BusyAfter:
    """The real database, locked for whoever reads it once more than so often."""

    def __init__(self, database: Database, reads: int) -> None:
        self._database = database
        self._reads = reads

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._database.write(unit, *args, **kwargs)

    async def read(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        self._reads -= 1
        if self._reads < 0:
            raise StorageBusy
        return await self._database.read(unit, *args, **kwargs)


@pytest.mark.parametrize("reads", [0, 1, 2])
@pytest.mark.parametrize("format_", FORMATS)
async def test_a_database_that_is_locked_meanwhile_leaves_the_old_file(
    tmp_path: Path, format_: Format, reads: int
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "log").write_text("what was there")
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        for n in range(40):
            await database.write(admit, message(f"discord:{n}", f"{n} " + "x" * 200_000, channel=f"c{n}"))
            await database.write(end)
        with pytest.raises(StorageError, match="Another process holds the database locked"):
            await export_to_file(BusyAfter(database, reads), None, folder / "log", format_)
    assert {file.name: file.read_text() for file in folder.iterdir()} == {"log": "what was there"}


def end(connection: Any) -> None:
    connection.execute("UPDATE turns SET status = 'answered', outcome = 'answered', agent_response = 'y'")

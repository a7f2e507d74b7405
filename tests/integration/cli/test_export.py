"""The command `export`, as people start it."""

import csv
import io
import json
from pathlib import Path

import pytest

from storage.database import open_database
from storage.export_csv import COLUMNS
from storage.turns import admit
from tests.command import Command
from tests.fakes.other_process import PAUSE, other_process
from tests.storage_builders import answer, answer_next, message

HOLD_LOCKED = f"""
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
{PAUSE}
connection.execute("ROLLBACK")
connection.close()
"""


@pytest.fixture
async def talked(tmp_path: Path) -> str:
    """The id of a mission of the terminal; beside it, there is one of Discord with `u1`."""
    async with open_database(f"sqlite:///{tmp_path}/data/secret-agents.db") as database:
        here = await database.write(admit, message("terminal:1", "Hello", platform="terminal"))
        await database.write(answer_next, here.conversation, answer("Good *evening*."))
        elsewhere = await database.write(admit, message("discord:1", "From Discord"))
        await database.write(answer_next, elsewhere.conversation, answer("Yes."))
    return here.conversation_id


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (("log.html",), "<!DOCTYPE html>\n"),
        (("log.CSV",), "\ufeffconversation_id,"),
        (("log.finetune.jsonl",), '{"messages":[{"role":"system","content":"You are the Quartermaster'),
        (("log.jsonl",), '{"conversation_id":'),
        (("log.csv", "--format", "html"), "<!DOCTYPE html>\n"),
    ],
)
async def test_the_format_is_that_which_is_named_or_that_of_the_files_name(
    command: Command, talked: str, tmp_path: Path, arguments: tuple[str, ...], begins: str
) -> None:
    done = await command("export", talked, *arguments)
    assert (done.out, done.err) == (f"1 mission with 1 message in {arguments[0]}.\n", "")
    assert (tmp_path / arguments[0]).read_bytes().decode().startswith(begins)


async def test_a_page_has_answers_laid_out(command: Command, talked: str) -> None:
    assert "Good <em>evening</em>." in (await command("export", talked, "-", "--format", "html")).out


async def test_a_table_is_one_that_programs_read(command: Command, talked: str) -> None:
    text = (await command("export", "all", "-", "--format", "csv")).out.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert tuple(rows[0]) == COLUMNS
    assert sorted(row["user_message"] for row in rows) == ["From Discord", "Hello"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), ["Hello", "From Discord"]),
        (("--platform", "discord"), ["From Discord"]),
        (("--user", "discord:u1"), ["From Discord"]),
        (("--user", "discord:u1", "--platform", "discord", "--since", "2026-01-01"), ["From Discord"]),
        (("--user", "slack:u1"), []),
        (("--until", "2020-12-31T10:00:00Z"), []),
        (("--since", "2020-01-01", "--until", "9999-12-31"), ["Hello", "From Discord"]),
        (("--min-rating", "1"), []),
        (("--min-rating", "-1"), ["Hello", "From Discord"]),
    ],
)
async def test_what_is_asked_for_is_what_is_exported(
    command: Command, talked: str, filters: tuple[str, ...], expected: list[str]
) -> None:
    done = await command("export", "all", "-", "--format", "jsonl", *filters)
    assert [json.loads(line)["user_message"] for line in done.out.splitlines()] == expected


async def test_the_audit_log_tells_whose_messages_were_taken_out(command: Command, talked: str) -> None:
    await command("export", "all", "log.csv", "--user", "discord:u1", "--since", "2026-01-01")
    (act,) = json.loads((await command("audit", "--json")).out)
    assert act["details"] == {
        "format": "csv", "file": "log.csv", "user": "discord:u1", "since": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip


async def test_several_missions_can_be_named(command: Command, talked: str) -> None:
    ids = [each["id"] for each in json.loads((await command("list", "--json")).out)]
    assert (await command("export", *ids, "log.json")).out == "2 missions with 2 messages in log.json.\n"
    done = await command("export", "all", talked, "log.json")
    assert (done.status, done.err) == (1, "Either all missions or those with these ids: `all` goes by itself.\n")


@pytest.mark.parametrize(
    ("filters", "status", "told"),
    [
        (("--since", "soon"), 2, "argument --since: 'soon' is neither a date (2026-01-31) nor an ISO-8601 time"),
        (("--until", "2026-02-30"), 2, "argument --until: '2026-02-30' is neither a date"),
        (("--user", "bob"), 2, "argument --user: 'bob' is not a platform and a person's id, as in discord:123"),
        (("--min-rating", "5"), 2, "argument --min-rating: invalid choice: 5"),
        (("--user", "discord:1", "--platform", "slack"), 1, "--user discord:1 is not somebody on slack."),
        (("--since", "2026-02-01", "--until", "2026-01-01"), 1, "--since is not before --until."),
    ],
)
async def test_what_makes_no_sense_is_a_clear_line_and_writes_nothing(
    command: Command, talked: str, tmp_path: Path, filters: tuple[str, ...], status: int, told: str
) -> None:
    done = await command("export", "all", "log.json", *filters)
    assert (done.status, done.out) == (status, "")
    assert told in done.err.splitlines()[-1]
    assert not (tmp_path / "log.json").exists()


async def test_a_locked_database_is_a_line_and_the_old_file_stays(
    command: Command, talked: str, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "log.json").write_text("what was there")
    with other_process(HOLD_LOCKED, tmp_path / "data" / "secret-agents.db"):
        done = await command("export", "all", "out/log.json")
    assert (done.status, done.out) == (1, "")
    assert done.err == "Another process holds the database locked; trying again later may help.\n"
    assert {file.name: file.read_text() for file in (tmp_path / "out").iterdir()} == {"log.json": "what was there"}


async def test_people_at_a_terminal_see_a_bar_that_goes_when_all_is_done(command: Command, talked: str) -> None:
    terminal = await command.terminal("export", "all", "log.json")
    try:
        shown = await terminal.shows("2 missions with 2 messages in log.json")
        assert "Exporting" in shown
        assert "2/2" in shown
        assert await terminal.ends() == 0
    finally:
        await terminal.close()


async def test_people_at_a_terminal_see_nothing_but_what_goes_to_it(command: Command, talked: str) -> None:
    terminal = await command.terminal("export", "all", "-", "--format", "markdown")
    try:
        assert "Exporting" not in await terminal.shows("Good \\*evening")
        assert await terminal.ends() == 0
    finally:
        await terminal.close()

"""`backup`, `check --backup`, `retention` and `forget`, as people start them."""

# ruff: noqa: ASYNC240 - the tests look at files while nothing else runs in their loop

import asyncio
import json
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli_missions import user_name
from tests.command import Command
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script
from tests.forgotten import SUFFIXES, traces

CANARY = "canary-4711"
PERSON = f"terminal:{user_name()}"


@pytest.fixture
async def talked(command: Command, ollama: FakeOllama, tmp_path: Path) -> Path:
    """The database with a mission of two messages."""
    ollama.queue(Script(text=("Good evening.",)), Script(text=(f"Of course, {CANARY}.",)))
    await command("chat", said=f"Hello\nRemember {CANARY}\n")
    return tmp_path / "data" / "secret-agents.db"


async def test_a_backup_is_made_looked_at_and_gone_back_to(command: Command, talked: Path, tmp_path: Path) -> None:
    made = await command("backup", "copy.db")
    assert (made.out, made.err) == (
        "1 mission with 2 messages in copy.db, which was read through and is good.\n",
        "",
    )
    await command("new")
    looked = await command("check", "--backup", "copy.db")
    assert looked.status == 0
    assert looked.out.startswith("copy.db is good: 1 mission with 2 messages.\nTo go back to it: stop the bot; move ")
    for suffix in SUFFIXES:
        Path(f"{talked}{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy.db", talked)
    assert len(json.loads((await command("list", "--json")).out)) == 1
    assert (await command("audit", "--json")).out.strip() == "[]"


async def test_a_backup_is_on_the_audit_log(command: Command, talked: Path) -> None:
    await command("backup", "copy.db")
    (act,) = json.loads((await command("audit", "--json")).out)
    assert (act["act"], act["target"], act["actor"]) == ("backup", "copy.db", f"operator:{user_name()}")


@pytest.mark.parametrize(
    ("file", "why"),
    [("data/secret-agents.db", "belongs to the database itself"), (".", "is a folder"), ("no/copy.db", "No such file")],
)
async def test_a_backup_that_cannot_be_is_refused_in_a_line(
    command: Command, talked: Path, file: str, why: str
) -> None:
    done = await command("backup", file)
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert why in done.err


async def test_without_a_database_there_is_no_backup_and_none_is_made(command: Command, tmp_path: Path) -> None:
    done = await command("backup", "copy.db")
    assert (done.status, done.err) == (1, "There is no database at data/secret-agents.db.\n")
    assert not (tmp_path / "data").exists()


async def test_what_is_no_backup_fails_the_check(command: Command, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("nonsense")
    for name in ("copy.db", "none.db"):
        done = await command("check", "--backup", name)
        assert done.status == 1
        assert done.out.startswith(f"{name} cannot be gone back to. ")


async def test_a_backup_that_is_terminated_leaves_nothing(command: Command, talked: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(talked)) as connection:  # so large that it takes a moment
        connection.execute("INSERT INTO keepsakes (name, value) VALUES ('ballast', zeroblob(300000000))")
        connection.commit()
    async with command.running("backup", "copy.db") as process:
        while not (tmp_path / ".copy.db.part").exists():
            assert process.returncode is None
            await asyncio.sleep(0)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 143
    assert [each.name for each in tmp_path.iterdir() if "copy" in each.name] == []


async def test_retention_tells_and_then_removes(command: Command, talked: Path, tmp_path: Path) -> None:
    assert (await command("retention")).out == "Missions are kept for ever: no days are set in [retention].\n"
    (tmp_path / "config.toml").write_text("[retention]\ndays = 30\n")
    assert (await command("retention")).out == "No mission is too old.\n"
    await command("end")
    with closing(sqlite3.connect(talked)) as connection:
        connection.execute("UPDATE conversations SET last_updated = '2020-01-01T00:00:00.000Z'")
        connection.commit()
    dry = await command("retention", "--dry-run")
    assert dry.out == "terminal: 1 mission with 2 messages would be removed.\n"
    (tmp_path / "config.toml").write_text("[retention]\ndays = 30\nterminal = 0\n")
    assert (await command("retention", "--dry-run")).out == "No mission is too old.\n"
    (tmp_path / "config.toml").write_text("[retention]\nterminal = 30\n")
    done = await command("retention")
    assert done.out.startswith("terminal: 1 mission with 2 messages removed.\n")
    assert (await command("list")).out == "There are no missions yet.\n"


async def test_retention_does_not_believe_a_clock_that_jumped(command: Command, talked: Path, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[retention]\ndays = 30\nunended = true\n")
    with closing(sqlite3.connect(talked)) as connection:
        connection.execute("UPDATE conversations SET last_updated = '2020-01-01T00:00:00.000Z'")
        connection.execute("UPDATE turns SET created_at = '2020-01-01T00:00:00.000Z'")
        connection.commit()
    refused = await command("retention")
    assert (refused.status, "Nothing was removed" in refused.err) == (1, True)
    assert len(json.loads((await command("list", "--json")).out)) == 1
    assert "1 mission with 2 messages removed." in (await command("retention", "--yes")).out


async def test_somebody_is_forgotten_only_when_that_is_confirmed(command: Command, talked: Path) -> None:
    for arguments in ((), ("--dry-run",), ("--dry-run", "--yes")):
        told = await command("forget", PERSON, *arguments)
        assert told.out == (
            f"{PERSON} has 1 mission and 2 messages with their answers here.\n"
            "Nothing was erased. --yes erases it, which cannot be undone.\n"
        )
    assert traces(talked, CANARY) > 0
    done = await command("forget", PERSON, "--yes")
    assert "1 mission and 2 messages with their answers.\n" in done.out
    assert (traces(talked, CANARY), CANARY in done.out) == (0, False)
    (act,) = json.loads((await command("audit", "--json")).out)
    assert (act["act"], act["details"]["messages"], act["target"].partition(":")[0]) == ("forget", 2, "forgotten")
    assert (await command("forget", PERSON)).out.startswith(f"{PERSON} has nothing here.\n")


async def test_what_there_is_of_somebody_is_written_to_a_file(command: Command, talked: Path, tmp_path: Path) -> None:
    done = await command("forget", PERSON, "--export", "mine.json")
    assert "2 messages in mine.json." in done.out
    told = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    assert [each["message"] for each in told["messages"]] == ["Hello", f"Remember {CANARY}"]
    assert (tmp_path / "mine.json").stat().st_mode & 0o777 == 0o600


async def test_an_import_and_an_old_backup_are_pruned(command: Command, talked: Path, tmp_path: Path) -> None:
    await command("export", "all", "log.json")
    await command("backup", "old.db")
    await command("forget", PERSON, "--yes")
    assert (await command("import", "log.json")).out == (
        "0 missions with 0 messages added.\nLeft out, because who said it was forgotten: 2 messages.\n"
    )
    shutil.copy(f"{talked}.forgotten", tmp_path / "list")
    (tmp_path / "config.toml").write_text('[storage]\nurl = "sqlite:///old.db"\n')
    assert len(json.loads((await command("list", "--json")).out)) == 1
    done = await command("forget", "--replay", "list")
    assert done.out == "Erased of people who were forgotten: 1 mission and 2 messages with their answers.\n"
    assert traces(tmp_path / "old.db", CANARY) == 0


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("forget",), 1), (("forget", "somebody"), 2), (("forget", "--replay", "none"), 1), (("backup",), 2)],
)
async def test_wrong_usage_is_told(command: Command, arguments: tuple[str, ...], status: int) -> None:
    done = await command(*arguments)
    assert (done.status, "Traceback" in done.err) == (status, False)
    assert done.err

"""Where the database cannot be written, nobody is answered and all are told at once; looking at it still works."""

import json
from pathlib import Path

import pytest

from storage.errors import StorageReadOnly
from tests.command import Command
from tests.fakes.disks import read_only
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script


@pytest.fixture
async def database(command: Command, ollama: FakeOllama, tmp_path: Path) -> Path:
    ollama.queue(Script(text=("Noted.",)))
    assert (await command("chat", said="Remember me\n")).out == "Noted.\n"
    return tmp_path / "data" / "secret-agents.db"


@pytest.mark.parametrize("what", ["file", "folder"])
async def test_a_read_only_database_is_refused_at_the_start(
    command: Command, ollama: FakeOllama, database: Path, what: str
) -> None:
    asked = len(ollama.calls)
    with read_only(database if what == "file" else database.parent):
        for name in ("run", "chat", "new"):
            done = await command(name, said="hi\n")
            assert (done.status, done.out, done.err) == (1, "", f"{StorageReadOnly()}\n"), name
        checked = await command("check", "--json")
    [finding] = [each for each in json.loads(checked.out) if each["part"] == "database"]
    assert (checked.status, finding["state"]) == (1, "failed")
    assert finding["todo"] == "make it writable, or set another [storage] url"
    assert len(ollama.requests) == 1, "no message was answered"
    assert ollama.calls[asked:].count("/api/chat") == 0


async def test_a_read_only_database_can_be_looked_at(command: Command, database: Path, tmp_path: Path) -> None:
    with read_only(database):
        listed = await command("list", "--json")
        shown = await command("show", json.loads(listed.out)[0]["id"])
        exported = await command("export", "all", str(tmp_path / "missions.json"))
    assert [done.status for done in (listed, shown, exported)] == [0, 0, 0]
    assert "Noted." in shown.out


async def test_it_goes_on_when_it_can_be_written_again(command: Command, ollama: FakeOllama, database: Path) -> None:
    with read_only(database):
        assert (await command("chat", said="hi\n")).status == 1
    ollama.queue(Script(text=("Welcome back.",)))
    assert (await command("chat", said="hi\n")).out == "Welcome back.\n"
    said = [message["content"] for message in ollama.requests[-1]["messages"] if message["role"] != "system"]
    assert said == ["Remember me", "Noted.", "hi"]

"""The commands that look at missions, as people start them."""

import json
from pathlib import Path

import pytest

from tests.command import Command
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script


@pytest.fixture
async def talked(command: Command, ollama: FakeOllama) -> str:
    """The id of a mission with two messages, one of which tries to control the terminal."""
    ollama.queue(Script(text=("Good evening.",)), Script(text=("Red.",)))
    await command("chat", said="Hello\n\x1b[31mred?\n")
    missions = json.loads((await command("list", "--json")).out)
    identity: str = missions[0]["id"]
    return identity


async def test_without_missions_the_list_says_so(command: Command) -> None:
    assert (await command("list")).out == "There are no missions yet.\n"
    assert (await command("list", "--json")).out == "[]\n"


async def test_the_list_has_a_line_per_mission_the_latest_first(command: Command, talked: str) -> None:
    await command("new")
    header, newest, first = (await command("list")).out.splitlines()
    assert header.split()[:4] == ["ID", "Status", "Platform", "Agent"]
    assert newest.split()[1:4] == ["active", "terminal", "quartermaster"]
    assert first.startswith(talked)
    assert first.rstrip().endswith("Hello")
    assert len((await command("list", "--limit", "1")).out.splitlines()) == 2


async def test_show_prints_the_messages_without_escape_sequences(command: Command, talked: str) -> None:
    shown = (await command("show", talked[:4])).out
    assert ": Hello\nGood evening." in shown
    assert ": [31mred?\nRed." in shown
    assert "\x1b" not in shown


async def test_show_as_json_has_every_turn(command: Command, talked: str) -> None:
    shown = json.loads((await command("show", talked, "--json")).out)
    assert (shown["id"], shown["platform"], shown["status"]) == (talked, "terminal", "active")
    assert [turn["agent_response"] for turn in shown["turns"]] == ["Good evening.", "Red."]


async def test_show_tells_how_a_field_mission_stands(command: Command, ollama: FakeOllama) -> None:
    ollama.queue(Script(tool_calls=({"name": "brief", "arguments": {}},)), Script(text=("Good luck.",)))
    said = await command("chat", said="taskmaster: let us begin")
    assert "Tickets:" in said.out
    identity = json.loads((await command("list", "--json")).out)[0]["id"]
    shown = (await command("show", identity)).out
    assert "phase 1 of 4: travel" in shown
    assert "100 points (1 turn, 0 hints, 0 mistakes)" in shown


async def test_end_takes_the_latest_active_terminal_mission(command: Command, talked: str) -> None:
    assert (await command("end")).out == f"Mission {talked} ended.\n"
    assert (await command("end", talked)).out == f"Mission {talked} had ended already.\n"
    done = await command("end")
    assert (done.status, done.err) == (1, "There is no active terminal mission.\n")


async def test_chat_goes_on_with_a_new_mission(command: Command, ollama: FakeOllama, talked: str) -> None:
    done = await command("new")
    await command("chat", said="What did I say?")
    assert [message["role"] for message in ollama.requests[-1]["messages"]] == ["system", "user"]
    newest = json.loads((await command("list", "--json")).out)[0]
    assert newest["id"] != talked
    assert done.out == f"Mission {newest['id']} began; `secret-agents chat` goes on with it.\n"
    assert newest["title"] == "What did I say?"


async def test_an_export_is_restored_by_an_import(command: Command, talked: str, tmp_path: Path) -> None:
    assert (await command("export", "all", "log.json")).out == "1 mission with 2 messages in log.json.\n"
    (tmp_path / "config.toml").write_text('[storage]\nurl = "sqlite:///other.db"\n', "utf-8")
    assert (await command("import", "log.json")).out == "1 mission with 2 messages added.\n"
    again = await command("export", talked[:6], "-")
    assert again.out == (tmp_path / "log.json").read_text("utf-8")
    assert (await command("import", "log.json")).out == "0 missions with 0 messages added; 1 mission there already.\n"


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (("log.md",), "# Hello\n"),
        (("log.JSONL",), '{"conversation_id":'),
        (("log.txt",), '{"version":2,'),
        (("log.md", "--format", "jsonl"), '{"conversation_id":'),
    ],
)
async def test_an_export_has_the_format_that_is_named_or_that_of_the_files_name(
    command: Command, talked: str, tmp_path: Path, arguments: tuple[str, ...], begins: str
) -> None:
    assert (await command("export", talked, *arguments)).status == 0
    assert (tmp_path / arguments[0]).read_text("utf-8").startswith(begins)


async def test_every_format_goes_to_standard_output(command: Command, talked: str) -> None:
    assert (await command("export", talked, "-", "--format", "markdown")).out.startswith("# Hello\n")


@pytest.mark.parametrize("arguments", [("show", "zzzz"), ("end", "zzzz"), ("export", "zzzz", "x.json")])
async def test_an_unknown_id_is_a_line(command: Command, arguments: tuple[str, ...]) -> None:
    done = await command(*arguments)
    assert (done.status, done.out) == (1, "")
    assert done.err == "There is no mission zzzz. `secret-agents list` shows all.\n"


async def test_a_file_that_is_no_log_or_is_not_there_is_a_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text("{}", "utf-8")
    for name in ("log.json", "missing.json"):
        done = await command("import", name)
        assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)


async def test_a_file_that_is_no_database_is_a_line_and_stays_as_it_is(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "secret-agents.db"
    path.write_bytes(b"this is a diary, not a database" * 100)
    done = await command("list")
    assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert path.read_bytes() == b"this is a diary, not a database" * 100


@pytest.mark.parametrize("arguments", [("--config", "x.toml", "list"), ("list", "--config", "x.toml")])
async def test_the_configuration_may_be_named_before_and_after_the_command(
    command: Command, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "x.toml").write_text("[web]\nprot = 1\n[log]\nlevel = 1\n", "utf-8")
    done = await command(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.splitlines() == [
        "[log] level: must be one of 'debug', 'info', 'warning' or 'error'",
        "[web] prot: is not a known key; did you mean port?",
    ]


@pytest.mark.parametrize(
    "arguments",
    [(), ("dance",), ("show",), ("list", "--limit", "0"), ("model",), ("export", "all", "x", "--format", "xml")],
)
async def test_wrong_usage_is_told_and_exits_with_2(command: Command, arguments: tuple[str, ...]) -> None:
    done = await command(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("usage: secret-agents")

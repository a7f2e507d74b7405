"""`secret-agents import`, as people start it with what earlier programs wrote."""

import json
from pathlib import Path

from tests.command import Command

LOG = {
    "player_id": "agent007",
    "conversation": [
        {"timestamp": "2024-05-01 12:00", "user_message": "Hi", "agent_response": "Hello.", "mood": "good"},
        {"role": "user", "message": "Is it cold in Oslo?"},
        {"role": "tool", "tool": "weather", "parameters": {"city": "Oslo"}, "result": "-3"},
        {"role": "final", "message": "It is."},
        {"role": "rating", "rating": "good"},
        "what is this?",
    ],
}


def saved(path: Path, log: object) -> None:
    path.write_text(json.dumps(log), "utf-8")


async def test_an_earlier_programs_log_is_imported_once_and_shown(command: Command, tmp_path: Path) -> None:
    saved(tmp_path / "conversation.json", LOG)
    assert (await command("import", "conversation.json")).out == (
        "1 mission with 2 messages added.\n"
        "2 entries were not understood in whole or in part: what was not is kept as it was, in the extras.\n"
    )
    (tmp_path / "conversation.json").rename(tmp_path / "renamed")
    again = await command("import", "renamed")
    assert again.out == "0 missions with 0 messages added; 1 mission there already.\n"
    (mission,) = json.loads((await command("list", "--json")).out)
    assert (mission["owner"], mission["status"], mission["title"]) == ("agent007", "completed", "Hi")
    shown = json.loads((await command("show", mission["id"][:5], "--json")).out)
    assert [(turn["agent_response"], turn["tools"], turn["rating"]) for turn in shown["turns"]] == [
        ("Hello.", [], None),
        ("It is.", ["weather"], 1),
    ]


async def test_every_log_of_a_folder_is_told_by_its_name(command: Command, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    saved(tmp_path / "logs" / "a.json", LOG)
    (tmp_path / "logs" / "b.json").write_text('{"conversation": [', "utf-8")
    saved(tmp_path / "logs" / "c.json", {"conversation": [{"message": "Hi", "response": "Hello."}]})
    saved(tmp_path / "logs" / "game_state.json", {"score": 7})
    done = await command("import", "logs")
    assert (done.status, done.out.splitlines()[0], done.out.splitlines()[-1]) == (
        1,
        "a.json: 1 mission with 2 messages added.",
        "c.json: 1 mission with 1 message added.",
    )
    assert done.err == "b.json: The file ends in the middle: it was cut off. Get a whole copy of it.\n"
    assert len(json.loads((await command("list", "--json")).out)) == 2


async def test_what_is_no_log_is_a_line_that_says_what_to_do(command: Command, tmp_path: Path) -> None:
    saved(tmp_path / "shopping.json", ["milk", "eggs"])
    done = await command("import", "shopping.json")
    assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert done.err.endswith("Look whether it is the right file.\n")

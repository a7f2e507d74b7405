"""Lines for training: OpenAI's shape, answered turns only."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from storage import questions, turns
from storage.database import Connection
from storage.export import Options, export_pieces
from storage.export_finetune import Persona
from storage.export_formats import ExportSummary
from storage.export_selection import Selection
from storage.sqlite import SQLiteDatabase
from storage.turns import NewTurn, Step
from tests.exports import exported, lines_of
from tests.storage_builders import answer, answer_next, message, opening, result

WEATHER = {"type": "function", "function": {"name": "weather", "description": "Weather", "parameters": {}}}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as opened:
        yield opened


def ask(connection: Connection, new: NewTurn, said: str, *steps: Step) -> int:
    number = turns.admit(connection, new).conversation
    claim = turns.claim(connection, number, window=0)
    assert claim is not None
    for step in steps:
        turns.record_step(connection, claim.turn, claim.attempt, step)
    turns.conclude(connection, claim.turn, claim.attempt, answer(said))
    turns.finish(connection, claim.turn, claim.attempt)
    return claim.turn


def used(seq: int, round_: int, tool: str, parameters: Mapping[str, Any], came: Any) -> Step:
    return Step(seq, "result", {"round": round_, "call": 0, "tool": tool, "parameters": parameters, "result": came})


async def messages(database: SQLiteDatabase) -> list[dict[str, Any]]:
    (line,) = await lines_of(database, format_="finetune")
    found: list[dict[str, Any]] = line["messages"]
    return found


async def test_a_conversation_is_a_line_that_begins_with_its_agents_prompt(database: SQLiteDatabase) -> None:
    await database.write(ask, message("1", "hello"), "Good evening.")
    await database.write(ask, message("2", "and\nnow?"), "Tea.")
    await database.write(ask, message("3", "elsewhere", channel="other"), "Yes.")
    text = await exported(database, "finetune", options=Options(personas={"quartermaster": Persona("You are Q.")}))
    first, second = (json.loads(line) for line in text.splitlines())
    assert first == {
        "messages": [
            {"role": "system", "content": "You are Q."},
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "Good evening."},
            {"role": "user", "content": "and\nnow?"},
            {"role": "assistant", "content": "Tea."},
        ]
    }
    assert [each["content"] for each in second["messages"]] == ["You are Q.", "elsewhere", "Yes."]


async def test_an_agent_that_is_not_known_goes_without_a_prompt(database: SQLiteDatabase) -> None:
    await database.write(ask, message("1", "hello"), "Good evening.")
    assert [each["role"] for each in await messages(database)] == ["user", "assistant"]


async def test_calls_of_one_round_go_together_and_each_has_its_result(database: SQLiteDatabase) -> None:
    steps = (
        Step(0, "model", {"text": "", "calls": []}),
        used(1, 0, "weather", {"place": "Oslo"}, "mild"),
        used(2, 0, "time", {"place": "Oslo"}, "noon"),
        used(3, 1, "weather", {"place": "Århus"}, {"degrees": 7}),
    )
    await database.write(ask, message("1", "Oslo?"), "Mild.", *steps)
    await database.write(ask, message("2", "Bergen?"), "Wet.", used(0, 0, "weather", {}, "wet"))
    personas = {"quartermaster": Persona("You are Q.", (WEATHER,))}
    line = json.loads(await exported(database, "finetune", options=Options(personas=personas)))
    _, _, first, mild, noon, second, degrees, said, _, third, wet, _ = line["messages"]
    assert first == {
        "role": "assistant",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"place": "Oslo"}'},
            },
            {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": '{"place": "Oslo"}'}},
        ],
    }
    assert mild == {"role": "tool", "tool_call_id": "call_1", "content": "mild"}
    assert noon == {"role": "tool", "tool_call_id": "call_2", "content": "noon"}
    assert json.loads(second["tool_calls"][0]["function"]["arguments"]) == {"place": "Århus"}
    assert degrees == {"role": "tool", "tool_call_id": "call_3", "content": '{"degrees": 7}'}
    assert said == {"role": "assistant", "content": "Mild."}
    assert (third["tool_calls"][0]["id"], wet["tool_call_id"]) == ("call_4", "call_4")
    assert line["tools"][0] == WEATHER
    assert [tool["function"]["name"] for tool in line["tools"]] == ["weather", "time"]


async def test_results_of_which_no_round_is_told_are_calls_of_their_own(database: SQLiteDatabase) -> None:
    await database.write(ask, message("1", "x"), "y", result(0), result(1, "a gadget/ö"))
    _, first, _, second, _, _ = await messages(database)
    names = [one["tool_calls"][0]["function"]["name"] for one in (first, second)]
    assert names == ["decrypt", "a_gadget__"]


async def test_only_what_was_answered_and_not_asked_again_is_there(database: SQLiteDatabase) -> None:
    def fill(connection: Connection) -> None:
        for n, outcome in enumerate(("failed", "stopped", "cancelled")):
            number = turns.admit(connection, message(f"{n}", f"no {outcome}")).conversation
            answer_next(connection, number, answer("no", outcome=outcome))
        ask(connection, message("empty", "no answer"), "")
        first = ask(connection, message("again", "once more"), "no")
        admitted = questions.repeat(connection, first, "again 2")
        assert admitted is not None
        answer_next(connection, admitted.conversation, answer("Better."))
        turns.admit(connection, message("queued", "no"))
        turns.admit(connection, message("other", "no", channel="other"))

    await database.write(fill)
    assert [each["content"] for each in await messages(database)] == ["once more", "Better."]
    summary = await export_pieces(database, None, lambda _: None, "finetune")
    assert summary == ExportSummary(1, 1)


async def test_those_rated_badly_can_be_left_out(database: SQLiteDatabase) -> None:
    for event, rating in (("good", 1), ("unrated", None), ("bad", -1)):
        turn = await database.write(ask, message(event, event, channel=event), "x")
        if rating:
            await database.write(turns.rate, turn, rating)

    async def asked(rating: int | None) -> list[str]:
        lines = await lines_of(database, Selection(rating=rating), "finetune")
        return [line["messages"][0]["content"] for line in lines]

    assert await asked(None) == await asked(-1) == ["good", "unrated", "bad"]
    assert await asked(0) == ["good", "unrated"]
    assert await asked(1) == ["good"]


async def test_a_question_is_what_the_model_read(database: SQLiteDatabase) -> None:
    """With the name of who asks where several do, and the text of files."""
    files = ({"name": "plan.txt", "text": "at noon"}, {"name": "cat.png", "media_type": "image/png", "text": None})
    new = NewTurn("1", "u1", "Eve", "Read this", opening(), attachments=files, shared=True)
    await database.write(ask, new, "Done.")
    asked, _ = await messages(database)
    assert asked["content"] == ("Eve: Read this\n\n[Attached file 'plan.txt':]\nat noon\n\n[Attached file 'cat.png']")

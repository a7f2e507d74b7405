"""What earlier programs wrote, as it stands in the database when it was imported."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from storage import logged
from storage.errors import ImportRefused
from storage.importing import ImportSummary, restore
from storage.legacy import LegacyLog
from storage.log_file import LogFile
from storage.mission_log import encoded
from tests.storage_builders import TEST_DATA, bare_connection

WRITTEN = "2020-02-02T02:02:02.000Z"
T1, T2, T3, T4 = (f"2024-05-01T12:00:0{n}.000Z" for n in range(1, 5))
BLNS = TEST_DATA / "blns.json"

CALL = {"tool": "decrypt", "parameters": {"shift": 1}, "result": "HELLO"}
EXCHANGE = {
    "timestamp": T1,
    "user_message": "decrypt IFMMP",
    "agent_response": "It says HELLO.",
    "llm_raw_response": "raw",
    "tool_calls": [CALL],
}
ROLES: list[dict[str, Any]] = [
    {"timestamp": T1, "role": "user", "message": "Is it cold in Oslo?"},
    {"timestamp": T2, "role": "llm", "response": "let me look"},
    {"timestamp": T2, "role": "tool", "tool": "weather", "parameters": {"city": "Oslo"}, "result": {"degrees": -3}},
    {"timestamp": T3, "role": "state", "state_update": {"score": 4}},
    {"timestamp": T4, "role": "final", "message": "It is: 3 below zero."},
    {"role": "rating", "rating": "good"},
]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with bare_connection() as opened:
        yield opened


def imported(connection: sqlite3.Connection, value: object, **beside: object) -> ImportSummary:
    return restore(connection, LegacyLog(value, WRITTEN, beside))


def exported(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """As in the mission log, with a list of messages each."""
    whole = logged.Messages(connection, 1, 1_000)
    return [
        json.loads(encoded(told.head))
        | json.loads(encoded(told.tail))
        | {"messages": [json.loads(encoded(message)) for _, _, message in whole.of(told.number)]}
        for told in logged.conversations(connection, 1, 1_000)
    ]


def one(connection: sqlite3.Connection, *entries: object, **fields: object) -> dict[str, Any]:
    imported(connection, {"conversation": list(entries), **fields})
    (conversation,) = exported(connection)
    return conversation


def kept(told: dict[str, Any]) -> dict[int, Any]:
    """By position, what was kept of the entries of a turn or conversation."""
    return {entry["position"]: entry["kept"] for entry in told["extras"].get("legacy", {}).get("entries", [])}


def test_an_exchange_becomes_a_turn_with_its_calls(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, EXCHANGE)["messages"]
    turn = message.pop("turn")
    assert message == EXCHANGE
    assert (turn["status"], turn["outcome"], turn["finished_at"], turn["extras"]) == ("answered", "answered", T1, {})
    assert [(step["kind"], step["body"], step["recorded_at"]) for step in turn["steps"]] == [("result", CALL, T1)]


def test_a_conversation_is_completed_and_has_a_place_where_nobody_answers(connection: sqlite3.Connection) -> None:
    told = one(connection, EXCHANGE, EXCHANGE | {"timestamp": T3})
    assert (told["status"], told["started_at"], told["last_updated"]) == ("completed", T1, T3)
    assert told["place"] == {"platform": "import", "workspace": "", "channel": told["conversation_id"], "thread": ""}
    assert (told["title"], told["owner"], told["extras"]) == ("decrypt IFMMP", "user", {"legacy": {"log": {}}})


def test_a_field_of_a_call_that_nobody_asked_for_stays_with_it(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, EXCHANGE | {"tool_calls": [CALL | {"seconds": 3}]})["messages"]
    assert message["tool_calls"] == [CALL]
    assert message["turn"]["steps"][0]["body"] == CALL | {"seconds": 3}


@pytest.mark.parametrize(
    ("entry", "rest"),
    [
        ({"message": "Hi", "response": "Hello."}, None),
        ({"message": "Hi", "response": {"message": "Hello."}}, None),
        ({"message": "Hi", "response": {"message": "Hello.", "mood": "good"}}, {"response": {"mood": "good"}}),
        ({"user_input": "Hi", "llm_response": "Hello.", "rating": 1}, {"rating": 1}),
        ({"user_input": "Hi", "response": "Hello.", "extra": [1]}, {"extra": [1]}),
    ],
)
def test_a_pair_becomes_a_turn(connection: sqlite3.Connection, entry: dict[str, Any], rest: object) -> None:
    (message,) = one(connection, entry)["messages"]
    assert (message["user_message"], message["agent_response"], message["llm_raw_response"]) == ("Hi", "Hello.", "")
    assert kept(message["turn"]) == ({0: rest} if rest else {})


def test_a_question_without_an_answer_is_a_cancelled_turn(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, {"message": "Hi", "response": None})["messages"]
    assert (message["agent_response"], message["turn"]["status"]) == ("", "cancelled")


def test_entries_with_roles_are_folded_into_a_turn(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, *ROLES)["messages"]
    turn = message["turn"]
    assert (message["timestamp"], message["user_message"]) == (T1, "Is it cold in Oslo?")
    assert (message["agent_response"], message["llm_raw_response"]) == ("It is: 3 below zero.", "let me look")
    assert message["tool_calls"] == [{"tool": "weather", "parameters": {"city": "Oslo"}, "result": {"degrees": -3}}]
    assert [(step["kind"], step["recorded_at"]) for step in turn["steps"]] == [("model", T2), ("result", T2)]
    assert turn["steps"][0]["body"]["text"] == "let me look"
    assert (turn["finished_at"], turn["rating"]) == (T4, 1)


def test_what_roles_there_were_and_what_the_state_was_is_kept(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, *ROLES)["messages"]
    assert kept(message["turn"]) == {
        0: {"role": "user"},
        1: {"role": "llm"},
        2: {"role": "tool"},
        3: ROLES[3],
        4: {"role": "final"},
        5: ROLES[5],
    }


def role(name: str, text: str = "") -> dict[str, Any]:
    return {"role": name, "tool": "coin"} if name == "tool" else {"role": name, "message": text}


@pytest.mark.parametrize(
    ("roles", "turns"),
    [
        ("user:q llm:a user:r llm:b", [("q", "a", "answered"), ("r", "b", "answered")]),
        ("user:q user:r final:b", [("q", "", "cancelled"), ("r", "b", "answered")]),
        ("user:q llm:a llm:b", [("q", "b", "answered")]),
        ("user:q llm:call tool llm:a", [("q", "a", "answered")]),
        ("user:q llm:call tool", [("q", "", "cancelled")]),
        ("user:q llm:call tool final:a", [("q", "a", "answered")]),
        ("user:q final:a llm:raw", [("q", "a", "answered"), ("", "raw", "answered")]),
        ("user:q final:a final:b", [("q", "a", "answered"), ("", "b", "answered")]),
        ("user:q deterministic:a user:r", [("q", "a", "answered"), ("r", "", "cancelled")]),
        ("final:welcome user:q final:a", [("", "welcome", "answered"), ("q", "a", "answered")]),
        ("llm:welcome tool user:q", [("", "", "cancelled"), ("q", "", "cancelled")]),
        ("user:q final:a tool user:r", [("q", "a", "answered"), ("r", "", "cancelled")]),
        ("tool user:q final:a", [("q", "a", "answered")]),
    ],
)
def test_the_order_of_the_entries_decides_what_belongs_together(
    connection: sqlite3.Connection, roles: str, turns: list[tuple[str, str, str]]
) -> None:
    told = one(connection, *(role(*entry.split(":")) for entry in roles.split()))
    assert [
        (message["user_message"], message["agent_response"], message["turn"]["status"]) for message in told["messages"]
    ] == turns


def test_all_that_a_model_said_is_its_raw_response(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, role("user", "q"), role("llm", "a"), role("llm", "b"))["messages"]
    assert message["llm_raw_response"] == "a\nb"


def test_a_turn_is_over_with_its_answer_whatever_gadget_comes_after(connection: sqlite3.Connection) -> None:
    late = {"timestamp": T3, "role": "tool", **CALL}
    (message,) = one(connection, EXCHANGE | {"tool_calls": []}, late)["messages"]
    turn = message["turn"]
    assert (turn["finished_at"], [step["recorded_at"] for step in turn["steps"]]) == (T1, [T3])


def test_a_deterministic_answer_may_be_a_call(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, role("user", "q"), {"role": "deterministic", **CALL}, role("final", "a"))["messages"]
    assert (message["agent_response"], message["tool_calls"]) == ("a", [CALL])


def test_a_turn_of_one_shape_may_end_in_another(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, {"user_message": "q"}, role("llm", "a"), {"role": "rating", "rating": False})[
        "messages"
    ]
    assert (message["user_message"], message["agent_response"], message["turn"]["rating"]) == ("q", "a", -1)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ([5, 1, 3], [1, -1, 0]),
        ([1, 0, -1], [1, 0, -1]),
        (["bad", True, "?"], [-1, 1, None]),
        ([None, [], 7], [None, None, 0]),
    ],
)
def test_a_rating_is_a_thumb_and_the_original_is_kept(
    connection: sqlite3.Connection, given: list[object], stored: list[int | None]
) -> None:
    told = one(connection, *({"user_input": "q", "llm_response": "a", "rating": rating} for rating in given))
    assert [message["turn"]["rating"] for message in told["messages"]] == stored
    assert [kept(message["turn"])[n]["rating"] for n, message in enumerate(told["messages"])] == given


def test_the_last_rating_that_is_understood_counts(connection: sqlite3.Connection) -> None:
    ratings = [{"role": "rating", "rating": rating} for rating in ("good", "bad", "so so")]
    (message,) = one(connection, EXCHANGE, *ratings)["messages"]
    assert (message["turn"]["rating"], list(kept(message["turn"]).values())) == (-1, ratings)


def test_missing_times_are_the_neighbours_and_marked(connection: sqlite3.Connection) -> None:
    times = [None, T2, "soon", T4, None]
    told = one(connection, *({"timestamp": time, "message": "q"} for time in times))
    assert [message["timestamp"] for message in told["messages"]] == [T2, T2, T2, T4, T4]
    marks = [message["turn"]["extras"].get("legacy", {}).get("times_filled_in") for message in told["messages"]]
    assert marks == [[0], None, [2], None, [4]]
    assert kept(told["messages"][2]["turn"]) == {2: {"timestamp": "soon"}}


def test_what_is_kept_whole_needs_no_time(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, EXCHANGE, {"role": "state", "state_update": 1}, 7)["messages"]
    assert "times_filled_in" not in message["turn"]["extras"]["legacy"]


def test_without_any_time_the_files_is_taken_and_marked(connection: sqlite3.Connection) -> None:
    told = one(connection, {"message": "q"})
    assert (told["started_at"], told["messages"][0]["timestamp"]) == (WRITTEN, WRITTEN)
    assert told["extras"]["legacy"] == {"log": {}, "without_times": True}


def test_a_given_time_stays_though_it_is_before_the_one_before(connection: sqlite3.Connection) -> None:
    told = one(connection, EXCHANGE | {"timestamp": T3}, EXCHANGE, {"message": "q"})
    assert [message["timestamp"] for message in told["messages"]] == [T3, T1, T1]
    assert (told["started_at"], told["last_updated"]) == (T1, T3)


def test_a_time_in_another_form_is_kept_beside_ours(connection: sqlite3.Connection) -> None:
    (message,) = one(connection, {"timestamp": 1714561200, "message": "q"})["messages"]
    assert message["timestamp"] == "2024-05-01T11:00:00.000Z"
    assert message["turn"]["extras"] == {"legacy": {"entries": [{"position": 0, "kept": {"timestamp": 1714561200}}]}}


PLAYER = {"player_id": "agent007", "missions_completed": ["m1"], "current_mission": None, "game_state": {"score": 3}}


@pytest.mark.parametrize(
    "log",
    [
        pytest.param({"conversation": [EXCHANGE], **PLAYER}, id="beside"),
        pytest.param({"conversation": [EXCHANGE, PLAYER]}, id="among"),
        pytest.param({"conversation": [], **PLAYER}, id="without entries"),
        pytest.param(PLAYER, id="without conversation"),
    ],
)
def test_a_player_owns_the_mission_and_what_they_reached_is_kept(
    connection: sqlite3.Connection, log: dict[str, Any]
) -> None:
    assert imported(connection, log).kept == 0
    (told,) = exported(connection)
    assert (told["owner"], told["owner_name"], told["state"]) == ("agent007", "agent007", {})
    assert {message["turn"]["author"] for message in told["messages"]} <= {"agent007"}
    assert PLAYER in [told["extras"]["legacy"]["log"], *kept(told).values()]


@pytest.mark.parametrize(("player", "owner"), [(42, "42"), (True, "user"), (" ", "user"), (None, "user"), ([], "user")])
def test_a_player_may_be_a_number_and_no_more(connection: sqlite3.Connection, player: object, owner: str) -> None:
    assert one(connection, EXCHANGE, player_id=player)["owner"] == owner


def test_the_game_state_beside_the_log_is_kept(connection: sqlite3.Connection) -> None:
    imported(connection, {"conversation": [EXCHANGE]}, **{"game_state.json": {"level": 2}})
    assert exported(connection)[0]["extras"]["legacy"] == {"log": {}, "game_state.json": {"level": 2}}


NOT_UNDERSTOOD: list[object] = [
    17, "text", None, [], ["a"], {}, {"role": "narrator", "message": "boo"}, {"role": 7, "message": "q"},
    {"mood": "good"}, {"message": 7}, {"role": "llm"}, {"role": "final", "message": []}, {"role": "tool", "tool": 3},
    {"role": "tool", "message": "x"}, {"role": "rating"}, {"role": "rating", "rating": "?"}, {"tool": "coin"},
    {"rating": 5},
]  # fmt: skip


def test_what_is_not_understood_is_kept_where_it_was_and_counted(connection: sqlite3.Connection) -> None:
    summary = imported(connection, {"conversation": [EXCHANGE, *NOT_UNDERSTOOD]})
    assert summary == ImportSummary(1, 1, 0, kept=len(NOT_UNDERSTOOD))
    (message,) = exported(connection)[0]["messages"]
    entries = message["turn"]["extras"]["legacy"]["entries"]
    assert entries == [
        {"position": n, "kept": value, "not_understood": True} for n, value in enumerate(NOT_UNDERSTOOD, start=1)
    ]


def test_what_belongs_to_no_turn_is_kept_with_the_conversation(connection: sqlite3.Connection) -> None:
    entries = [{"role": "tool", **CALL}, {"role": "rating", "rating": 1}, {"role": "state", "state_update": {}}, 5]
    summary = imported(connection, {"conversation": entries})
    assert (summary.turns, summary.kept) == (0, 3)
    (told,) = exported(connection)
    assert list(kept(told).values()) == entries


PARTLY: list[tuple[dict[str, Any], object]] = [
    (EXCHANGE | {"llm_raw_response": {"a": 1}}, {"llm_raw_response": {"a": 1}}),
    (EXCHANGE | {"tool_calls": [CALL, {"name": "x"}, 3]}, {"tool_calls": [{"name": "x"}, 3]}),
    (EXCHANGE | {"tool_calls": "none"}, {"tool_calls": "none"}),
    (EXCHANGE | {"user_message": 7}, {"user_message": 7}),
    (EXCHANGE | {"timestamp": [1]}, {"timestamp": [1]}),
    (EXCHANGE | {"mood": "good"}, {"mood": "good"}),
    (EXCHANGE | {"role": None, "mood": 0}, {"role": None, "mood": 0}),
    ({"role": "user", "message": None}, {"role": "user", "message": None}),
    ({"role": "user", "message": "q", "response": "?"}, {"role": "user", "response": "?"}),
    ({"role": "final", "response": "a", "message": "b"}, {"role": "final", "message": "b"}),
]


@pytest.mark.parametrize(("entry", "rest"), PARTLY)
def test_what_of_an_entry_is_not_understood_is_kept_and_counted_once(
    connection: sqlite3.Connection, entry: dict[str, Any], rest: object
) -> None:
    assert imported(connection, {"conversation": [entry]}) == ImportSummary(1, 1, 0, kept=1)
    (message,) = exported(connection)[0]["messages"]
    (noted,) = message["turn"]["extras"]["legacy"]["entries"]
    assert noted == {"position": 0, "kept": rest, "not_understood": True}


def test_fields_beside_the_conversation_are_kept_and_counted(connection: sqlite3.Connection) -> None:
    summary = imported(connection, {"version": 1, "conversation": [EXCHANGE], "notes": [None], "player_id": "p"})
    assert summary.kept == 2
    assert exported(connection)[0]["extras"]["legacy"]["log"] == {"version": 1, "notes": [None], "player_id": "p"}


def test_an_array_of_logs_is_a_conversation_each(connection: sqlite3.Connection) -> None:
    logs = [{"conversation": [EXCHANGE]}, {"conversation": []}, PLAYER, {"conversation": [EXCHANGE]}]
    assert imported(connection, logs) == ImportSummary(2, 1, 1)


def test_the_same_log_in_another_layout_is_the_same(connection: sqlite3.Connection) -> None:
    imported(connection, {"conversation": [EXCHANGE], "a": 1})
    again = {"a": 1, "conversation": [dict(reversed(EXCHANGE.items()))]}
    assert restore(connection, LegacyLog(again, T4, {})) == ImportSummary(0, 0, 1)
    assert imported(connection, {"conversation": [EXCHANGE, EXCHANGE], "a": 1}) == ImportSummary(1, 2, 0, kept=1)


def test_another_game_state_beside_a_known_log_is_told(connection: sqlite3.Connection) -> None:
    log = {"conversation": [EXCHANGE]}
    imported(connection, log, **{"game_state.json": 1})
    (told,) = exported(connection)
    assert imported(connection, log, **{"game_state.json": 1}) == ImportSummary(0, 0, 1)
    summary = imported(connection, log, **{"game_state.json": 2})
    assert summary == ImportSummary(0, 0, 1, differing=(told["conversation_id"],))
    assert exported(connection) == [told]


NO_LOGS: list[object] = [
    None, 1, "text", [], {}, [1], [{}], {"a": 1}, {"conversation": {}}, {"conversation": "text"}, {"player_id": "p"},
    [{"conversation": [EXCHANGE]}, 1], [EXCHANGE],
]  # fmt: skip


@pytest.mark.parametrize("value", NO_LOGS)
def test_what_is_no_log_is_refused(value: object) -> None:
    with pytest.raises(ImportRefused, match=r"no log of missions.*Look whether it is the right file\."):
        LegacyLog(value, WRITTEN, {})


@pytest.mark.parametrize("value", [{"conversation": []}, [{"conversation": []}], {"conversation": [], "name": "x"}])
def test_a_log_without_entries_is_refused(value: object) -> None:
    with pytest.raises(ImportRefused, match="has no entries: there is nothing to import"):
        LegacyLog(value, WRITTEN, {})


def test_a_log_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(ImportRefused, match="5,000,000 entries are the limit"):
        LegacyLog({"conversation": [None] * 5_000_001}, WRITTEN, {})


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes().map(str) | st.sampled_from([T1, T2, 1714561200, 1714561200123, "soon"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
ROLE_NAMES = st.sampled_from(["user", "llm", "tool", "state", "final", "deterministic", "rating", "narrator"])
FIELDS = {
    "timestamp": TIMES,
    "role": ROLE_NAMES,
    "tool": TEXTS,
    "tool_calls": st.lists(st.fixed_dictionaries({"tool": TEXTS | VALUES, "parameters": VALUES}) | VALUES, max_size=2),
    "rating": st.sampled_from([1, 5, -1, "good", True, 4.5]),
    "response": st.fixed_dictionaries({"message": TEXTS}) | TEXTS,
} | dict.fromkeys(
    ["user_message", "agent_response", "llm_raw_response", "message", "user_input", "llm_response", "player_id"], TEXTS
)
OTHERS = ["parameters", "result", "state_update", "missions_completed", "current_mission", "game_state", "other"]
SHAPED = st.fixed_dictionaries(
    {}, optional={name: known | VALUES for name, known in FIELDS.items()} | dict.fromkeys(OTHERS, VALUES)
)
LOGS = st.fixed_dictionaries(
    {"conversation": VALUES | st.lists(SHAPED | VALUES, max_size=5)}, optional={"other": VALUES}
)


def leaves(value: Any) -> Iterator[str]:
    """Every name and value in it, as JSON."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from (json.dumps(name), *leaves(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield json.dumps(value)


NAMES = {json.dumps(name) for name in ("conversation", *FIELDS)}
"""What tells where a value belongs is not kept when it stands there."""


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(log=LOGS)
@example(log={"conversation": [{"role": "user", "message": {"message": "x", "message2": {"message": "y"}}}]})
def test_whatever_a_conversation_is_nothing_of_it_is_dropped(log: dict[str, Any]) -> None:
    with bare_connection() as connection:
        if not log["conversation"] or not isinstance(log["conversation"], list):
            with pytest.raises(ImportRefused):
                imported(connection, log)
            return
        summary = imported(connection, log)
        told = exported(connection)
        assert summary.conversations == 1
        assert set(leaves(log)) - NAMES <= set(leaves(told))
        check_round_trip(told)


def check_round_trip(told: list[dict[str, Any]]) -> None:
    log = json.dumps({"version": 2, "conversations": told, "metadata": {}}).encode()
    with bare_connection() as other:
        restore(other, LogFile(log))
        assert exported(other) == told


@pytest.mark.skipif(not BLNS.exists(), reason="the list of naughty strings is not here")
def test_naughty_strings_come_through_in_every_field(connection: sqlite3.Connection) -> None:
    naughty = json.loads(BLNS.read_text("utf-8"))
    entries = [
        {name: text, "message": text, "response": {"message": text}, text or " ": text}
        for text in naughty
        for name in (*FIELDS, *OTHERS)
    ]
    calls = [{"role": "tool", "tool": text, "parameters": {text: text}, "result": text} for text in naughty]
    logs = [{"conversation": [text, {"message": text}], "player_id": text, text: text} for text in set(naughty)]
    imported(connection, [{"conversation": [*entries, *calls]}, *logs])
    whole, *told = exported(connection)
    assert {json.dumps(text) for text in naughty} <= set(leaves([message["turn"] for message in whole["messages"]]))
    assert [one["owner"] for one in told] == [log["player_id"] if log["player_id"].strip() else "user" for log in logs]
    check_round_trip([whole, *told])

"""Any mission log comes through import and export as it was."""

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.export import export_pieces
from storage.importing import import_json
from storage.mission_log import IMPORTED_STATUS
from storage.sqlite import SQLiteDatabase

TIMES = st.datetimes().map(lambda time: time.isoformat(timespec="milliseconds") + "Z")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNTS = st.integers(0, 2**63 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)
OBJECTS_WITHOUT_IMAGE = OBJECTS.map(lambda drawn: {name: value for name, value in drawn.items() if name != "image"})
OUTCOMES = ("answered", "failed", "stopped", "cancelled")
# The one key that is the import's own.
EXTRAS = OBJECTS.map(lambda extras: {name: value for name, value in extras.items() if name != IMPORTED_STATUS})
RESULTS = st.builds(lambda tool, body: {**body, "tool": tool}, TEXTS, OBJECTS)


def told(step: dict[str, Any]) -> dict[str, Any]:
    body = step["body"]
    return {"tool": body["tool"], "parameters": body.get("parameters", {}), "result": body.get("result", "")}


@st.composite
def steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    numbers = sorted(draw(st.sets(COUNTS, max_size=3)))
    kinds = [draw(st.sampled_from(["model", "result"])) for _ in numbers]
    return [
        {
            "seq": seq,
            "kind": kind,
            "body": draw(RESULTS if kind == "result" else OBJECTS),
            "recorded_at": draw(TIMES),
        }
        for seq, kind in zip(numbers, kinds, strict=True)
    ]


@st.composite
def images(draw: st.DrawFn) -> list[dict[str, Any]]:
    numbers = sorted(draw(st.sets(COUNTS, max_size=2)))
    data = st.binary(max_size=20).map(lambda content: base64.b64encode(content).decode())
    return [{"number": number, "media_type": draw(TEXTS), "data": draw(data)} for number in numbers]


@st.composite
def messages(draw: st.DrawFn, event_key: str) -> dict[str, Any]:
    status = draw(st.sampled_from(["queued", "running", *OUTCOMES]))
    outcome = draw(st.none() | st.sampled_from(OUTCOMES)) if status in ("queued", "running") else status
    journal = draw(steps())
    parts = sorted(draw(st.sets(COUNTS, max_size=2)))
    pictures = draw(images())
    naming = [{"image": picture["number"], **draw(OBJECTS_WITHOUT_IMAGE)} for picture in pictures]
    return {
        "timestamp": draw(TIMES),
        "user_message": draw(TEXTS),
        "agent_response": draw(TEXTS) if outcome else "",
        "llm_raw_response": draw(TEXTS) if outcome else "",
        "tool_calls": [told(step) for step in journal if step["kind"] == "result"],
        "turn": {
            "event_key": event_key,
            "author": draw(TEXTS),
            "author_name": draw(TEXTS),
            "shared": draw(st.booleans()),
            "attachments": [*draw(st.lists(OBJECTS, max_size=2)), *naming],
            "status": status,
            "attempt": draw(COUNTS),
            "stop_requested": draw(st.booleans()),
            "outcome": outcome,
            "model": draw(st.none() | TEXTS),
            "prompt_tokens": draw(COUNTS),
            "completion_tokens": draw(COUNTS),
            "error": draw(st.none() | TEXTS),
            "rating": draw(st.sampled_from([None, -1, 0, 1])),
            "started_at": draw(st.none() | TIMES),
            "finished_at": draw(st.none() | TIMES),
            "steps": journal,
            "deliveries": [{"part": part, "remote_id": draw(TEXTS)} for part in parts],
            "extras": draw(EXTRAS),
            **({"images": pictures} if pictures else {}),
            **({"repeated": True} if draw(st.booleans()) else {}),
        },
    }


@st.composite
def conversations(draw: st.DrawFn, identifier: str) -> dict[str, Any]:
    count = draw(st.integers(0, 3))
    summarised = draw(st.integers(0, count))
    return {
        "conversation_id": identifier,
        "started_at": draw(TIMES),
        "last_updated": draw(TIMES),
        "status": draw(st.sampled_from(["active", "completed"])),
        "messages": [draw(messages(f"{identifier}:{n}")) for n in range(count)],
        # A place of its own: only one active conversation fits into each.
        "place": {"platform": draw(TEXTS), "workspace": draw(TEXTS), "channel": identifier, "thread": draw(TEXTS)},
        "owner": draw(TEXTS),
        "owner_name": draw(TEXTS),
        "agent": draw(TEXTS),
        "title": draw(TEXTS),
        "summary": draw(TEXTS),
        "state": draw(OBJECTS),
        "extras": draw(OBJECTS),
        **({"summarised_to": f"{identifier}:{summarised - 1}"} if summarised else {}),
    }


@st.composite
def logs(draw: st.DrawFn) -> dict[str, Any]:
    drawn = [draw(conversations(one)) for one in draw(st.lists(TEXTS.filter(bool), max_size=3, unique=True))]
    updated = [one["last_updated"] for one in drawn]
    active = [n for n, one in enumerate(drawn) if one["status"] == "active"]
    current = max(active, key=lambda n: (updated[n], n), default=None)
    return {
        "version": 2,
        "conversations": drawn,
        "current_conversation_id": None if current is None else drawn[current]["conversation_id"],
        "metadata": {"total_conversations": len(drawn), "last_activity": max(updated, default=None)},
    }


async def through(folder: Path, name: str, text: str) -> str:
    """What a fresh database exports after it imported `text`."""
    (folder / f"{name}.json").write_text(text, "utf-8")
    pieces: list[bytearray] = []
    async with SQLiteDatabase(str(folder / f"{name}.db")) as database:
        await import_json(database, folder / f"{name}.json")
        await export_pieces(database, None, pieces.append)
    return b"".join(pieces).decode()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(log=logs(), indent=st.sampled_from([None, 2]))
async def test_any_log_comes_back_as_it_was(log: dict[str, Any], indent: int | None) -> None:
    with TemporaryDirectory() as folder:
        first = await through(Path(folder), "first", json.dumps(log, indent=indent))
        assert json.loads(first) == log
        assert await through(Path(folder), "second", first) == first

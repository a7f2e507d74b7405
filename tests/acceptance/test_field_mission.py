"""The spy game on the real core: played to the end, by anybody in the thread, across crashes, and with a real model."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.commands import Invocation
from bot.models.embedded import EmbeddedModel
from bot.models.model import Request, ToolCall, ToolMessage
from bot.models.weights import LARGE, cache_dir, installed
from bot.platforms.platform import Author
from gadgets.field_mission import card, objective
from gadgets.field_state import FAMILY, Mission, normalised
from storage import conversations
from storage.database import Connection
from storage.sqlite import SQLiteDatabase
from tests.core import Core
from tests.fakes.halting_database import HaltingDatabase
from tests.fakes.open_meteo import OpenMeteo
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.fakes.stub_platform import ALICE, Channel, StubPlatform, message
from tests.field_player import answered, begin, field_core, mission_of, play, say, words

BOB = Author("u2", "Bob")
RULES: tuple[tuple[str, str, str], ...] = (
    (r"Let's begin the mission\.", "brief", ""),
    (r"Fly me to (.+)\.", "travel", "destination"),
    (r"I'll wear the (.+)\.", "disguise", "outfit"),
    (r"The message reads: (.+)", "crack", "guess"),
    (r"Report back: (.+)", "report", "text"),
    (r"Give me a hint\.", "hint", ""),
    (r"Where are we\?", "status", ""),
)


def lead(request: Request) -> Script:
    """A Taskmaster who understands exactly these phrases, and repeats what comes of them."""
    last = request.messages[-1]
    if isinstance(last, ToolMessage):
        return [last.text]
    for pattern, gadget, parameter in RULES:
        if found := re.fullmatch(pattern, last.text.rsplit(": ", 1)[-1] if "Bob:" in last.text else last.text):
            return [ToolCall("c1", gadget, {parameter: found[1]} if parameter else {})]
    return ["I do not follow."]


async def test_ten_missions_are_played_to_the_end(tmp_path: Path) -> None:
    async with field_core(tmp_path / "db", ScriptedModel(answer=lead)) as core:
        played = await asyncio.gather(*(play(core, f"seed-{number}") for number in range(10)))
    assert [each.completed for each in played] == [True] * 10
    assert all(len(each.said) == 5 for each in played)
    assert all(each.mission is not None and each.mission.score >= 100 for each in played)
    assert all(each.mission and each.answers[-1].endswith(card(each.mission)) for each in played)
    assert len({each.mission.offers for each in played if each.mission}) == 10


async def test_what_the_code_means_is_in_no_prompt_step_or_state_before_it_is_cracked(tmp_path: Path) -> None:
    model = ScriptedModel(answer=lead)
    async with field_core(tmp_path / "db", model) as core:
        for number in range(10):
            seed = f"seed-{number}"
            mission = await dressed(core, seed)
            for turn in range(4):
                await say(core, seed, 10 + turn, "Give me a hint.")
            secret = normalised(mission.plaintext)
            written = normalised(json.dumps(await core.database.read(everything)))
            prompts = normalised(" ".join(str(request) for request in model.requests))
            assert secret not in written
            assert secret not in prompts
            assert mission.ciphertext in str(model.requests)


async def test_a_mission_that_is_over_is_completed_and_the_next_message_begins_another(tmp_path: Path) -> None:
    async with field_core(tmp_path / "db", ScriptedModel(answer=lead)) as core:
        played = await play(core, "t1")
        after = await core.inbox.admit(message("Let's begin the mission.", 99, thread="t1"))
        await answered(core, after.turn)
        again = await mission_of(core, after.conversation)
    assert after.conversation != played.conversation.number
    assert again is not None
    assert again.phase == "travel"


async def test_anyone_in_the_thread_can_play(tmp_path: Path) -> None:
    async with field_core(tmp_path / "db", ScriptedModel(answer=lead)) as core:
        conversation = await begin(core, "t1")
        for number in range(5):
            text = words(await mission_of(core, conversation.number), 0)
            await say(core, "t1", number, text, (ALICE, BOB)[number % 2])
        assert (await core.database.read(conversations.get, conversation.number)).status == "completed"
    assert {asker for _, _, asker in core.calls} == {"stub:u1", "stub:u2"}


@pytest.mark.parametrize("said", ["I'll wear the crown.", "The message reads: hello", "Report back: all done here"])
async def test_skipping_is_refused_with_what_is_possible(tmp_path: Path, said: str) -> None:
    async with field_core(tmp_path / "db", ScriptedModel(answer=lead)) as core:
        nothing = await say(core, "t1", 0, said)
        assert "Ask for a briefing" in nothing
        conversation = await begin(core, "t1")
        await say(core, "t1", 1, "Let's begin the mission.")
        mission = await mission_of(core, conversation.number)
        assert mission is not None
        assert objective(mission) in await say(core, "t1", 2, said)
        after = await mission_of(core, conversation.number)
    assert after == replace(mission, turns=2, turn=after.turn if after else 0)


async def test_the_disguise_must_suit_the_real_weather(tmp_path: Path) -> None:
    """Among the cities that the service knows; the answer tells what it said."""
    model, seed = ScriptedModel(answer=lead), "seed-with-oslo-2"
    async with (
        OpenMeteo() as service,
        field_core(tmp_path / "db", model, forecast_url=service.forecast_url) as core,
    ):
        await begin(core, seed)
        await say(core, seed, 0, "Let's begin the mission.")
        answer = await say(core, seed, 1, "Fly me to Oslo.")
    assert "overcast, -4 °C (24 °F)" in answer
    assert [request.path for request in service.requests] == ["/v1/forecast"]


async def test_mission_show_tells_phase_objective_and_score(tmp_path: Path) -> None:
    async with field_core(tmp_path / "db", ScriptedModel(answer=lead)) as core:
        mission = await dressed(core, "t1")
        await say(core, "t1", 9, "Give me a hint.")
        answer = await core.commands.run(Invocation("show", {}, message("", thread="t1").key, ALICE))
    assert "phase 3 of 4: crack the code" in answer.text
    assert mission.ciphertext in answer.text
    assert "95 points (4 turns, 1 hint, 0 mistakes)" in answer.text


async def test_what_is_needed_is_shown_letter_by_letter_whatever_the_model_says(tmp_path: Path) -> None:
    def mumbling(request: Request) -> Script:
        return ["Hm."] if isinstance(request.messages[-1], ToolMessage) else lead(request)

    async with field_core(tmp_path / "db", ScriptedModel(answer=mumbling)) as core:
        conversation = await begin(core, "seed-1")
        for number in range(5):
            answer = await say(core, "seed-1", number, words(await mission_of(core, conversation.number), 0))
            mission = await mission_of(core, conversation.number)
            assert mission is not None
            assert answer == f"Hm.\n\n{card(mission)}"


BOUNDARIES = [
    ("before", "record_step", "model"),
    ("after", "record_step", "model"),
    ("before", "record_step", "result"),
    ("after", "record_step", "result"),
    ("before", "conclude", ""),
    ("after", "conclude", ""),
    ("before", "finish", ""),
    ("after", "finish", ""),
]


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=" ".join)
async def test_a_kill_in_any_phase_changes_nothing(tmp_path: Path, boundary: tuple[str, str, str]) -> None:
    """The program ends in every turn of a mission, each time at the same point of it."""
    async with field_core(tmp_path / "undisturbed", ScriptedModel(answer=lead)) as core:
        expected = await play(core, "seed-1")
        reference = await core.database.read(conversations.get, expected.conversation.number)
    channel = Channel()
    number = 0
    async with field_core(tmp_path / "db", ScriptedModel(answer=lead)) as core:
        number = (await begin(core, "seed-1")).number
    ran = 0
    for at, said in enumerate(expected.said):
        ran += await killed(tmp_path / "db", channel, at, said, boundary)
        ran += await resumed(tmp_path / "db", channel, at, said)
    async with field_core(tmp_path / "db", ScriptedModel(answer=lead)) as core:
        found = await core.database.read(conversations.get, number)
    assert timeless(found.state) == timeless(reference.state)
    assert found.status == "completed"
    assert channel.answers()[:4] == expected.answers[:4]
    assert len(channel.answers()) == 5
    assert ran == (10 if boundary == ("before", "record_step", "result") else 5)


async def killed(path: Path, channel: Channel, at: int, said: str, boundary: tuple[str, str, str]) -> int:
    """Say something and end at the boundary; how many gadgets ran."""
    halting: list[HaltingDatabase] = []

    def wrap(database: SQLiteDatabase) -> HaltingDatabase:
        halting.append(HaltingDatabase(database, partial(reached, boundary)))
        return halting[0]

    async with field_core(path, ScriptedModel(answer=lead), StubPlatform(channel), wrap=wrap) as core:
        await core.inbox.admit(message(said, at, thread="seed-1"))
        async with asyncio.timeout(30):
            await halting[0].reached.wait()
        for task in list(core.engine._tasks.values()):
            task.cancel()
    return len(core.calls)


def reached(boundary: tuple[str, str, str], when: str, unit: str, args: tuple[Any, ...]) -> bool:
    kind = args[2].kind if unit == "record_step" else ""
    return boundary == (when, unit, kind)


async def resumed(path: Path, channel: Channel, at: int, said: str) -> int:
    """The next start, to which the platform repeats the message; how many gadgets ran."""
    async with field_core(path, ScriptedModel(answer=lead), StubPlatform(channel)) as core:
        again = await core.inbox.admit(message(said, at, thread="seed-1"))
        await answered(core, again.turn)
    return len(core.calls)


def timeless(state: dict[str, Any]) -> dict[str, Any]:
    """Without the clock and the numbers of turns."""
    return {name: value for name, value in state[FAMILY].items() if name not in {"started", "ended", "turn"}}


async def dressed(core: Core[StubPlatform], seed: str) -> Mission:
    """A mission that has come to its code."""
    conversation = await begin(core, seed)
    for number in range(3):
        await say(core, seed, number, words(await mission_of(core, conversation.number), 0))
    mission = await mission_of(core, conversation.number)
    assert mission is not None
    assert mission.phase == "crack"
    return mission


def everything(connection: Connection) -> list[list[Any]]:
    """All that is written of conversations, turns and steps."""
    tables = ("conversations", "turns", "steps")
    return [list(row) for table in tables for row in connection.execute(f"SELECT * FROM {table}").fetchall()]


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedModel]:
    pytest.importorskip("xllamacpp", reason="the embedded model's runtime is not installed")
    if await asyncio.to_thread(installed, LARGE, cache_dir()) is None:
        pytest.skip("the embedded model is not in the cache: secret-agents model pull")
    async with ClientSession() as http:
        yield EmbeddedModel(http, weights=LARGE, fetch=False)


@pytest.mark.timeout(900)
async def test_the_embedded_model_leads_a_mission_to_its_end(tmp_path: Path, embedded: EmbeddedModel) -> None:
    """Ten of them: `make bench-missions`."""
    async with field_core(tmp_path / "db", embedded) as core:
        played = await play(core, "seed-1", (1).__add__)
    assert played.completed, list(zip(played.said, played.answers, strict=True))

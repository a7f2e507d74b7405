"""What was told 200 turns ago is remembered: the real embedded model writes the summary and answers from it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.agent.memory import parsed
from bot.models.embedded import EmbeddedModel
from bot.models.weights import LARGE, cache_dir, installed
from storage import summaries, turns
from storage.conversations import NewConversation
from storage.database import Connection
from storage.turns import Ending, NewTurn
from tests.core import OPTIONS, PLAIN, TURN_LIMITS, running_core
from tests.fakes.stub_platform import message
from tests.waiting import until_found

pytestmark = pytest.mark.timeout(500)
TURNS = 200
FACT = "Hello! My parrot is called Quixotic and he is green."
PLACES = ("Oslo", "Rome", "Lima", "Cairo", "Quito", "Turin", "Paris")


@pytest.fixture
async def model() -> AsyncIterator[EmbeddedModel]:
    pytest.importorskip("xllamacpp", reason="the embedded model's runtime is not installed")
    if installed(LARGE, cache_dir()) is None:
        pytest.skip("the embedded model is not in the cache: secret-agents model pull")
    async with aiohttp.ClientSession() as http:
        yield EmbeddedModel(http, weights=LARGE, num_ctx=1024, fetch=False)


def fill(connection: Connection) -> int:
    """A conversation of so many answered turns, the first of which tells the fact."""
    opening = NewConversation("stub", "w", "c", "t1", owner="u1", owner_name="Alice", agent=PLAIN.name, title="x")
    for number in range(TURNS):
        text = f"Name a sight of {PLACES[number % len(PLACES)]}, please." if number else FACT
        said = "The old harbour." if number else "A fine name for a parrot."
        admitted = turns.admit(connection, NewTurn(f"old:{number}", "u1", "Alice", text, opening))
        claim = turns.claim(connection, admitted.conversation, window=0)
        assert claim is not None
        turns.conclude(connection, claim.turn, claim.attempt, Ending("answered", said))
        turns.finish(connection, claim.turn, claim.attempt)
    return admitted.conversation


async def test_a_fact_of_the_first_turn_is_told_after_200(tmp_path: Path, model: EmbeddedModel) -> None:
    options = replace(OPTIONS, num_ctx=1024, max_tokens=96)
    bounds = replace(TURN_LIMITS, seconds=150, window=6)
    async with running_core(tmp_path / "db", model, options=options, turn_limits=bounds, stories=True) as core:
        number = await core.database.write(fill)
        await core.inbox.admit(message("Good evening.", 1))
        await core.platform.wait_for(1)
        text = await until_found(
            lambda: core.database.read(summaries.read, number), lambda found: parsed(found).story, seconds=200
        )
        left = await core.database.read(summaries.unsummarised, number, limit=TURNS, characters=50)
        assert len(left) <= bounds.window
        assert any("Quixotic" in note for note in parsed(text).notes)
        await core.inbox.admit(message("What is my parrot called?", 2))
        await core.platform.wait_for(2)
    assert "Quixotic" in core.platform.channel.answers()[-1]

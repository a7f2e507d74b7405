"""What gadgets keep about a conversation: written with the step that changed it, or not at all."""

import pytest

from storage import conversations, turns
from storage.conversations import Kept
from storage.database import Database
from storage.errors import Fenced, StorageError
from storage.turns import Claim
from tests.storage_builders import answer, message, result


async def claimed(database: Database, event: str = "discord:1") -> Claim:
    number = (await database.write(turns.admit, message(event))).conversation
    claim = await database.write(turns.claim, number, window=0)
    assert claim is not None
    return claim


async def test_a_new_conversation_keeps_nothing(database: Database) -> None:
    assert (await claimed(database)).conversation.state == {}


async def test_what_is_kept_comes_back_with_the_next_claim_beside_its_step(database: Database) -> None:
    first = await claimed(database)
    state = {"phase": "über", "turns": 3, "list": [None, 1.5, {"a": True}]}
    await database.write(turns.record_step, first.turn, first.attempt, result(0), Kept("game", state))
    second = await database.write(turns.claim, first.conversation.number, window=0)
    assert second is not None
    assert (second.conversation.state, second.steps) == ({"game": state}, [result(0)])


async def test_a_family_replaces_its_own_and_leaves_what_others_keep(database: Database) -> None:
    claim = await claimed(database)
    for seq, kept in enumerate([Kept("a", {"x": 1}), Kept("b", {"y": 2}), Kept("a", {"z": 3})]):
        await database.write(turns.record_step, claim.turn, claim.attempt, result(seq), kept)
    found = await database.read(conversations.get, claim.conversation.number)
    assert found.state == {"a": {"z": 3}, "b": {"y": 2}}


async def test_a_step_that_is_refused_keeps_nothing(database: Database) -> None:
    dead = await claimed(database)
    alive = await database.write(turns.claim, dead.conversation.number, window=0)
    assert alive is not None
    with pytest.raises(Fenced):
        await database.write(turns.record_step, dead.turn, dead.attempt, result(0), Kept("game", {"by": "dead"}))
    await database.write(turns.record_step, alive.turn, alive.attempt, result(0), Kept("game", {"by": "alive"}))
    with pytest.raises(StorageError):
        await database.write(turns.record_step, alive.turn, alive.attempt, result(0), Kept("game", {"by": "twice"}))
    found = await database.read(conversations.get, alive.conversation.number)
    assert found.state == {"game": {"by": "alive"}}


@pytest.mark.parametrize(
    ("outcome", "status"), [("answered", "completed"), ("stopped", "active"), ("failed", "active")]
)
async def test_only_an_answered_turn_completes_its_conversation(database: Database, outcome: str, status: str) -> None:
    claim = await claimed(database)
    await database.write(turns.conclude, claim.turn, claim.attempt, answer(outcome=outcome))
    await database.write(turns.finish, claim.turn, claim.attempt, completes=True)
    assert (await database.read(conversations.get, claim.conversation.number)).status == status


async def test_messages_that_wait_behind_the_end_are_still_claimed(database: Database) -> None:
    claim = await claimed(database)
    await database.write(turns.admit, message("discord:2"))
    await database.write(turns.conclude, claim.turn, claim.attempt, answer())
    assert await database.write(turns.finish, claim.turn, claim.attempt, completes=True) is True
    waiting = await database.write(turns.claim, claim.conversation.number, window=0)
    assert waiting is not None
    assert waiting.conversation.status == "completed"

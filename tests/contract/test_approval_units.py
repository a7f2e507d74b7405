"""The units of work on approvals, on every backend: a paused turn is claimed by nobody, and one decision counts."""

import asyncio

import pytest

from storage import approvals, conversations, questions, turns
from storage.approvals import Approval, Wanted, Word
from storage.database import Connection, Database
from storage.errors import Fenced
from storage.turns import Claim
from tests.storage_builders import answer, answer_next, count, message

WANTED = Wanted(0, 0, "launch", '{"target": "moon"}')
HOUR = 3_600.0
PAST = -1.0


async def begun(database: Database, event: str = "discord:1") -> Claim:
    """A turn that was claimed."""
    return await claimed(database, (await database.write(turns.admit, message(event))).conversation)


async def claimed(database: Database, conversation: int) -> Claim:
    claim = await database.write(turns.claim, conversation, window=5)
    assert claim is not None
    return claim


async def asked(database: Database, claim: Claim, wanted: Wanted = WANTED, seconds: float = HOUR) -> Approval:
    return await database.write(approvals.ask, claim.turn, claim.attempt, wanted, seconds)


async def paused(database: Database, seconds: float = HOUR) -> tuple[int, Approval]:
    """A conversation that waits for an approval."""
    claim = await begun(database)
    approval = await asked(database, claim, seconds=seconds)
    await database.write(approvals.shown, approval.id, claim.attempt, "m1")
    return claim.conversation.number, approval


async def decided(database: Database, approval: Approval, word: Word = "approved", who: str = "u1") -> bool:
    decision = await database.write(approvals.decide, approval.id, word, who, admin=False)
    assert decision is not None
    return decision.counts


async def verdict(database: Database, approval: Approval) -> str | None:
    found = await database.read(approvals.get, approval.id)
    assert found is not None
    return found.verdict


async def test_a_question_tells_what_who_where_and_until_when(database: Database) -> None:
    conversation, approval = await paused(database)
    found = await database.read(approvals.waiting, conversation)
    assert found is not None
    assert (found.round, found.call, found.gadget, found.arguments) == (0, 0, "launch", '{"target": "moon"}')
    assert (found.asker, found.asker_name, found.platform, found.workspace) == ("u1", "Moneypenny", "discord", "guild")
    assert (found.id, found.remote_id, found.verdict, found.decided_by) == (approval.id, "m1", None, None)
    assert found.asked_at < found.expires_at


async def test_a_paused_turn_is_claimed_by_nobody_nor_are_those_behind_it(database: Database) -> None:
    conversation, _ = await paused(database)
    await database.write(turns.admit, message("discord:2"))
    assert await database.write(turns.claim, conversation, window=5) is None
    assert await database.read(turns.waiting_conversations, ("discord",)) == [conversation]
    assert await database.read(approvals.next_expiry, conversation) is not None


async def test_a_turn_is_claimed_while_its_question_was_not_seen_and_asks_again(database: Database) -> None:
    first = await begun(database)
    approval = await asked(database, first)
    second = await claimed(database, first.conversation.number)
    assert (second.verdicts, second.pauses) == ({}, 1)
    again = await asked(database, second, seconds=9 * HOUR)
    assert (again.id, again.expires_at) == (approval.id, approval.expires_at)
    assert (await claimed(database, first.conversation.number)).pauses == 2


@pytest.mark.parametrize("word", ["approved", "declined"])
async def test_a_decision_lets_the_turn_go_on_with_it(database: Database, word: Word) -> None:
    conversation, approval = await paused(database)
    assert await decided(database, approval, word)
    claim = await claimed(database, conversation)
    assert (claim.attempt, claim.verdicts, claim.pauses) == (2, {(0, 0): word}, 1)
    assert await database.read(approvals.waiting, conversation) is None
    assert await database.read(approvals.next_expiry, conversation) is None


async def test_of_decisions_at_once_one_counts(database: Database) -> None:
    _, approval = await paused(database)
    words: list[Word] = ["approved", "declined"] * 25
    counted = await asyncio.gather(*(decided(database, approval, word) for word in words))
    assert counted.count(True) == 1
    assert await verdict(database, approval) == words[counted.index(True)]


async def test_only_the_asker_and_admins_decide(database: Database) -> None:
    _, approval = await paused(database)
    assert await database.write(approvals.decide, approval.id, "approved", "u2", admin=False) is None
    assert await verdict(database, approval) is None
    decision = await database.write(approvals.decide, approval.id, "declined", "u2", admin=True)
    assert decision is not None
    assert (decision.counts, decision.approval.verdict, decision.approval.decided_by) == (True, "declined", "u2")


async def test_a_word_that_comes_too_late_changes_nothing(database: Database) -> None:
    conversation, approval = await paused(database, PAST)
    assert not await decided(database, approval)
    assert await database.read(approvals.waiting, conversation) is None


async def test_the_claim_decides_what_expired(database: Database) -> None:
    conversation, approval = await paused(database, PAST)
    assert (await claimed(database, conversation)).verdicts == {(0, 0): "expired"}
    assert not await decided(database, approval)
    assert await verdict(database, approval) == "expired"


async def test_a_stop_withdraws_the_question(database: Database) -> None:
    conversation, approval = await paused(database)
    assert await database.write(turns.request_stop, conversation) == approval.turn
    assert not await decided(database, approval)
    claim = await claimed(database, conversation)
    assert claim.stop_requested
    assert await verdict(database, approval) == "withdrawn"


async def test_the_end_of_its_conversation_withdraws_the_question(database: Database) -> None:
    conversation, approval = await paused(database)
    await database.write(conversations.end, conversation)
    assert not await decided(database, approval)
    assert await database.read(approvals.next_expiry, conversation) is not None
    assert (await claimed(database, conversation)).conversation.status == "completed"
    assert await verdict(database, approval) == "withdrawn"


async def test_a_deleted_question_withdraws_what_it_led_to(database: Database) -> None:
    conversation, approval = await paused(database)
    assert await database.write(questions.withdraw, "discord:1") == conversation
    await claimed(database, conversation)
    assert await verdict(database, approval) == "withdrawn"


async def test_a_zombie_asks_and_shows_nothing(database: Database) -> None:
    dead = await begun(database)
    alive = await claimed(database, dead.conversation.number)
    with pytest.raises(Fenced):
        await asked(database, dead)
    assert await database.read(count, "approvals") == 0
    approval = await asked(database, alive)
    for unit in (approvals.shown, approvals.give_up):
        arguments = ("m1",) if unit is approvals.shown else ()
        with pytest.raises(Fenced):
            await database.write(unit, approval.id, dead.attempt, *arguments)


async def test_a_turn_whose_end_is_decided_asks_nothing(database: Database) -> None:
    claim = await begun(database)
    approval = await asked(database, claim)
    await database.write(turns.conclude, claim.turn, claim.attempt, answer())
    with pytest.raises(Fenced):
        await asked(database, claim, Wanted(0, 1, "launch", "{}"))
    assert not await decided(database, approval)


async def test_what_nobody_can_be_asked_expires_at_once(database: Database) -> None:
    claim = await begun(database)
    approval = await asked(database, claim)
    await database.write(approvals.give_up, approval.id, claim.attempt)
    assert (await claimed(database, claim.conversation.number)).verdicts == {(0, 0): "expired"}


async def test_what_was_decided_meanwhile_is_not_given_up(database: Database) -> None:
    claim = await begun(database)
    approval = await asked(database, claim)
    assert await decided(database, approval)
    await database.write(approvals.give_up, approval.id, claim.attempt)
    assert await verdict(database, approval) == "approved"


async def test_calls_of_a_turn_have_verdicts_of_their_own(database: Database) -> None:
    conversation, first = await paused(database)
    await decided(database, first)
    claim = await claimed(database, conversation)
    second = await asked(database, claim, Wanted(0, 1, "launch", "{}"))
    await database.write(approvals.shown, second.id, claim.attempt, "m1")
    assert await database.write(turns.claim, conversation, window=5) is None
    await decided(database, second, "declined")
    after = await claimed(database, conversation)
    assert (after.verdicts, after.pauses) == ({(0, 0): "approved", (0, 1): "declined"}, 2)


async def test_a_call_that_was_decided_is_not_a_pause_again(database: Database) -> None:
    conversation, approval = await paused(database)
    await decided(database, approval)
    claim = await claimed(database, conversation)
    assert (await asked(database, claim)).verdict == "approved"
    assert (await claimed(database, conversation)).pauses == 1


async def test_other_conversations_are_not_paused(database: Database) -> None:
    await paused(database)
    other = await database.write(turns.admit, message("discord:9", channel="elsewhere"))
    assert await database.read(approvals.waiting, other.conversation) is None
    assert await database.write(answer_next, other.conversation, answer()) == other.turn


async def test_an_approval_goes_with_its_conversation(database: Database) -> None:
    conversation, _ = await paused(database)
    await database.write(_erase, conversation)
    assert await database.read(count, "approvals") == 0


def _erase(connection: Connection, conversation: int) -> None:
    connection.execute("DELETE FROM conversations WHERE number = :number", {"number": conversation})

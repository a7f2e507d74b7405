"""The units of work under concurrency, on every backend."""

import asyncio

import pytest

from storage import conversations, records, turns, watermarks
from storage.conversations import Place
from storage.database import Database
from storage.errors import Fenced, StorageError
from storage.turns import Claim, Step
from tests.storage_builders import answer, answer_next, count, message, opening, result


async def claimed(database: Database, conversation: int) -> Claim:
    claim = await database.write(turns.claim, conversation, window=5)
    assert claim is not None
    return claim


async def test_one_event_is_one_turn_however_often_it_comes_at_once(database: Database) -> None:
    admitted = await asyncio.gather(*(database.write(turns.admit, message("discord:1")) for _ in range(50)))
    assert len({(one.turn, one.conversation, one.conversation_id) for one in admitted}) == 1
    assert [one.duplicate for one in admitted].count(False) == 1
    assert await database.read(count, "turns") == 1
    assert await database.read(count, "conversations") == 1


async def test_an_event_that_comes_again_changes_nothing(database: Database) -> None:
    first = await database.write(turns.admit, message("discord:1", "first"))
    await database.write(conversations.end, first.conversation)
    again = await database.write(turns.admit, message("discord:1", "second", channel="elsewhere"))
    assert (again.turn, again.conversation_id, again.duplicate) == (first.turn, first.conversation_id, True)
    assert [turn.user_message for turn in await database.read(records.transcript, first.conversation, limit=9)] == [
        "first"
    ]


async def test_first_messages_of_a_place_at_once_open_one_conversation(database: Database) -> None:
    admitted = await asyncio.gather(
        *(database.write(turns.admit, message(f"discord:{n}", channel=f"c{n % 3}")) for n in range(60))
    )
    assert len({one.conversation for one in admitted}) == 3
    assert await database.read(count, "turns") == 60


async def test_a_second_active_conversation_in_a_place_is_refused(database: Database) -> None:
    await database.write(conversations.open_, opening())
    with pytest.raises(StorageError):
        await database.write(conversations.open_, opening())
    assert len(await database.read(conversations.recent, Place(), limit=9)) == 1


async def test_starting_anew_completes_what_was_active(database: Database) -> None:
    old = await database.write(conversations.start, opening())
    new = await database.write(conversations.start, opening())
    assert (await database.read(conversations.get, old.number)).status == "completed"
    assert await database.read(conversations.find_active, "discord", "guild", "general", "") == new


async def test_turns_are_claimed_in_the_order_of_their_admission(database: Database) -> None:
    admitted = [await database.write(turns.admit, message(f"discord:{n}")) for n in (3, 1, 2)]
    number = admitted[0].conversation
    assert [await database.write(answer_next, number, answer()) for _ in admitted] == [one.turn for one in admitted]
    assert await database.write(turns.claim, number, window=5) is None


async def test_claims_at_once_get_attempts_of_their_own_on_the_same_turn(database: Database) -> None:
    number = (await database.write(turns.admit, message("discord:1"))).conversation
    claims = await asyncio.gather(*(claimed(database, number) for _ in range(5)))
    assert len({claim.turn for claim in claims}) == 1
    assert sorted(claim.attempt for claim in claims) == [1, 2, 3, 4, 5]


async def test_a_worker_whose_turn_was_claimed_again_can_write_nothing(database: Database) -> None:
    number = (await database.write(turns.admit, message("discord:1"))).conversation
    dead = await claimed(database, number)
    alive = await claimed(database, number)
    for attempt in (dead.attempt, alive.attempt + 1):
        with pytest.raises(Fenced):
            await database.write(turns.record_step, dead.turn, attempt, result(0))
        with pytest.raises(Fenced):
            await database.write(turns.record_delivery, dead.turn, attempt, 0, "m1")
        with pytest.raises(Fenced):
            await database.write(turns.conclude, dead.turn, attempt, answer(), result(0))
    await database.write(turns.conclude, alive.turn, alive.attempt, answer("mine"))
    with pytest.raises(Fenced):
        await database.write(turns.finish, dead.turn, dead.attempt)
    await database.write(turns.finish, alive.turn, alive.attempt)
    assert (await database.read(records.transcript, number, limit=1))[0].agent_response == "mine"
    assert await database.read(count, "steps") == 0
    assert await database.read(count, "deliveries") == 0


async def test_a_closed_turn_takes_nothing_more(database: Database) -> None:
    number = (await database.write(turns.admit, message("discord:1"))).conversation
    turn = await database.write(answer_next, number, answer())
    with pytest.raises(Fenced):
        await database.write(turns.record_step, turn, 1, result(0))
    with pytest.raises(Fenced):
        await database.write(turns.record_delivery, turn, 1, 0, "m1")
    with pytest.raises(Fenced):
        await database.write(turns.conclude, turn, 1, answer("other"))
    with pytest.raises(Fenced):
        await database.write(turns.finish, turn, 1)


async def test_a_turn_without_an_ending_is_not_finished(database: Database) -> None:
    claim = await claimed(database, (await database.write(turns.admit, message("discord:1"))).conversation)
    with pytest.raises(Fenced):
        await database.write(turns.finish, claim.turn, claim.attempt)


async def test_a_second_claim_brings_back_steps_deliveries_and_the_ending(database: Database) -> None:
    number = (await database.write(turns.admit, message("discord:1"))).conversation
    first = await claimed(database, number)
    model = Step(0, "model", {"text": "ünïcode 😀", "calls": []})
    await database.write(turns.record_step, first.turn, first.attempt, model)
    await database.write(turns.record_delivery, first.turn, first.attempt, 0, "m1")
    await database.write(turns.record_delivery, first.turn, first.attempt, 1, "m2")
    await database.write(turns.record_delivery, first.turn, first.attempt, 1, "m3")
    await database.write(turns.conclude, first.turn, first.attempt, answer("done"), result(1))
    assert (first.steps, first.deliveries, first.ending) == ([], {}, None)
    second = await claimed(database, number)
    assert second.steps == [model, result(1)]
    assert second.deliveries == {0: "m1", 1: "m3"}
    assert second.ending == answer("done")
    assert second.attempt == first.attempt + 1


async def test_a_step_is_recorded_once(database: Database) -> None:
    claim = await claimed(database, (await database.write(turns.admit, message("discord:1"))).conversation)
    await database.write(turns.record_step, claim.turn, claim.attempt, result(0, "weather"))
    with pytest.raises(StorageError):
        await database.write(turns.record_step, claim.turn, claim.attempt, result(0, "clock"))
    assert await database.read(records.tools_used, claim.turn) == ["weather"]


async def test_a_refused_last_step_leaves_the_turn_without_an_ending(database: Database) -> None:
    number = (await database.write(turns.admit, message("discord:1"))).conversation
    claim = await claimed(database, number)
    await database.write(turns.record_step, claim.turn, claim.attempt, result(0))
    with pytest.raises(StorageError):
        await database.write(turns.conclude, claim.turn, claim.attempt, answer(), result(0))
    assert (await claimed(database, number)).ending is None


async def test_waiting_conversations_are_those_of_the_platforms_the_longest_waiting_first(database: Database) -> None:
    admitted = [
        await database.write(turns.admit, message(f"{platform}:{n}", channel=channel, platform=platform))
        for n, (platform, channel) in enumerate(
            [("slack", "b"), ("discord", "a"), ("web", "x"), ("slack", "c"), ("slack", "b")]
        )
    ]
    slack_b, discord_a, _, slack_c, _ = (one.conversation for one in admitted)
    assert await database.read(turns.waiting_conversations, ("slack", "discord")) == [slack_b, discord_a, slack_c]
    await database.write(answer_next, slack_b, answer())
    assert await database.read(turns.waiting_conversations, ("slack", "discord")) == [discord_a, slack_c, slack_b]
    await database.write(answer_next, discord_a, answer())
    assert await database.read(turns.waiting_conversations, ("discord",)) == []


async def test_a_watermark_only_grows_whatever_the_order(database: Database) -> None:
    positions = ["9", "100", "99", "101", "7", "101"]
    await asyncio.gather(*(database.write(watermarks.advance, "discord", "g", "c", at) for at in positions))
    await database.write(watermarks.advance, "slack", "t", "c", "1.5")
    assert await database.read(watermarks.of_platform, "discord") == [("g", "c", "101")]
    assert await database.read(watermarks.of_platform, "slack") == [("t", "c", "1.5")]

"""Limits on what people may ask, as the whole core holds them: across restarts, for many people, beside repetitions."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.allowances import Allowances
from bot.command_rights import Rights
from bot.errors import OverLimit, UserError
from bot.platforms.platform import Author, Inbound
from storage.database import Connection
from storage.quotas import Quotas
from storage.turns import Admitted
from tests.core import BOSS, Core, running_core
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.stub_platform import ALICE, StubPlatform, message
from tests.waiting import until

BOB = Author("u2", "Bob")
THREE = Quotas(messages_per_minute=3)


def limited(quotas: Quotas = THREE, *, exempt_admins: bool = True) -> Allowances:
    """A fresh one, as after a start: only the database remembers."""
    return Allowances(quotas, Rights({"stub": frozenset({BOSS})}), exempt_admins=exempt_admins)


async def taken(core: Core[StubPlatform], *inbound: Inbound) -> list[bool]:
    """Which of the messages, sent one after another, were taken in."""
    return [await admitted(core, each) is not None for each in inbound]


async def admitted(core: Core[StubPlatform], inbound: Inbound) -> Admitted | None:
    try:
        return await core.inbox.admit(inbound)
    except OverLimit:
        return None


def later(connection: Connection, seconds: int) -> None:
    """What was said is so much longer ago."""
    connection.execute(
        "UPDATE turns SET created_at = strftime('%Y-%m-%dT%H:%M:%fZ', created_at, :by)", {"by": f"-{seconds} seconds"}
    )


async def test_who_sends_too_much_is_told_when_to_come_back_and_then_taken_in(tmp_path: Path) -> None:
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), allowances=limited()) as core:
        assert await taken(core, *(message(f"m{n}", n) for n in range(3))) == [True] * 3
        with pytest.raises(OverLimit, match="You have sent 3 messages in the last minute; I can take") as first:
            await core.inbox.admit(message("m3", 3))
        with pytest.raises(OverLimit) as second:
            await core.inbox.admit(message("m4", 4))
        assert (first.value.told, second.value.told) == (False, True)
        await core.platform.wait_for(3)
        await core.database.write(later, 60)
        assert await taken(core, message("m3", 3)) == [True]
        await core.platform.wait_for(4)
    assert core.platform.channel.answers() == ["You said: m0", "You said: m1", "You said: m2", "You said: m3"]


async def test_the_repetition_of_a_message_that_was_taken_in_is_never_refused(tmp_path: Path) -> None:
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), allowances=limited()) as core:
        asked = [message(f"m{n}", n) for n in range(3)]
        assert all(await taken(core, *asked))
        again = [await core.inbox.admit(each) for each in asked]
        assert all(each.duplicate for each in again)
        assert await taken(core, message("new", 9), *asked) == [False, True, True, True]
        await core.platform.wait_for(3)


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    platform = StubPlatform()
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), platform, allowances=limited()) as core:
        assert await taken(core, *(message(f"m{n}", n) for n in range(2))) == [True, True]
        await core.platform.wait_for(2)
    again = StubPlatform(platform.channel)
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), again, allowances=limited()) as core:
        assert await taken(core, *(message(f"m{n}", n) for n in range(2, 5))) == [True, False, False]
        await core.platform.wait_for(3)


async def test_twenty_at_once_are_counted_as_exactly_as_one_after_another(tmp_path: Path) -> None:
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), allowances=limited()) as core:
        inbound = [message(f"m{n}", n, thread=f"t{n}") for n in range(20)]
        found = await asyncio.gather(*(admitted(core, each) for each in inbound))
        assert sum(each is not None for each in found) == 3
        await core.platform.wait_for(3)


async def test_many_people_do_not_use_up_each_others_limits_but_their_workspaces(tmp_path: Path) -> None:
    quotas = Quotas(messages_per_minute=2, workspace_messages_per_minute=50)
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), allowances=limited(quotas)) as core:
        people = [Author(f"p{n}", f"Person {n}") for n in range(40)]
        asked = [message("m", n, thread=each.id, author=each) for n in range(2) for each in people]
        found = await taken(core, *asked)
        assert found == [True] * 50 + [False] * 30
        with pytest.raises(OverLimit, match="All of you here have sent 50 messages"):
            await core.inbox.admit(message("m", 9, thread="p39", author=people[39]))
        elsewhere = message("m", 1, thread="far", author=people[39])
        there = replace(elsewhere, key=replace(elsewhere.key, workspace="another"))
        assert await taken(core, there) == [True]
        await core.platform.wait_for(51)


async def test_admins_are_exempt_by_setting(tmp_path: Path) -> None:
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), allowances=limited()) as core:
        for number, boss in enumerate([Author(BOSS, "Boss"), Author("u7", "Admin here", admin=True)]):
            asked = [message("m", n, thread=f"t{number}", author=boss) for n in range(6)]
            assert all(await taken(core, *asked))
        await core.platform.wait_for(12)
    strict = limited(exempt_admins=False)
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), allowances=strict) as core:
        assert await taken(core, message("m", 99, thread="t0", author=Author(BOSS, "Boss"))) == [False]


async def test_who_has_spent_the_days_tokens_is_told_to_come_back(tmp_path: Path) -> None:
    quotas = Quotas(tokens_per_day=20)  # an answer of the scripted model takes 15
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), allowances=limited(quotas)) as core:
        for number in range(2):
            assert await taken(core, message("m", number)) == [True]
            await core.platform.wait_for(number + 1)
            await until(lambda: core.engine.idle)
        with pytest.raises(OverLimit, match=r"You have used up what you may ask of me in a day; I can take the next"):
            await core.inbox.admit(message("m", 3))
        assert await taken(core, message("m", 1, thread="t2", author=BOB)) == [True]
        await core.platform.wait_for(3)


async def test_a_gadget_turn_is_charged_with_all_its_model_calls(tmp_path: Path) -> None:
    def spent(connection: Connection) -> list[int]:
        rows = connection.execute("SELECT tokens FROM spending WHERE whose = 'user'").fetchall()
        return [int(tokens) for (tokens,) in rows]

    decision = json.dumps([{"action": "use_tools", "tools": [{"tool": "shout", "parameters": {"text": "hey"}}]}])
    model = ScriptedModel(
        [decision], ["Done."], capabilities=replace(await ScriptedModel().capabilities(), tools=False)
    )
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(message("Shout hey"))
        await core.platform.wait_for(1)
        await until(lambda: core.engine.idle)
        assert await core.database.read(spent) == [30]


async def test_asking_again_by_button_is_asking(tmp_path: Path) -> None:
    async with running_core(tmp_path / "db", ScriptedModel(answer=echo), allowances=limited()) as core:
        asked = message("m", 1)
        turn = (await core.inbox.admit(asked)).turn
        for click in range(2):
            await core.platform.wait_for(click + 1)
            await until(lambda: core.engine.idle)
            turn = (await core.commands.again(turn, f"click{click}", asked.key, ALICE)).turn
        await core.platform.wait_for(3)
        await until(lambda: core.engine.idle)
        with pytest.raises(OverLimit):
            await core.commands.again(turn, "click2", asked.key, ALICE)
        assert (await core.commands.again(turn, "click1", asked.key, ALICE)).duplicate
        with pytest.raises(UserError, match="3 messages"):
            await core.inbox.admit(message("m", 2))

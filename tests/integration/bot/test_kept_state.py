"""Gadgets that keep something about a conversation, through agent, journal, worker and database."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bot.agent.roster import Profile, Roster
from bot.models.model import ToolCall
from gadgets.context import Context
from gadgets.gadget import gadget
from storage import conversations, turns
from tests.core import Core, running_core
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message
from tests.waiting import until, until_found


@gadget(keeps="list")
async def append(context: Context, word: str) -> str:
    """Append a word to the list of this conversation."""
    words = [*context.state.get("words", []), word]
    await asyncio.sleep(0.02 if word == "slow" else 0)
    context.keep({"words": words})
    return " ".join(words)


@gadget(keeps="list")
async def close(context: Context) -> str:
    """Close the list, and the conversation with it."""
    context.complete()
    return "closed"


GADGETS = (append, close)
ROSTER = Roster({"lister": Profile("lister", "", "You list.", ("append", "close"))}, "lister")


def running(path: Path, *scripts: Script) -> AbstractAsyncContextManager[Core[StubPlatform]]:
    return running_core(path, ScriptedModel(*scripts), gadgets=GADGETS, roster=ROSTER)


def calls(*words: str) -> list[ToolCall]:
    return [ToolCall(f"c{n}", "append", {"word": word}) for n, word in enumerate(words)]


async def state(core: Core[StubPlatform], number: int) -> object:
    return (await core.database.read(conversations.get, number)).state


async def test_calls_of_one_round_see_what_those_before_them_kept(tmp_path: Path) -> None:
    """In the order of the calls, although the first one is the slowest."""
    async with running(tmp_path / "db", calls("slow", "quick", "last"), ["Done."]) as core:
        admitted = await core.inbox.admit(message("go"))
        await core.platform.wait_for(1)
        steps = await core.database.read(turns.steps, admitted.turn)
        assert await state(core, admitted.conversation) == {"list": {"words": ["slow", "quick", "last"]}}
    assert [s.body["result"] for s in steps if s.kind == "result"] == ["slow", "slow quick", "slow quick last"]


async def test_the_same_call_in_a_later_round_runs_again(tmp_path: Path) -> None:
    async with running(tmp_path / "db", calls("a"), calls("a"), ["Done."]) as core:
        admitted = await core.inbox.admit(message("go"))
        await core.platform.wait_for(1)
        assert await state(core, admitted.conversation) == {"list": {"words": ["a", "a"]}}


async def test_the_next_turn_goes_on_with_what_was_kept_and_other_conversations_do_not(tmp_path: Path) -> None:
    async with running(tmp_path / "db", calls("a"), ["1"], calls("b"), ["2"], calls("c"), ["3"]) as core:
        first = await core.inbox.admit(message("go", 1))
        await core.platform.wait_for(1)
        await core.inbox.admit(message("go", 2))
        await core.platform.wait_for(2)
        other = await core.inbox.admit(message("go", 3, thread="elsewhere"))
        await core.platform.wait_for(3)
        assert await state(core, first.conversation) == {"list": {"words": ["a", "b"]}}
        assert await state(core, other.conversation) == {"list": {"words": ["c"]}}


async def test_a_conversation_is_completed_with_the_turn_that_says_so(tmp_path: Path) -> None:
    async with running(tmp_path / "db", [ToolCall("c", "close", {})], ["Goodbye."]) as core:
        admitted = await core.inbox.admit(message("close"))
        found = await until_found(
            lambda: core.database.read(conversations.get, admitted.conversation), lambda c: c.status == "completed"
        )
        [step] = [s for s in await core.database.read(turns.steps, admitted.turn) if s.kind == "result"]
    assert step.body["ends"] is True
    assert found.state == {}
    assert core.platform.channel.answers() == ["Goodbye."]


async def test_a_stopped_turn_leaves_the_conversation_open(tmp_path: Path) -> None:
    async with running(tmp_path / "db", [ToolCall("c", "close", {})], ["Good", asyncio.Event()]) as core:
        admitted = await core.inbox.admit(message("close"))
        await until(lambda: any("Good" in text for text in core.platform.channel.answers()))
        await core.database.write(turns.request_stop, admitted.conversation)
        core.engine.stop(admitted.conversation)
        await core.platform.wait_for(1)
        await until(lambda: core.engine.idle)
        assert (await core.database.read(conversations.get, admitted.conversation)).status == "active"


async def test_gadgets_that_keep_nothing_run_beside_those_that_do(tmp_path: Path) -> None:
    """Three meet: none of them ends before all have begun."""
    table = asyncio.Barrier(3)

    @gadget(timeout=5, keeps="list")
    async def host() -> str:
        """Wait for the others."""
        await table.wait()
        return "met"

    @gadget(timeout=5)
    async def guest(name: str) -> str:
        """Wait for the others."""
        await table.wait()
        return "met"

    script = [ToolCall("a", "guest", {"name": "a"}), ToolCall("b", "host", {}), ToolCall("c", "guest", {"name": "c"})]
    roster = Roster({"party": Profile("party", "", "You meet.", ("host", "guest"))}, "party")
    model = ScriptedModel(script, ["Done."])
    async with running_core(tmp_path / "db", model, gadgets=(host, guest), roster=roster) as core:
        admitted = await core.inbox.admit(message("go"))
        await core.platform.wait_for(1)
        steps = await core.database.read(turns.steps, admitted.turn)
    assert [step.body["result"] for step in steps if step.kind == "result"] == ["met"] * 3

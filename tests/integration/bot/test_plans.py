"""Several calls in one plan: those that use others' results run after them, the others at once."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.agent.calls import CALLS_AT_ONCE, MAX_ARGUMENTS
from bot.agent.roster import Profile, Roster
from bot.models.model import Capabilities, ToolCall, ToolMessage
from gadgets.context import Context
from gadgets.errors import BadArguments, GadgetFailed
from gadgets.gadget import Gadget, gadget
from storage import turns
from storage.export import export_to_file
from storage.turns import Step
from tests.core import LIMITS, Core, running_core, shout, whisper
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message
from tests.waiting import until


@gadget()
async def repeat(text: str, times: int = 1, *, loud: bool = False) -> str:
    """Say something again.

    Args:
        text: what to say
        times: how often
        loud: whether loudly
    """
    said = " ".join([text] * times)
    return said.upper() if loud else said


@gadget()
async def count(text: str) -> int:
    """Count the letters."""
    return len(text)


@gadget()
async def fail(mend: bool) -> str:
    """Give no result."""
    raise BadArguments("Not like this.") if mend else GadgetFailed("It is broken.")


@gadget()
async def offer() -> str:
    """Offer something."""
    return "Pay $1 or $2, not $PREVIOUS_RESULT"


@gadget(keeps="list")
async def append(context: Context, word: str) -> str:
    """Append a word to the list of this conversation."""
    words = [*context.state.get("words", []), word]
    context.keep({"words": words})
    return " ".join(words)


GADGETS = (shout, whisper, repeat, count, fail, offer, append)


def call(name: str, /, **arguments: object) -> tuple[str, Mapping[str, Any]]:
    return name, arguments


def native(*calls: tuple[str, Mapping[str, Any]]) -> Script:
    return [ToolCall(f"c{n}", name, arguments) for n, (name, arguments) in enumerate(calls, 1)]


def decision(*calls: tuple[str, Mapping[str, Any]]) -> Script:
    tools = [{"tool": name, "parameters": arguments} for name, arguments in calls]
    return [json.dumps([{"action": "use_tools", "tools": tools}])]


def roster_of(gadgets: Sequence[Gadget]) -> Roster:
    return Roster({"planner": Profile("planner", "", "You plan.", tuple(each.name for each in gadgets))}, "planner")


async def steps_after(path: Path, model: ScriptedModel, gadgets: Sequence[Gadget] = GADGETS) -> list[Step]:
    """What is recorded of a turn with these gadgets."""
    async with running_core(path, model, gadgets=gadgets, roster=roster_of(gadgets)) as core:
        admitted = await core.inbox.admit(message("go"))
        await core.platform.wait_for(1)
        return await core.database.read(turns.steps, admitted.turn)


async def results(path: Path, *rounds: Script) -> list[Any]:
    """The results of calls, in the order in which they were recorded."""
    steps = await steps_after(path, ScriptedModel(*rounds, ["Done."]))
    return [step.body["result"] for step in steps if step.kind == "result"]


@pytest.mark.parametrize("protocol", ["native", "json"])
async def test_a_chain_of_three_runs_in_its_order(tmp_path: Path, protocol: str) -> None:
    calls = (call("shout", text="hey"), call("repeat", text="$1!", times=2), call("whisper", text="$PREVIOUS_RESULT"))
    first = native(*calls) if protocol == "native" else decision(*calls)
    model = ScriptedModel(first, ["Done."], capabilities=Capabilities(tools=protocol == "native"))
    model_step, *ran, _ = await steps_after(tmp_path / "db", model)
    assert [step.body["result"] for step in ran] == ["HEY", "HEY! HEY!", "hey! hey!"]
    assert [c["arguments"] for c in model_step.body["calls"]] == [dict(arguments) for _, arguments in calls]
    assert [step.body["parameters"] for step in ran] == [dict(arguments) for _, arguments in calls]
    assert [step.body.get("resolved") for step in ran] == [None, {"text": "HEY!", "times": 2}, {"text": "HEY! HEY!"}]
    assert "hey! hey!" in str(model.requests[1].messages)


async def test_a_call_printed_as_text_may_refer_as_well(tmp_path: Path) -> None:
    printed = [{"name": "shout", "arguments": {"text": "hey"}}, {"name": "count", "arguments": {"text": "$1$1"}}]
    assert await results(tmp_path / "db", [json.dumps(printed)]) == ["HEY", "6"]


async def test_independent_calls_run_at_once_and_dependent_ones_after_them(tmp_path: Path) -> None:
    """Two meet: neither ends before both have begun; the third begins when both have ended."""
    table, order = asyncio.Barrier(2), []

    @gadget(timeout=5)
    async def meet(name: str) -> str:
        """Meet the other one."""
        await table.wait()
        order.append(name)
        return name

    @gadget()
    async def tell(text: str) -> str:
        """Tell who met."""
        order.append("tell")
        return text

    script = native(call("meet", name="a"), call("meet", name="b"), call("tell", text="$1 and $2"))
    steps = await steps_after(tmp_path / "db", ScriptedModel(script, ["Done."]), (meet, tell))
    assert sorted(order[:2]) == ["a", "b"]
    assert order[2:] == ["tell"]
    assert steps[-2].body["result"] == "a and b"


async def test_no_more_than_a_few_run_at_once(tmp_path: Path) -> None:
    gate, running, most = asyncio.Event(), 0, 0

    @gadget(timeout=5)
    async def work(number: int) -> str:
        """Work."""
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await gate.wait()
        running -= 1
        return "done"

    model = ScriptedModel(native(*(call("work", number=n) for n in range(3 * CALLS_AT_ONCE))), ["Done."])
    limits = replace(LIMITS, calls_per_round=20)
    async with running_core(tmp_path / "db", model, gadgets=(work,), roster=roster_of([work]), limits=limits) as core:
        await core.inbox.admit(message("go"))
        await until(lambda: running == CALLS_AT_ONCE)
        gate.set()
        await core.platform.wait_for(1)
        assert len(core.calls) == 3 * CALLS_AT_ONCE
    assert most == CALLS_AT_ONCE


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ([call("shout", text="$1")], "stands"),
        ([call("shout", text="$2"), call("shout", text="$1")], "later call"),
        ([call("shout", text="$7")], "no call: this plan has 1"),
        ([call("shout", text="$PREVIOUS_RESULT")], "nothing was called before"),
        ([call("shout", text="a" * 45_000), call("repeat", text="$1" * 9)], "8 results at most"),
        ([call("shout", text="a" * 7_900), call("shout", text="$1 " * 7)], "too long together"),
        ([call("shout", text="hey"), call("repeat", text="x", times="$1")], "times"),
        ([call("shout", text="hey"), call("nothing", text="$1")], "no gadget 'nothing'"),
    ],
)
async def test_a_bad_reference_is_a_sentence_and_nothing_runs(
    tmp_path: Path, plan: list[tuple[str, Mapping[str, Any]]], sentence: str
) -> None:
    assert len(str(plan)) < MAX_ARGUMENTS
    model = ScriptedModel(native(*plan), ["Sorry."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=roster_of(GADGETS)) as core:
        admitted = await core.inbox.admit(message("go"))
        await core.platform.wait_for(1)
        steps = await core.database.read(turns.steps, admitted.turn)
        bad = [step.body for step in steps if step.kind == "result" and not step.body["ok"]]
        assert sentence in bad[0]["result"]
        assert bad[0]["retry"]
        told = [m.text for m in model.requests[1].messages if isinstance(m, ToolMessage)]
        assert any(sentence in text for text in told)


@pytest.mark.parametrize("mend", [True, False])
async def test_what_uses_a_failed_result_does_not_run_and_what_uses_that_does_not_either(
    tmp_path: Path, mend: bool
) -> None:
    plan = native(
        call("fail", mend=mend), call("shout", text="$1"), call("whisper", text="$2"), call("count", text="a")
    )
    model = ScriptedModel(plan, ["Sorry."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=roster_of(GADGETS)) as core:
        admitted = await core.inbox.admit(message("go"))
        await core.platform.wait_for(1)
        ran = sorted(name for name, _, _ in core.calls)
        steps = await core.database.read(turns.steps, admitted.turn)
    assert ran == ["count", "fail"]
    bodies = sorted((step.body for step in steps if step.kind == "result"), key=lambda body: int(body["call"]))
    assert [body["ok"] for body in bodies] == [False, False, False, True]
    assert bodies[1]["result"] == "$1 cannot be used: fail gave no result. So this call did not run."
    assert bodies[2]["result"] == "$2 cannot be used: shout gave no result. So this call did not run."
    assert {body["retry"] for body in bodies[:3]} == {mend}


async def test_types_are_checked_with_the_results_in_place(tmp_path: Path) -> None:
    calls = native(call("count", text="abc"), call("repeat", text="a", times="$1"))
    steps = await steps_after(tmp_path / "db", ScriptedModel(calls, ["Done."]))
    assert steps[2].body["result"] == "a a a"
    assert steps[2].body["resolved"] == {"text": "a", "times": 3}


async def test_a_result_that_looks_like_a_reference_is_text(tmp_path: Path) -> None:
    first = native(call("offer"), call("repeat", text="$1"), call("shout", text="now: $2"))
    offer = "Pay $1 or $2, not $PREVIOUS_RESULT"
    assert await results(tmp_path / "db", first) == [offer, offer, f"NOW: {offer.upper()}"]


async def test_a_later_round_goes_on_with_the_last_result(tmp_path: Path) -> None:
    rounds = native(call("shout", text="a"), call("shout", text="b")), native(call("count", text="$PREVIOUS_RESULT!"))
    assert await results(tmp_path / "db", *rounds) == ["A", "B", "2"]


async def test_calls_that_come_to_the_same_run_once(tmp_path: Path) -> None:
    """In one plan and in a later round; the same words with other results behind them are another call."""
    first = native(
        call("shout", text="hey"), call("whisper", text="$1"), call("shout", text="$2"), call("whisper", text="hey")
    )
    later = native(call("whisper", text="HEY"), call("shout", text="$PREVIOUS_RESULT"))
    model = ScriptedModel(first, later, ["Done."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=roster_of(GADGETS)) as core:
        await core.inbox.admit(message("go"))
        await core.platform.wait_for(1)
        ran = sorted((name, arguments["text"]) for name, arguments, _ in core.calls)
    assert ran == [("shout", "hey"), ("whisper", "HEY"), ("whisper", "hey")]


async def test_a_plan_ends_before_a_call_with_endless_arguments(tmp_path: Path) -> None:
    """What comes after it would be counted wrongly."""
    endless = call("shout", text="x" * 1_000_000)
    plan = native(call("shout", text="a"), call("count", text="$1"), endless, call("whisper", text="$2"))
    assert await results(tmp_path / "db", plan) == ["A", "1"]


async def test_repeated_words_in_a_chain_are_different_calls(tmp_path: Path) -> None:
    again = call("repeat", text="$PREVIOUS_RESULT", times=2)
    assert await results(tmp_path / "db", native(call("shout", text="a"), again, again)) == ["A", "A A", "A A A A"]


async def test_what_keeps_something_stays_in_order_beside_references(tmp_path: Path) -> None:
    plan = native(
        call("append", word="$2"), call("shout", text="b"), call("append", word="c"), call("append", word="$2")
    )
    assert await results(tmp_path / "db", plan) == [
        "$2 refers to a later call; a call can use the results of earlier ones only.", "B", "c", "c B",
    ]  # fmt: skip


async def interrupted(core: Core[StubPlatform], conversation: int) -> None:
    """End the conversation's task as the end of the process would, and let it be begun anew."""
    [task] = [each for each in asyncio.all_tasks() if each.get_name() == f"conversation-{conversation}"]
    task.cancel()
    await asyncio.wait([task])
    core.engine.wake(conversation)


async def test_an_interrupted_plan_goes_on_behind_its_last_result(tmp_path: Path) -> None:
    """The second of three calls hangs when the process ends: only that one is begun again."""
    begun, gate, ran = asyncio.Event(), asyncio.Event(), []

    @gadget()
    async def draw() -> str:
        """Draw something else each time."""
        ran.append("draw")
        return f"card {len(ran)}"

    @gadget(timeout=60)
    async def show(text: str) -> str:
        """Show something."""
        ran.append(f"show {text}")
        begun.set()
        await gate.wait()
        return f"shown: {text}"

    model = ScriptedModel(native(call("draw"), call("show", text="$1"), call("shout", text="$2")), ["Done."])
    tools = (draw, show, shout)
    async with running_core(tmp_path / "db", model, gadgets=tools, roster=roster_of(tools)) as core:
        admitted = await core.inbox.admit(message("go"))
        async with asyncio.timeout(5):
            await begun.wait()
        await interrupted(core, admitted.conversation)
        gate.set()
        await core.platform.wait_for(1)
        steps = await core.database.read(turns.steps, admitted.turn)
    assert ran == ["draw", "show card 1", "show card 1"]
    assert [step.body["result"] for step in steps[1:-1]] == ["card 1", "shown: card 1", "SHOWN: CARD 1"]
    assert len(model.requests) == 2


async def test_a_mission_log_tells_with_what_a_gadget_ran(tmp_path: Path) -> None:
    model = ScriptedModel(native(call("shout", text="hey"), call("whisper", text="so: $1")), ["Done."])
    async with running_core(tmp_path / "db", model) as core:
        admitted = await core.inbox.admit(message("go"))
        await core.platform.wait_for(1)
        await export_to_file(core.database, [admitted.conversation_id], tmp_path / "log.json")
    log = json.loads((tmp_path / "log.json").read_bytes())
    assert log["conversations"][0]["messages"][0]["tool_calls"] == [
        {"tool": "shout", "parameters": {"text": "hey"}, "result": "HEY"},
        {"tool": "whisper", "parameters": {"text": "so: HEY"}, "result": "so: hey"},
    ]

"""Calls that have to be approved, in the agent: what runs, what is recorded, what is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.agent.agent import Agent
from bot.agent.approval import REFUSALS, ApprovalNeeded, PendingCall
from bot.agent.prompt import Question
from bot.agent.roster import Profile
from bot.agent.task import Answer, Limits, ModelOptions, Task
from bot.models.model import ToolCall
from gadgets.context import Context, Occasion
from gadgets.gadget import gadget
from gadgets.mcp.spec import Command, ServerSpec
from gadgets.mcp.tools import Tool, gadgets_of
from gadgets.toolbox import Outcome, Toolbox
from storage.conversations import Kept
from storage.turns import Step
from tests.fakes.scripted_model import Script, ScriptedModel


@gadget(approve=True)
async def launch(target: str, count: int = 1) -> str:
    """Launch something."""
    return f"{count} launched at {target}"


@gadget(approve=True, allow="admin")
async def recall_all() -> str:
    """Call everything back."""
    return "recalled"


@gadget(approve=True, keeps="list")
async def strike(context: Context, word: str) -> str:
    """Strike a word from the list."""
    context.keep({"words": [each for each in context.state["words"] if each != word]})
    return "struck"


@gadget(keeps="list")
async def show(context: Context) -> str:
    """Show the list."""
    return " ".join(context.state["words"])


@gadget()
async def aim(at: str) -> str:
    """Aim at something."""
    return f"the {at}"


NO_HTTP: Any = None
"""No gadget here asks the world."""
GADGETS = (launch, recall_all, strike, show, aim)


class Recorded:
    """A journal in memory. It outlives runs, as the database does."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    async def record(self, kind: str, body: dict[str, Any], kept: Kept | None = None) -> None:
        self.steps.append(Step(len(self.steps), kind, body))


class Unseen:
    """Where nobody looks."""

    def text(self, more: str) -> None: ...

    def status(self, text: str) -> None: ...


@dataclass
class Bench:
    """One turn whose model says these things, run as often as a test likes; `ran` are the gadgets that did."""

    scripts: Sequence[Script]
    journal: Recorded = field(default_factory=Recorded)
    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = ScriptedModel(*self.scripts, ["Done."])
        self.toolbox = Toolbox(GADGETS)

    async def run(self, verdicts: Mapping[tuple[int, int], str] | None = None) -> Answer:
        names = tuple(each.name for each in GADGETS)
        profile = Profile("m", "", "You are M.", names)
        state = {"list": {"words": ["a", "b"]}}
        question = Question("Bond", "go")
        task = Task(profile, question, (), "stub:u1", "conv", 1, state, verdicts=verdicts or {})
        options, limits = ModelOptions("native", 4096, 512, 0.0), Limits(2_000, 5_000, rounds=3, calls_per_round=8)
        return await Agent(self.model, self.toolbox, self._call, options, limits).answer(task, self.journal, Unseen())

    async def pending(self, verdicts: Mapping[tuple[int, int], str] | None = None) -> PendingCall:
        with pytest.raises(ApprovalNeeded) as needed:
            await self.run(verdicts)
        return needed.value.call

    async def _call(self, name: str, arguments: Mapping[str, Any], occasion: Occasion) -> Outcome:
        self.ran.append((name, dict(arguments)))
        return await self.toolbox.call(name, arguments, http=NO_HTTP, occasion=occasion, settings={})

    @property
    def results(self) -> dict[tuple[int, int], str]:
        bodies = [step.body for step in self.journal.steps if step.kind == "result"]
        return {(body["round"], body["call"]): body["result"] for body in bodies}


def call(name: str, /, **arguments: object) -> tuple[str, dict[str, object]]:
    return name, arguments


def plan(*calls: tuple[str, dict[str, object]]) -> Script:
    return [ToolCall(f"c{n}", name, arguments) for n, (name, arguments) in enumerate(calls)]


async def test_a_call_waits_for_approval_while_the_others_of_its_round_run() -> None:
    bench = Bench([plan(call("aim", at="moon"), call("launch", target="moon"), call("aim", at="sun"))])
    assert await bench.pending() == PendingCall(0, 1, "launch", {"target": "moon"})
    assert bench.results == {(0, 0): "the moon", (0, 2): "the sun"}
    assert await bench.pending() == PendingCall(0, 1, "launch", {"target": "moon"}), "the same again after a crash"
    assert [name for name, _ in bench.ran] == ["aim", "aim"]


async def test_what_was_approved_runs_once() -> None:
    bench = Bench([plan(call("launch", target="moon"))])
    await bench.pending()
    answer = await bench.run({(0, 0): "approved"})
    assert (answer.text, bench.results) == ("Done.", {(0, 0): "1 launched at moon"})
    assert len(bench.ran) == 1


@pytest.mark.parametrize("verdict", ["declined", "expired"])
async def test_a_refusal_is_a_result_that_the_model_reads(verdict: str) -> None:
    bench = Bench([plan(call("launch", target="moon"))])
    await bench.pending()
    await bench.run({(0, 0): verdict})
    assert bench.results == {(0, 0): REFUSALS[verdict]}
    assert (bench.ran, bench.journal.steps[1].body["ok"]) == ([], False)
    assert REFUSALS[verdict] in str(bench.model.requests[-1].messages)


async def test_a_verdict_that_nobody_knows_is_none() -> None:
    bench = Bench([plan(call("launch", target="moon"))])
    assert (await bench.pending({(0, 0): "perhaps", (1, 0): "approved"})).index == 0
    assert bench.ran == []


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (call("launch", count=1), "Wrong arguments for launch"),
        (call("launch", target="moon", count="many"), "Wrong arguments for launch"),
        (call("lunch", target="moon"), "There is no gadget 'lunch'"),
        (call("recall_all"), "There is no gadget 'recall_all'"),
        (call("launch", target="$3"), "refers to no call"),
    ],
)
async def test_nobody_is_asked_about_a_call_that_is_refused_anyway(
    refused: tuple[str, dict[str, object]], sentence: str
) -> None:
    bench = Bench([plan(refused)])
    await bench.run()
    assert sentence in bench.results[0, 0]


async def test_calls_of_one_round_are_asked_about_one_after_another() -> None:
    bench = Bench([plan(call("launch", target="moon"), call("launch", target="sun"))])
    assert (await bench.pending()).index == 0
    assert (await bench.pending({(0, 0): "declined"})).index == 1
    await bench.run({(0, 0): "declined", (0, 1): "approved"})
    assert bench.results == {(0, 0): REFUSALS["declined"], (0, 1): "1 launched at sun"}


@pytest.mark.parametrize("verdict", ["approved", "declined", "expired"])
async def test_the_same_call_in_a_later_round_is_not_asked_about_again(verdict: str) -> None:
    bench = Bench([plan(call("launch", target="moon"))] * 2)
    await bench.pending()
    await bench.run({(0, 0): verdict})
    assert bench.results[1, 0] == bench.results[0, 0]
    assert len(bench.ran) == (verdict == "approved")


async def test_another_call_in_a_later_round_is_asked_about() -> None:
    bench = Bench([plan(call("launch", target="moon")), plan(call("launch", target="sun"))])
    assert await bench.pending({(0, 0): "approved"}) == PendingCall(1, 0, "launch", {"target": "sun"})


async def test_calls_that_come_to_the_same_are_asked_about_once() -> None:
    plan_ = plan(call("aim", at="moon"), call("launch", target="the moon"), call("launch", target="$1"))
    bench = Bench([plan_])
    assert (await bench.pending()).index == 1
    await bench.run({(0, 1): "approved"})
    assert bench.results[0, 2] == bench.results[0, 1] == "1 launched at the moon"
    assert [name for name, _ in bench.ran] == ["aim", "launch"]


async def test_a_question_shows_with_what_the_gadget_will_run() -> None:
    bench = Bench([plan(call("aim", at="moon"), call("launch", target="$1"), call("aim", at="$2"))])
    assert await bench.pending() == PendingCall(0, 1, "launch", {"target": "the moon"})
    assert bench.results == {(0, 0): "the moon"}, "what needs the result of the waiting call waits, too"
    await bench.run({(0, 1): "approved"})
    assert bench.results[0, 2] == "the 1 launched at the moon"


async def test_what_uses_a_refused_call_does_not_run() -> None:
    bench = Bench([plan(call("launch", target="moon"), call("aim", at="$1"))])
    await bench.run({(0, 0): "declined"})
    assert bench.results[0, 1] == "$1 cannot be used: launch gave no result. So this call did not run."


async def test_what_is_kept_stays_in_the_order_of_the_calls() -> None:
    bench = Bench([plan(call("show"), call("strike", word="a"), call("show"))])
    await bench.pending()
    assert bench.results == {(0, 0): "a b"}


def test_a_server_is_asked_about_by_the_tools_own_names() -> None:
    async def never(tool: str, arguments: Mapping[str, Any]) -> str:
        raise AssertionError

    tools = [Tool("read.file", "Reads.", {}), Tool("write.file", "Writes.", {})]
    found = {
        approve: [each.approve for each in gadgets_of(ServerSpec("f", Command(("p",)), approve=approve), tools, never)]
        for approve in (False, True, ("write.file",))
    }
    assert found == {False: [False, False], True: [True, True], ("write.file",): [False, True]}

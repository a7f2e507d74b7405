"""The journal of a turn: every model output and gadget result, as recorded steps, and back again.

A step's body is JSON: `model` = {"phase", "text", "thinking"?, "calls": [{"id", "name", "arguments"}], "model",
"prompt_tokens", "completion_tokens"}; `result` = {"round", "call", "tool", "parameters", "result", "ok", "retry",
"resolved"?, "shown"?, "ends"?, "cached"?, "prompt_tokens"?, "completion_tokens"?}: the parameters with which the gadget
ran, where those that the model wrote refer to other results, what is to be seen behind the answer, whether the gadget
completed the conversation, whether nothing ran because the result was known, and what the gadget asked the model for;
`choice` (see bot.agent.choice) = {"agent", "text", "model", "prompt_tokens", "completion_tokens"}.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from bot.agent.protocols import Phase, Result, Round
from bot.models.model import Collected, ToolCall
from gadgets.toolbox import Outcome
from storage.conversations import Kept
from storage.turns import Step


class Journal(Protocol):
    """Where a turn's steps are recorded durably before the next one begins."""

    @property
    def steps(self) -> Sequence[Step]:
        """Every step recorded so far, also by workers that died."""
        ...

    async def record(self, kind: str, body: dict[str, Any], kept: Kept | None = None) -> None:
        """Record a step, and in the same transaction what its gadget keeps about the conversation from then on.

        Raises Fenced when another worker owns the turn by now.
        """
        ...


def model_body(phase: Phase, output: Collected, calls: Sequence[ToolCall], model: str) -> dict[str, Any]:
    finished = output.finished
    body: dict[str, Any] = {
        "phase": phase,
        "text": output.text,
        "calls": [{"id": c.id, "name": c.name, "arguments": dict(c.arguments)} for c in calls],
        "model": model,
        "prompt_tokens": finished.prompt_tokens if finished else 0,
        "completion_tokens": finished.completion_tokens if finished else 0,
    }
    return body | ({"thinking": output.thinking} if output.thinking else {})


def result_body(round_number: int, index: int, written: ToolCall, result: Result, outcome: Outcome) -> dict[str, Any]:
    """`written` is the call as the model wrote it, `result` has it with its references resolved."""
    body: dict[str, Any] = {
        "round": round_number,
        "call": index,
        "tool": written.name,
        "parameters": dict(written.arguments),
        "result": result.text,
        "ok": result.ok,
        "retry": result.retry,
    }
    if result.call.arguments != written.arguments:
        body["resolved"] = dict(result.call.arguments)
    more = {name: getattr(outcome, name) for name in ("shown", "ends", "cached", "prompt_tokens", "completion_tokens")}
    return body | {name: value for name, value in more.items() if value}


def completes(steps: Sequence[Step]) -> bool:
    """Whether a gadget said that the conversation is over with this turn."""
    return any(step.kind == "result" and step.body.get("ends") is True for step in steps)


def shown_by(steps: Sequence[Step]) -> list[str]:
    """What gadgets want to be seen behind the answer, each once."""
    return list(dict.fromkeys(step.body["shown"] for step in steps if step.kind == "result" and "shown" in step.body))


def rounds_of(steps: Sequence[Step]) -> list[Round]:
    """What has happened in a turn, from its recorded steps."""
    rounds: list[Round] = []
    for step in steps:
        body = step.body
        if step.kind == "model":
            calls = tuple(ToolCall(c["id"], c["name"], c["arguments"]) for c in body["calls"])
            rounds.append(Round(body["text"], calls))
        elif step.kind == "result":
            round_ = rounds[body["round"]]
            call = round_.calls[body["call"]]
            call = replace(call, arguments=body.get("resolved", call.arguments))
            round_.results[body["call"]] = Result(call, body["result"], ok=body["ok"], retry=body["retry"])
    return rounds


def tokens_of(steps: Sequence[Step]) -> tuple[int, int]:
    """Prompt and completion tokens that the recorded model outputs cost, those that gadgets asked for among them."""
    bodies = [step.body for step in steps]
    return sum(b.get("prompt_tokens", 0) for b in bodies), sum(b.get("completion_tokens", 0) for b in bodies)

"""How often does the embedded model choose the right gadget? `python benchmarks/decisions.py [FILE] [--small]`

FILE is a JSON list of {"prompt": …, "accept": [{"gadget": "weather", "city": "denver"}, …]}; without it, decisions.json
in the folder that SECRET_AGENTS_TEST_DATA names (default ../shared/data). Each prompt is decided once, by itself, at
temperature 0, with the prompt and the schema that the bot uses.

A decision is right when it has at least one call and every call is one of the accepted entries, or, where the entry's
gadget is "none", when it has no call. So entries may be alternatives ("new york", "new york city") as well as calls
that belong together ("the weather in Paris and Rome"), and a wrong call beside a right one is wrong. Texts are compared
without regard to case and outer space, numbers as numbers, and no parameter may be missing or added.

Prints each prompt with what was decided, and last `N of M right`. Exit 0 whatever N is, 1 when it could not run.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from bot.agent.decisions import Decision, NotADecision, decision_messages, decision_schema, parse_decision
from bot.agent.protocols import DECISION_TOKENS
from bot.errors import ModelError
from bot.models.embedded import EmbeddedModel
from bot.models.model import Collected, Model, Notice, Request, ToolCall, ToolSpec
from bot.models.weights import LARGE, SMALL
from gadgets.catalogue import GENERAL

NUM_CTX = 8192
SPECS = tuple(ToolSpec(gadget.name, gadget.description, gadget.parameters) for gadget in GENERAL)


@dataclass(frozen=True, slots=True)
class Case:
    prompt: str
    accept: tuple[dict[str, Any], ...]

    def right(self, decision: Decision | NotADecision) -> bool:
        if isinstance(decision, NotADecision):
            return False
        wanted = [_comparable(entry) for entry in self.accept]
        given = [_comparable({"gadget": call.name, **call.arguments}) for call in decision.calls]
        return all(call in wanted for call in given) if given else {"gadget": "none"} in wanted


def _comparable(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value.strip().casefold() if isinstance(value, str) else value for key, value in entry.items()}


def load(path: Path) -> list[Case]:
    """Raises OSError, ValueError, KeyError or TypeError for a file that is not such a set."""
    return [Case(str(each["prompt"]), tuple(map(dict, each["accept"]))) for each in json.loads(path.read_bytes())]


def shown(decision: Decision | NotADecision) -> str:
    if isinstance(decision, NotADecision):
        return f"not a decision: {decision.reason}"
    return ", ".join(map(_signature, decision.calls)) or "reply"


def _signature(call: ToolCall) -> str:
    return f"{call.name}({', '.join(f'{name}={value!r}' for name, value in call.arguments.items())})"


async def decide(model: Model, prompt: str) -> Decision | NotADecision:
    messages = decision_messages(SPECS, (), prompt)
    request = Request(messages, NUM_CTX, DECISION_TOKENS, schema=decision_schema(SPECS))
    output = Collected()
    async with aclosing(model.stream(request)) as deltas:
        async for delta in deltas:
            output.add(delta)
            if isinstance(delta, Notice):
                print(f"… {delta.text}", file=sys.stderr)
    return parse_decision(output.text, SPECS)


async def measure(model: Model, cases: Sequence[Case]) -> int:
    right = 0
    for case in cases:
        started = time.perf_counter()
        decision = await decide(model, case.prompt)
        ok = case.right(decision)
        right += ok
        seconds = time.perf_counter() - started
        print(f"{'ok   ' if ok else 'WRONG'} {seconds:5.1f} s  {case.prompt}  →  {shown(decision)}", flush=True)
    return right


async def run(arguments: argparse.Namespace) -> None:
    cases = load(arguments.file)
    weights = SMALL if arguments.small else LARGE
    prewarm = decision_messages(SPECS, (), "")
    async with (
        ClientSession(trust_env=True) as http,
        EmbeddedModel(http, weights=weights, num_ctx=NUM_CTX, prewarm=prewarm) as model,
    ):
        print(f"{model.name}, {arguments.file}")
        right = await measure(model, cases)
    print(f"{right} of {len(cases)} right")


def _arguments() -> argparse.Namespace:
    default = Path(os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data"), "decisions.json")
    parser = argparse.ArgumentParser(description="How often does the embedded model choose the right gadget?")
    parser.add_argument("file", nargs="?", type=Path, default=default)
    parser.add_argument("--small", action="store_true", help="use the 0.5B weights")
    return parser.parse_args()


def _causes(error: BaseException | None) -> Iterator[str]:
    for _ in range(3):
        if error is None:
            return
        yield str(error) or repr(error)
        error = error.__cause__


def main() -> int:
    try:
        asyncio.run(run(_arguments()))
    except (ModelError, OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot measure: {': '.join(_causes(error))}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

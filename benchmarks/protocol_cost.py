"""What each tool protocol costs a turn of the embedded model. `python -m benchmarks.protocol_cost [--small]`

The Quartermaster as it is shipped answers the same messages, each in a conversation of its own, by real core and real
database: once with the JSON protocol (a constrained decision, then an answer), once with native function calling. Only
gadgets that ask nobody else are needed. Beside the cost stands of how many messages the gadgets that ran were the
right ones: what a protocol is worth.

Prints, for each protocol and each kind of model call, calls a turn and, a call: tokens read, tokens written, seconds;
then the whole turn. And how much of a decision's prompt never changes. Exit 1 when it could not run.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Self

from aiohttp import ClientSession

from bot.agent.decisions import decision_messages
from bot.agent.roster import Profile, Roster
from bot.errors import ModelError
from bot.models.embedded import EmbeddedModel
from bot.models.model import Capabilities, Collected, Delta, Finished, Health, Message, Notice, Request, ToolSpec
from bot.models.weights import LARGE, SMALL
from bot.settings.agents import QUARTERMASTER, SHIPPED
from gadgets.catalogue import GENERAL
from tests.core import LIMITS, OPTIONS, Outside, running_core
from tests.fakes.stub_platform import message

NUM_CTX = 8192
TURN_SECONDS = 300
SPECS = tuple(ToolSpec(gadget.name, gadget.description, gadget.parameters) for gadget in GENERAL)
WARM_UP = "Good morning!"
"""Asked before what counts: an answer's prompt has a beginning, too, that is read once."""
MESSAGES: tuple[tuple[str, frozenset[str]], ...] = (
    ("Hello!", frozenset()),
    ("Thanks, that was helpful!", frozenset()),
    ("What is the capital of France?", frozenset()),
    ("Decrypt IFMMP with shift 1", frozenset({"decrypt"})),
    ("Encrypt 'meet me at noon' with a shift of 3", frozenset({"encrypt"})),
    ("What time is it in Tokyo?", frozenset({"clock"})),
    ("Roll two six-sided dice", frozenset({"dice"})),
    ("Decrypt IFMMP with shift 1 and roll a d20", frozenset({"decrypt", "dice"})),
    ("Decrypt KHOOR ZRUOG with shift 3 and translate the result into German", frozenset({"decrypt", "translate"})),
    ("Please remember that my badge number is 4711.", frozenset({"remember"})),
)
"""What is said, and the gadgets that it is worth."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One call of the model. `kind` is decide, answer or native, or gadget where a gadget asked."""

    kind: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class Metered:
    """The model, with the cost of every call. It is opened and closed by others."""

    provider = "embedded"

    def __init__(self, model: EmbeddedModel, system: str) -> None:
        self._model = model
        self._system = system
        self.name = model.name
        self.costs: list[Cost] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def capabilities(self) -> Capabilities:
        return await self._model.capabilities()

    async def health(self) -> Health:
        return await self._model.health()

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        started = time.perf_counter()
        async with aclosing(self._model.stream(request)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Finished):
                    seconds = time.perf_counter() - started
                    tokens = delta.prompt_tokens, delta.completion_tokens
                    self.costs.append(Cost(self._kind(request), *tokens, seconds))
                yield delta

    def _kind(self, request: Request) -> str:
        if request.schema is not None:
            return "decide"
        if request.tools:
            return "native"
        return "answer" if request.messages[0].text.startswith(self._system) else "gadget"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a protocol's turns cost: each its calls of the model and its seconds; how many used the right gadgets."""

    protocol: str
    costs: Sequence[Cost]
    seconds: Sequence[float]
    right: int


async def measure(model: EmbeddedModel, protocol: str, http: ClientSession) -> Measured:
    profile = Profile(QUARTERMASTER, "", SHIPPED[QUARTERMASTER]["prompt"], tuple(each.name for each in GENERAL))
    metered = Metered(model, profile.prompt.strip())
    seconds, right = [], 0
    with tempfile.TemporaryDirectory() as folder:
        async with running_core(
            Path(folder, "db"),
            metered,
            limits=LIMITS,
            options=replace(OPTIONS, protocol=protocol, num_ctx=NUM_CTX),
            seconds=TURN_SECONDS,
            gadgets=GENERAL,
            outside=Outside(http),
            roster=Roster({QUARTERMASTER: profile}, QUARTERMASTER),
        ) as core:
            for number, (text, gadgets) in enumerate(((WARM_UP, frozenset[str]()), *MESSAGES)):
                core.calls.clear()
                started = time.perf_counter()
                await core.inbox.admit(message(text, number, thread=f"t{number}"))
                await core.platform.wait_for(number + 1)
                if number:
                    seconds.append(time.perf_counter() - started)
                    right += {name for name, _, _ in core.calls} == gadgets
                else:
                    metered.costs.clear()
    return Measured(protocol, metered.costs, seconds, right)


def report(measured: Measured) -> None:
    turns = len(measured.seconds)
    for kind in dict.fromkeys(cost.kind for cost in measured.costs):
        row(measured.protocol, kind, [cost for cost in measured.costs if cost.kind == kind], turns)
    costs = measured.costs
    prompt, written = (
        sum(each) / turns for each in zip(*((c.prompt_tokens, c.completion_tokens) for c in costs), strict=True)
    )
    print(
        f"{measured.protocol:8}{'a turn':8}{'':12}{prompt:10.0f}{written:10.0f}{fmean(measured.seconds):10.1f}", end=""
    )
    print(f"   right gadgets: {measured.right} of {turns}", flush=True)


def row(protocol: str, kind: str, costs: Sequence[Cost], turns: int) -> None:
    read, written = fmean(cost.prompt_tokens for cost in costs), fmean(cost.completion_tokens for cost in costs)
    seconds = fmean(cost.seconds for cost in costs)
    print(f"{protocol:8}{kind:8}{len(costs) / turns:12.1f}{read:10.0f}{written:10.0f}{seconds:10.1f}")


async def prompt_tokens(model: EmbeddedModel, messages: tuple[Message, ...]) -> int:
    output = Collected()
    async with aclosing(model.stream(Request(messages, NUM_CTX, 1))) as deltas:
        async for delta in deltas:
            output.add(delta)
            if isinstance(delta, Notice):
                print(f"… {delta.text}", file=sys.stderr)
    return output.finished.prompt_tokens if output.finished else 0


async def run(weights_are_small: bool) -> None:
    prewarm = decision_messages(SPECS, (), "")
    async with (
        ClientSession(trust_env=True) as http,
        EmbeddedModel(http, weights=SMALL if weights_are_small else LARGE, num_ctx=NUM_CTX, prewarm=prewarm) as model,
    ):
        always = await prompt_tokens(model, prewarm)
        print(f"{model.name}: {always} tokens of a decision's prompt never change")
        print(f"{'':16}{'calls/turn':>12}{'read':>10}{'written':>10}{'seconds':>10}")
        for protocol in ("json", "native"):
            report(await measure(model, protocol, http))


def main() -> int:
    parser = argparse.ArgumentParser(description="What does each tool protocol cost a turn of the embedded model?")
    parser.add_argument("--small", action="store_true", help="use the 0.5B weights")
    try:
        asyncio.run(run(parser.parse_args().small))
    except (ModelError, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

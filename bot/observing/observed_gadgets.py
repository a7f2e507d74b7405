"""Calls of gadgets, timed and counted by gadget and by what became of them."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.observing.metrics import UNKNOWN, Metrics
from gadgets.context import Occasion
from gadgets.toolbox import Outcome, Toolbox

CallGadget = Callable[[str, Mapping[str, Any], Occasion], Awaitable[Outcome]]


def observed_calls(call: CallGadget, toolbox: Toolbox, metrics: Metrics) -> CallGadget:
    """`call`, told to `metrics`. A name that a model made up is counted as unknown."""

    async def observed(name: str, arguments: Mapping[str, Any], occasion: Occasion) -> Outcome:
        began, result = time.monotonic(), "broken off"
        try:
            outcome = await call(name, arguments, occasion)
            result = _result(outcome)
            return outcome
        finally:
            metrics.gadgets.add(name if toolbox.find(name) else UNKNOWN, result)
            metrics.stages.add(time.monotonic() - began, "gadget")

    return observed


def _result(outcome: Outcome) -> str:
    if outcome.ok:
        return "cached" if outcome.cached else "ok"
    return "retry" if outcome.retry else "failed"

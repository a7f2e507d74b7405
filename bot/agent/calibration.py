"""How far estimates of tokens may be trusted: learned from what the model's server counted.

A server that is given more than its context window drops the oldest messages and says nothing, so a prompt must never
turn out larger than it was estimated. What was counted once is expected again: the factor of a model is the largest
that its last outputs, at least `REMEMBERED` of them, have shown.
"""

import logging
from dataclasses import dataclass

from bot.agent.prompt import SAFETY_TOKENS, Budget

_log = logging.getLogger(__name__)

MARGIN = 1.05
"""On top of what was seen."""
MAX_FACTOR = 4.0
"""Real tokens for an estimated one, at most: an estimated one is three bytes, and no token is less than one."""
CUT_MARGIN = 1.5
"""On top, where a server counted only what it had left of the prompt."""
REMEMBERED = 500
"""Outputs after which a surprise begins to be forgotten, so that one odd message does not make all prompts small."""
MAX_MODELS = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """One prompt in tokens: how large it was estimated, within which budget, and how large the server says it is."""

    estimated: int
    counted: int
    budget: Budget


class _Peak:
    """The largest of the last values: at least `REMEMBERED` of them, at most twice as many."""

    def __init__(self) -> None:
        self._before = self._now = 1.0
        self._count = 0

    def add(self, value: float) -> None:
        self._count += 1
        if self._count > REMEMBERED:
            self._before, self._now, self._count = self._now, 1.0, 1
        self._now = max(self._now, value)

    @property
    def value(self) -> float:
        return max(self._before, self._now)


class Calibration:
    """The factors of all models, by name; in memory only, since every model shows its own again soon."""

    def __init__(self) -> None:
        self._peaks: dict[str, _Peak] = {}

    def factor(self, model: str) -> float:
        """At least 1."""
        peak = self._peaks.get(model)
        return peak.value if peak else 1.0

    def observe(self, model: str, seen: Seen) -> bool:
        """Learn from a prompt. Returns, and logs, whether the server must have left a part of it out.

        Whole messages that were left out, without the rest filling the window, cannot be seen; but a conversation shows
        the factor of its script long before it is that long.
        """
        num_ctx = seen.budget.num_ctx
        cut = seen.counted >= num_ctx - SAFETY_TOKENS
        factor = (seen.counted - SAFETY_TOKENS) / max(1, seen.estimated) * (CUT_MARGIN if cut else MARGIN)
        if cut:
            _log.warning("%s left out a part: %d of about %d tokens", model, seen.counted, seen.estimated)
            factor = max(factor, CUT_MARGIN * seen.budget.factor)
        elif seen.budget.factor > self.factor(model):
            factor = max(factor, seen.budget.factor)  # with less, the server has just refused to read it
        self._peak(model).add(min(MAX_FACTOR, factor))
        return cut

    def _peak(self, model: str) -> _Peak:
        if model not in self._peaks and len(self._peaks) >= MAX_MODELS:
            del self._peaks[next(iter(self._peaks))]
        return self._peaks.setdefault(model, _Peak())

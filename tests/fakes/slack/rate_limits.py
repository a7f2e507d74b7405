"""Rate limits per method and workspace, and per channel for chat.postMessage. Nothing is limited until it is set.

Source: https://docs.slack.dev/apis/web-api/rate-limits. Windows are true seconds: clients really wait Retry-After.
"""

import math
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls per minute that each tier allows at least."""
Key = tuple[str, str, str]
"""(method, team, channel or empty)"""


@dataclass(frozen=True, slots=True)
class Limit:
    calls: int
    per: float
    """Seconds."""


@dataclass(slots=True)
class RateLimits:
    """`refused` counts what got a 429; `early` lists methods that were called again before Retry-After was over."""

    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    early: list[str] = field(default_factory=list)
    _methods: dict[str, Limit] = field(default_factory=dict)
    _channels: dict[str, Limit] = field(default_factory=dict)
    _made: dict[Key, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _blocked: dict[Key, float] = field(default_factory=dict)

    def set(self, method: str, calls: int, *, per: float = 60.0) -> None:
        """So many calls of a method per workspace in any window of `per` seconds."""
        assert calls > 0
        self._methods[method] = Limit(calls, per)

    def per_channel(self, calls: int, *, per: float = 1.0, method: str = "chat.postMessage") -> None:
        self._channels[method] = Limit(calls, per)

    def realistic(self, tiers: Mapping[str, int]) -> None:
        """The documented tiers, and about one message per second and channel with short bursts."""
        for method, tier in tiers.items():
            self.set(method, TIERS[tier])
        self.per_channel(5, per=5.0)

    def clear(self) -> None:
        self._methods.clear()
        self._channels.clear()
        self._made.clear()
        self._blocked.clear()

    def check(self, method: str, team: str, channel: str) -> int | None:
        """Count a call. None when it is allowed, else the Retry-After in whole seconds."""
        kept = [((method, team, ""), self._methods.get(method)), ((method, team, channel), self._channels.get(method))]
        waits = [self._wait(key, limit) for key, limit in kept if limit is not None]
        if any(waits):
            self.refused[method] += 1
            return max(1, math.ceil(max(waits)))
        for key, limit in kept:
            if limit is not None:
                self._made[key].append(time.monotonic())
        return None

    def _wait(self, key: Key, limit: Limit) -> float:
        """Seconds until the window has room; 0 when it has."""
        now = time.monotonic()
        made = self._made[key]
        while made and now - made[0] >= limit.per:
            made.popleft()
        if len(made) < limit.calls:
            return 0.0
        if now < self._blocked.get(key, 0.0):
            self.early.append(key[0])
        wait = made[0] + limit.per - now
        self._blocked[key] = now + max(1, math.ceil(wait))
        return wait

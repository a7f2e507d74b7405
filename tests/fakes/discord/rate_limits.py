"""Rate limits: one bucket per route and major parameter, told in headers, and a global one.

Source: https://discord.com/developers/docs/topics/rate-limits
"""

import hashlib
import math
import time
from dataclasses import dataclass, field
from typing import Any

GENEROUS = 10_000


@dataclass(slots=True)
class Limit:
    """`count` requests in `per` seconds. A hidden limit is not told in the headers: it is met as a 429."""

    count: int = GENEROUS
    per: float = 1.0
    hidden: bool = False


@dataclass(slots=True)
class Bucket:
    limit: Limit
    window_ends: float = 0.0
    used: int = 0

    def take(self) -> float:
        """Seconds to wait; 0 if the request may pass."""
        now = time.monotonic()
        if now >= self.window_ends:
            self.window_ends, self.used = now + self.limit.per, 0
        if self.used >= self.limit.count:
            return self.window_ends - now
        self.used += 1
        return 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`retry_after` is None if the request may pass."""

    headers: dict[str, str]
    retry_after: float | None = None
    everywhere: bool = False

    def body(self) -> dict[str, Any]:
        assert self.retry_after is not None
        retry_after = round(self.retry_after, 3)
        return {"message": "You are being rate limited.", "retry_after": retry_after, "global": self.everywhere}


@dataclass(slots=True)
class RateLimits:
    default: Limit = field(default_factory=Limit)
    everywhere: Bucket = field(default_factory=lambda: Bucket(Limit()))
    _limits: dict[tuple[str, str], list[Limit]] = field(default_factory=dict)
    _buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)

    def set(self, method: str, route: str, limit: Limit) -> None:
        """`route` is normalised: any name may stand in its braces."""
        others = [each for each in self._limits.get((method, route), []) if each.hidden != limit.hidden]
        self._limits[method, route] = [*others, limit]
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if key[1:3] != (method, route)}

    def check(self, method: str, route: str, major: str) -> Verdict:
        if wait := self.everywhere.take():
            return refusal(wait, "global")
        limits = self._limits.get((method, route), [])
        shown = next((each for each in limits if not each.hidden), self.default)
        bucket = self._bucket("shown", method, route, major, shown)
        for limit in limits:
            hidden = self._bucket("hidden", method, route, major, limit) if limit.hidden else None
            if hidden is not None and (wait := hidden.take()):
                return refusal(wait, "shared", _headers(method, route, bucket))
        if wait := bucket.take():
            return refusal(wait, "user", _headers(method, route, bucket))
        return Verdict(_headers(method, route, bucket))

    def _bucket(self, kind: str, method: str, route: str, major: str, limit: Limit) -> Bucket:
        return self._buckets.setdefault((kind, method, route, major), Bucket(limit))


def refusal(wait: float, scope: str, headers: dict[str, str] | None = None) -> Verdict:
    """A 429. `scope` is user, shared or global."""
    more = {"Retry-After": str(math.ceil(wait)), "X-RateLimit-Scope": scope}
    if scope == "global":
        more["X-RateLimit-Global"] = "true"
    return Verdict((headers or {}) | more, wait, scope == "global")


def _headers(method: str, route: str, bucket: Bucket) -> dict[str, str]:
    left = max(0.0, bucket.window_ends - time.monotonic())
    return {
        "X-RateLimit-Limit": str(bucket.limit.count),
        "X-RateLimit-Remaining": str(max(0, bucket.limit.count - bucket.used)),
        "X-RateLimit-Reset": f"{time.time() + left:.3f}",
        "X-RateLimit-Reset-After": f"{left:.3f}",
        "X-RateLimit-Bucket": hashlib.sha256(f"{method} {route}".encode()).hexdigest()[:32],
    }

"""A limit on guessing the access token."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

MAX_FAILURES = 5
"""From one address within WINDOW_SECONDS."""
WINDOW_SECONDS = 60.0
MAX_ADDRESSES = 1024
"""Remembered at once; the one that failed longest ago is forgotten first."""


class Logins:
    """Counts failed logins per address; `now` tells seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 = now."""
        failures = self._failures.get(address)
        if failures is None or len(failures) < MAX_FAILURES:
            return 0.0
        return max(0.0, failures[0] + WINDOW_SECONDS - self._now())

    def failed(self, address: str) -> None:
        failures = self._failures.setdefault(address, deque(maxlen=MAX_FAILURES))
        failures.append(self._now())
        self._failures.move_to_end(address)
        while len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        self._failures.pop(address, None)

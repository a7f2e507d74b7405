"""What can go wrong between the app and Slack, prepared by a test per method."""

from collections import defaultdict, deque
from dataclasses import dataclass

from tests.fakes.slack.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Fault:
    """One call that fails: with an error, an HTTP status, or a dropped connection.

    With `after_effect` the call has done its work and only its answer is lost.
    """

    error: str | None = None
    status: int = 200
    drop: bool = False
    after_effect: bool = False
    retry_after: int | None = None


class Faults:
    def __init__(self) -> None:
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._refused: dict[str, str] = {}

    def add(self, method: str, fault: Fault, times: int) -> None:
        self._next[method].extend([fault] * times)

    def refuse(self, method: str, error: str) -> None:
        """From now on the workspace has no such feature."""
        self._refused[method] = error

    def allow(self, method: str) -> None:
        self._refused.pop(method, None)

    def take(self, method: str) -> Fault | None:
        waiting = self._next[method]
        return waiting.popleft() if waiting else None

    def check(self, method: str) -> None:
        """Raises Refusal where the feature is refused."""
        if method in self._refused:
            raise Refusal(self._refused[method])

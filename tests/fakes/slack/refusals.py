"""How the fake says no: `{"ok": false, "error": …}`, and whether that was the caller's mistake."""

from typing import Any

Json = dict[str, Any]


class Refusal(Exception):
    """Slack answers {"ok": false} with this error. Ordinary life: an archived channel, a revoked token."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    def body(self) -> Json:
        return {"ok": False, "error": self.error, **self.details}


class Mistake(Refusal):
    """A refusal that only a mistake in the client's program can cause: it is recorded as a violation, too."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(error, response_metadata={"messages": [f"[ERROR] {why}"]})
        self.why = why

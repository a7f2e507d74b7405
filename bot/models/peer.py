"""Who answers at the other end of the wire, and what its failures mean."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from bot.errors import ModelBroken, ModelBusy, ModelError, ModelNotFound, ModelRefused

MAX_ERROR_CHARS = 300
"""How much of a server's own error text is worth a place in the log."""

_BY_STATUS: dict[int, type[ModelError]] = {404: ModelNotFound, 429: ModelBusy, 503: ModelBusy}


@dataclass(frozen=True, slots=True)
class Peer:
    """A model on a server, as errors name it. `missing` says what to do when it is not there."""

    provider: str
    model: str
    missing: str
    secret: str = field(default="", repr=False)
    """Never appears in a message, whatever the server says."""

    def error(self, kind: type[ModelError], what: str) -> ModelError:
        """An error for the log and the operator: who, and what went wrong, on one line of bounded length."""
        return kind(f"{self.provider} {self.model}: {self._clean(what)}")

    def refusal(self, status: int, body: bytes) -> ModelError:
        """What an HTTP status other than 200 means, with the server's own words."""
        kind = _BY_STATUS.get(status) or (ModelRefused if 400 <= status < 500 else ModelBroken)
        said = self._clean(error_text(body)) or "no explanation"
        hint = f"; {self.missing}" if kind is ModelNotFound else ""
        return kind(f"{self.provider} {self.model}: HTTP {status}: {said}{hint}")

    def _clean(self, text: str) -> str:
        if self.secret:
            text = text.replace(self.secret, "***")
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return text if len(text) <= MAX_ERROR_CHARS else text[: MAX_ERROR_CHARS - 1] + "…"


def error_text(body: bytes) -> str:
    """The server's own words in an error body: JSON as Ollama, OpenAI and FastAPI write it, else the text itself."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
    return describe(value)


def describe(value: Any) -> str:
    """The sentence inside an error value: `"…"`, `{"error": …}`, `{"message": …}` or `{"detail": …}`, nested; of
    FastAPI's list of mistakes, `[{"msg": …, "input": …}]`, not the input.
    """
    for _ in range(3):
        if not isinstance(value, dict):
            break
        value = next((value[key] for key in ("error", "message", "detail") if value.get(key)), str(value))
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        value = "; ".join(str(each.get("msg", "")) if isinstance(each, dict) else str(each) for each in value)
    return value if isinstance(value, str) else str(value)

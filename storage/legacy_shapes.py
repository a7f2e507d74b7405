"""What an entry of a log that an earlier program wrote says.

Four shapes of entries are known, and one that is no message; a log may mix them:

    {"timestamp", "user_message", "agent_response", "llm_raw_response",
     "tool_calls": [{"tool", "parameters", "result"}]}
    {"message", "response"}, where the response is a text or {"message": text}
    {"user_input", "llm_response", "rating"}
    {"timestamp", "role": "user" | "llm" | "tool" | "state" | "final" | "deterministic" | "rating",
     "message" | "response" | "tool", "parameters", "result" | "state_update" | "rating"}
    {"player_id", "missions_completed", "current_mission", "game_state"}

An entry may have fields of another shape, lack some, and have values of a wrong type. What is not taken out of it for
a place of its own in a turn stays in `Entry.rest`, as it was.
"""

from dataclasses import dataclass
from typing import Any, Literal

from storage.legacy_times import utc_time

Kind = Literal["opening", "said", "tool", "answer", "aside", "player"]
"""Of an entry: `opening` begins a turn; `said` by a model, perhaps on its way to the answer; `answer` closes the turn;
an `aside` belongs to the turn it follows; `player` tells of the game and not of a turn.
"""
PLAYER = frozenset({"player_id", "missions_completed", "current_mission", "game_state"})
_ROLES: dict[str, Kind] = {
    "user": "opening",
    "llm": "said",
    "tool": "tool",
    "final": "answer",
    "deterministic": "answer",
    "state": "aside",
    "rating": "aside",
}
_QUESTIONS = ("user_message", "user_input", "message")
_ANSWERS = ("agent_response", "llm_response", "response")
_CALL = ("tool", "parameters", "result")


@dataclass(frozen=True, slots=True)
class Entry:
    """`position` counts from 0; `value` is all of the entry; `rest` is what is in none of the other fields.

    `time` is as it is stored, None where there is none. `calls` are objects whose `tool` is a text. `understood` says
    nothing of the rating, which takes the ratings of the whole log to be understood.
    """

    position: int
    kind: Kind
    value: Any
    rest: Any
    time: str | None = None
    question: str | None = None
    answer: str | None = None
    raw: str | None = None
    calls: tuple[dict[str, Any], ...] = ()
    rating: Any = None
    understood: bool = True


def read(position: int, value: Any) -> Entry:
    """Whatever the value is."""
    if not isinstance(value, dict):
        return Entry(position, "aside", value, value, understood=False)
    role = value.get("role")
    if role is None:
        return _exchange(position, value) or _no_message(position, value)
    kind = _ROLES.get(role) if isinstance(role, str) else None
    return _part(position, value, kind) if kind else _aside(position, value, understood=False)


class _Fields:
    """What is left of an entry when its parts are taken out."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.rest = dict(entry)

    def text(self, *names: str) -> str | None:
        """The first of these that is a text, or an object with a text as its `message`."""
        for name in names:
            value = self.rest.get(name)
            if isinstance(value, str):
                del self.rest[name]
                return value
            if isinstance(value, dict) and isinstance(value.get("message"), str):
                self._leave(name, {inner: value[inner] for inner in value if inner != "message"})
                return str(value["message"])
        return None

    def calls(self) -> tuple[dict[str, Any], ...]:
        given = self.rest.get("tool_calls")
        if not isinstance(given, list):
            return ()
        self._leave("tool_calls", [call for call in given if not _is_call(call)])
        return tuple(call for call in given if _is_call(call))

    def own_call(self) -> tuple[dict[str, Any], ...]:
        """The one call that an entry of its own tells of."""
        if not _is_call(self.rest):
            return ()
        return ({name: self.rest.pop(name) for name in _CALL if name in self.rest},)

    def time(self) -> str | None:
        time = utc_time(self.rest.get("timestamp"))
        if time is not None and time == self.rest["timestamp"]:
            del self.rest["timestamp"]
        return time

    def understood(self, time: str | None, *more: str) -> bool:
        """Whether nothing is left but what is kept on purpose."""
        kept = {"rating", *PLAYER, *more} | ({"timestamp"} if time else set())
        return all(value is None or name in kept for name, value in self.rest.items())

    def _leave(self, name: str, value: dict[str, Any] | list[Any]) -> None:
        if value:
            self.rest[name] = value
        else:
            del self.rest[name]


def _is_call(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("tool"), str)


def _exchange(position: int, value: dict[str, Any]) -> Entry | None:
    """A question with its answer; None where there is nothing of either."""
    fields = _Fields(value)
    question, answer, raw = fields.text(*_QUESTIONS), fields.text(*_ANSWERS), fields.text("llm_raw_response")
    calls, time = fields.calls(), fields.time()
    if question is None and answer is None and raw is None and not calls:
        return None
    understood = fields.understood(time)
    rating = value.get("rating")
    return Entry(
        position, "opening", value, fields.rest, time, question, answer, raw, calls, rating, understood=understood
    )


def _part(position: int, value: dict[str, Any], kind: Kind) -> Entry:
    """An entry with a role; an aside that is not understood where it does not have what its role says."""
    if kind == "aside":
        return _aside(position, value)
    fields = _Fields(value)
    names = () if kind == "tool" else ("message", "response") if kind == "opening" else ("response", "message")
    text, time = fields.text(*names), fields.time()
    calls = fields.calls() + fields.own_call()
    if text is None and kind != "opening":
        kind = "tool"
    if kind == "tool" and not calls:
        return _aside(position, value, understood=False)
    understood = fields.understood(time, "role", "state_update") and (text is not None or kind == "tool")
    question, said = (text, None) if kind == "opening" else (None, text)
    return Entry(
        position,
        kind,
        value,
        fields.rest,
        time,
        question,
        said,
        None,
        calls,
        value.get("rating"),
        understood=understood,
    )


def _no_message(position: int, value: dict[str, Any]) -> Entry:
    if any(name in value for name in PLAYER):
        fields = _Fields(value)
        time = fields.time()
        return Entry(position, "player", value, value, time, understood=fields.understood(time))
    return _aside(position, value, understood=False)


def _aside(position: int, value: dict[str, Any], *, understood: bool = True) -> Entry:
    """Kept whole; a rating is one only where the entry says that it is."""
    rating = value.get("rating") if value.get("role") == "rating" else None
    missing = value.get("role") == "rating" and rating is None
    time = utc_time(value.get("timestamp"))
    return Entry(position, "aside", value, value, time, rating=rating, understood=understood and not missing)

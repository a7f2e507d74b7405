"""Folding the entries of a log that an earlier program wrote into turns.

A turn begins with a question, and is closed by its answer; what a model said and what gadgets gave back belongs to the
turn it follows. After an answer, something said without a question begins a turn of its own: to attach it to the one
before would be to invent an order. Where no answer is marked as such, it is the last that a model said, unless a
gadget came after it: that was no answer but a call.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from storage.legacy_shapes import Entry


@dataclass(frozen=True, slots=True)
class Noted:
    """A step of a turn: `model`, what a model said, or `result`, a gadget's call and what it gave back."""

    kind: Literal["model", "result"]
    body: dict[str, Any]
    time: str


@dataclass(slots=True)
class FoldedTurn:
    """`entries` are all that were folded into it, `filled_in` the positions of those whose time was not given."""

    begun: str
    question: str
    answered: str = ""
    answer: str | None = None
    said: list[str] = field(default_factory=list)
    steps: list[Noted] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    filled_in: list[int] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        return self.answer is not None

    @property
    def response(self) -> str:
        """The answer; empty if there is none."""
        if self.answer is not None:
            return self.answer
        last = self.steps[-1] if self.steps else None
        return last.body["text"] if last is not None and last.kind == "model" else ""

    def add(self, entry: Entry, time: str) -> None:
        self.entries.append(entry)
        self.filled_in += [entry.position] if entry.time is None and entry.kind != "aside" else []
        if entry.kind == "said" and entry.answer is not None:
            self.said.append(entry.answer)
            self.steps.append(Noted("model", {"phase": "", "text": entry.answer, "calls": []}, time))
        elif entry.answer is not None:
            self.answer = entry.answer
        self.said += [entry.raw] if entry.raw is not None else []
        self.steps += [Noted("result", call, time) for call in entry.calls]
        if entry.kind != "aside" and (entry.kind != "tool" or not self.closed):
            self.answered = time


@dataclass(frozen=True, slots=True)
class Folded:
    """`unplaced` are the entries that belong to no turn."""

    turns: list[FoldedTurn]
    unplaced: list[Entry]


def fold(entries: Iterable[tuple[Entry, str]]) -> Folded:
    """Entries with their times, in the order of the log."""
    folded = Folded([], [])
    for entry, time in entries:
        turn = _turn_for(entry, time, folded.turns)
        if turn is None:
            folded.unplaced.append(entry)
        else:
            turn.add(entry, time)
    return folded


def _turn_for(entry: Entry, time: str, turns: list[FoldedTurn]) -> FoldedTurn | None:
    if entry.kind == "player":
        return None
    last = turns[-1] if turns else None
    is_message = entry.kind in {"said", "answer"} and (last is None or last.closed)
    if entry.kind == "opening" or is_message:
        turns.append(FoldedTurn(time, entry.question or ""))
        return turns[-1]
    return last

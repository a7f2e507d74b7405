"""The turns of a log that an earlier program wrote, as messages of the mission log (`storage.mission_log`).

Nothing is dropped: what an entry says beyond what has a place of its own is kept as it was in the extras, under
`legacy`: {"entries": [{"position", "kept", "not_understood": true?}], "times_filled_in": [position, …]}.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from storage.legacy_folding import Folded, FoldedTurn
from storage.legacy_ratings import Thumb, thumb, top_of
from storage.legacy_shapes import Entry
from storage.mission_log import LoggedMessage, LoggedStep, LoggedTurn, Outcome, calls_of, encoded

EXTRAS = "legacy"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a log's ratings count up to, and the positions of the entries that were not understood."""

    top: int
    not_understood: frozenset[int]


def meaning_of(entries: Sequence[Entry], folded: Folded) -> Meaning:
    top = top_of(entry.rating for entry in entries)
    strange = {entry.position for entry in entries if not _is_understood(entry, top)}
    homeless = {entry.position for entry in folded.unplaced if entry.kind == "tool" or entry.rating is not None}
    return Meaning(top, frozenset(strange | homeless))


def _is_understood(entry: Entry, top: int) -> bool:
    return entry.understood and (entry.rating is None or thumb(entry.rating, top) is not None)


def message_of(turn: FoldedTurn, event_key: str, owner: str, meaning: Meaning) -> tuple[LoggedMessage, LoggedTurn]:
    """A turn without an answer was not answered, and never will be."""
    response = turn.response
    ending: Outcome = "answered" if response else "cancelled"
    logged = LoggedTurn(
        event_key,
        author=owner,
        author_name=owner,
        status=ending,
        outcome=ending,
        rating=_rating(turn, meaning.top),
        finished_at=turn.answered,
        steps=list(_steps(turn)),
        extras=in_extras(_remains(turn, meaning)),
    )
    raw = "\n".join(turn.said)
    return LoggedMessage(turn.begun, turn.question, response, raw, calls_of(logged.steps), logged), logged


def in_extras(values: dict[str, Any]) -> dict[str, Any]:
    """Under a name of their own."""
    return {EXTRAS: values} if values else {}


def kept(entry: Entry, value: Any, meaning: Meaning) -> dict[str, Any]:
    """What an entry leaves to be kept."""
    mark = {"not_understood": True} if entry.position in meaning.not_understood else {}
    return {"position": entry.position, "kept": value, **mark}


def _remains(turn: FoldedTurn, meaning: Meaning) -> dict[str, Any]:
    entries = [kept(entry, entry.rest, meaning) for entry in turn.entries if entry.rest or entry.kind == "aside"]
    filled_in = {"times_filled_in": turn.filled_in} if turn.filled_in else {}
    return ({"entries": entries} if entries else {}) | filled_in


def _steps(turn: FoldedTurn) -> Iterator[LoggedStep]:
    for seq, noted in enumerate(turn.steps):
        yield LoggedStep(seq, noted.kind, Raw(encoded(noted.body)), noted.time)


def _rating(turn: FoldedTurn, top: int) -> Thumb | None:
    """The last that is understood."""
    thumbs: Iterable[Thumb | None] = (thumb(entry.rating, top) for entry in reversed(turn.entries))
    return next((found for found in thumbs if found is not None), None)

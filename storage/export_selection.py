"""Which conversations, and which of their turns, an export has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from storage.conversations import Place, given
from storage.database import Connection
from storage.errors import StorageError
from storage.logged import TurnChoice

NEWEST = "SELECT coalesce(max(number), 0) FROM conversations"


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported: of the conversations with these whole `ids` (None = all), those of `place`; of their turns,
    those by `author` (a platform's id of a person), since a moment, before another (stored times), rated so or better
    (1, 0, -1; unrated is 0). A conversation of which these leave no turn is left out.
    """

    ids: Sequence[str] | None = None
    place: Place = field(default_factory=Place)
    author: str | None = None
    since: str | None = None
    until: str | None = None
    rating: int | None = None

    @property
    def turns(self) -> TurnChoice:
        conditions = {
            "author": ("turns.author = :author", self.author),
            "since": ("turns.created_at >= :since", self.since),
            "until": ("turns.created_at < :until", self.until),
            "rating": ("coalesce(turns.rating, 0) >= :rating", self.rating),
        }
        said = {name: value for name, (_, value) in conditions.items() if value is not None}
        return TurnChoice(" AND ".join(conditions[name][0] for name in said), said)


Chosen = Sequence[str] | Place | Selection | None
"""The conversations with these whole ids; those of a place; what a selection says; or, with None, all."""


def selection(chosen: Chosen) -> Selection:
    if isinstance(chosen, Selection):
        return chosen
    return Selection(place=chosen) if isinstance(chosen, Place) else Selection(chosen)


def numbers(connection: Connection, chosen: Selection) -> Iterator[tuple[int, int]]:
    """The first and the last one of runs of the chosen among the conversations that there are now, in order.

    A unit of work, which only reads. Raises StorageError for an id that no conversation has.
    """
    if chosen.ids is not None:
        return ((number, number) for number in _of_ids(connection, chosen.ids, chosen.place))
    wanted = given(chosen.place)
    if not wanted:
        (newest,) = connection.execute(NEWEST).fetchone()
        return iter([(1, newest)])
    where = " AND ".join(f"{name} = :{name}" for name in wanted)
    rows = connection.execute(f"SELECT number FROM conversations WHERE {where} ORDER BY number", wanted)
    return ((number, number) for (number,) in iter(rows.fetchone, None))


def _of_ids(connection: Connection, ids: Sequence[str], place: Place) -> list[int]:
    wanted = given(place)
    found = {_of_id(connection, each) for each in ids}
    return sorted(number for number, *columns in found if _is_of(wanted, columns))


def _of_id(connection: Connection, wanted: str) -> tuple[Any, ...]:
    row = connection.execute(
        "SELECT number, platform, workspace, channel, owner FROM conversations WHERE id = :id", {"id": wanted}
    ).fetchone()
    if row is None:
        raise StorageError(f"There is no conversation {wanted}.")
    return tuple(row)


def _is_of(wanted: dict[str, str], columns: Sequence[str]) -> bool:
    there = dict(zip(("platform", "workspace", "channel", "owner"), columns, strict=True))
    return all(there[name] == value for name, value in wanted.items())

"""Units of work on notes: what a person wanted to be remembered. Every unit is about one person's notes alone.

`owner` is the platform and the person's id there, such as `discord:123`.
"""

from dataclasses import dataclass
from typing import Literal

from storage.clock import utc_now
from storage.database import Connection


@dataclass(frozen=True, slots=True)
class StoredNote:
    """`id` grows with time."""

    id: int
    text: str
    created_at: str


def add(connection: Connection, owner: str, text: str, *, limit: int) -> Literal["added", "known", "full"]:
    """Keep a note, unless the same is kept already, or `limit` others are."""
    kept = notes(connection, owner)
    if any(note.text == text for note in kept):
        return "known"
    if len(kept) >= limit:
        return "full"
    connection.execute(
        "INSERT INTO notes (owner, text, created_at) VALUES (:owner, :text, :now)",
        {"owner": owner, "text": text, "now": utc_now()},
    )
    return "added"


def notes(connection: Connection, owner: str) -> list[StoredNote]:
    """All of a person's notes, the newest first."""
    rows = connection.execute(
        "SELECT id, text, created_at FROM notes WHERE owner = :owner ORDER BY id DESC", {"owner": owner}
    ).fetchall()
    return [StoredNote(*row) for row in rows]


def erase(connection: Connection, owner: str, note: int) -> bool:
    """Forget one note; False when the person has no such note."""
    erased = connection.execute(
        "DELETE FROM notes WHERE owner = :owner AND id = :note", {"owner": owner, "note": note}
    ).rowcount
    return erased == 1


def erase_all(connection: Connection, owner: str) -> int:
    """Forget all of a person's notes; how many there were."""
    return connection.execute("DELETE FROM notes WHERE owner = :owner", {"owner": owner}).rowcount

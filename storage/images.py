"""Units of work on images: the pictures that came with a message, kept apart from what is read for a history.

An entry of a turn's attachments names its picture by number: `{"name": "cat.png", …, "image": 0}`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from storage.database import Connection


@dataclass(frozen=True, slots=True)
class Image:
    """An encoded picture (PNG, JPEG, …) of a turn. `number` is what the turn's attachments call it."""

    number: int
    media_type: str
    data: bytes


def add(connection: Connection, turn: int, images: Iterable[Image]) -> None:
    for image in images:
        connection.execute(
            "INSERT INTO images (turn, number, media_type, data) VALUES (:turn, :number, :media_type, :data)",
            {"turn": turn, "number": image.number, "media_type": image.media_type, "data": image.data},
        )


def of_turn(connection: Connection, turn: int, attachments: Iterable[Mapping[str, Any]]) -> tuple[Image, ...]:
    """The pictures of a turn in order. Asks the database only if the turn's attachments name any."""
    if not any(attachment.get("image") is not None for attachment in attachments):
        return ()
    rows = connection.execute(
        "SELECT number, media_type, data FROM images WHERE turn = :turn ORDER BY number", {"turn": turn}
    ).fetchall()
    return tuple(Image(*row) for row in rows)

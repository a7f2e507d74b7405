"""What gadgets keep of what people want to be remembered: each person's notes in the database, and nobody else's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gadgets.context import Note
from storage import notes
from storage.database import Database

MAX_NOTES = 500
"""Of one person."""


@dataclass(frozen=True, slots=True)
class PersonalNotes:
    """One person's. `owner` is their platform and id there, such as `discord:123`. Raises StorageError."""

    database: Database
    owner: str

    async def add(self, text: str) -> Literal["added", "known", "full"]:
        return await self.database.write(notes.add, self.owner, text, limit=MAX_NOTES)

    async def all(self) -> Sequence[Note]:
        stored = await self.database.read(notes.notes, self.owner)
        return [Note(note.text, note.created_at[:10]) for note in stored]

"""Units of work on what there is of one person, wherever they said it on their platform."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storage import images, notes
from storage.database import Connection
from storage.mission_log import encoded, stored_json


@dataclass(frozen=True, slots=True)
class Person:
    """By the platform's own id of them; `str` is `discord:123`."""

    platform: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"


@dataclass(frozen=True, slots=True)
class Holdings:
    """`missions` are those that the person has for themselves, `shared` those that others have a part in, too."""

    missions: int = 0
    shared: int = 0
    messages: int = 0
    pictures: int = 0
    notes: int = 0

    def __add__(self, other: "Holdings") -> "Holdings":
        return Holdings(
            self.missions + other.missions,
            self.shared + other.shared,
            self.messages + other.messages,
            self.pictures + other.pictures,
            self.notes + other.notes,
        )

    def __bool__(self) -> bool:
        return any((self.missions, self.shared, self.messages, self.pictures, self.notes))


def holdings(connection: Connection, person: Person) -> Holdings:
    alone = shared = messages = pictures = 0
    for number in conversations_of(connection, person):
        said = said_in(connection, number, person.id)
        own = connection.execute(
            """SELECT owner = :author AND NOT EXISTS (
                    SELECT 1 FROM turns WHERE conversation = :number AND author <> :author)
                FROM conversations WHERE number = :number""",
            {"number": number, "author": person.id},
        ).fetchone()
        alone, shared = (alone + 1, shared) if own[0] else (alone, shared + 1)
        messages += said.messages
        pictures += said.pictures
    return Holdings(alone, shared, messages, pictures, len(notes.notes(connection, str(person))))


@dataclass(frozen=True, slots=True)
class Said:
    messages: int
    pictures: int


def said_in(connection: Connection, number: int, author: str, until: str | None = None) -> Said:
    """How much of a conversation is somebody's, of the time until then."""
    about = {"number": number, "author": author, "until": until}
    where = "conversation = :number AND author = :author AND (:until IS NULL OR created_at <= :until)"
    (messages,) = connection.execute(f"SELECT count(*) FROM turns WHERE {where}", about).fetchone()
    (pictures,) = connection.execute(
        f"SELECT count(*) FROM images JOIN turns ON turns.id = images.turn WHERE {where}", about
    ).fetchone()
    return Said(messages, pictures)


def conversations_of(connection: Connection, person: Person) -> list[int]:
    """The numbers of the conversations that somebody owns or said something in, the oldest first."""
    rows = connection.execute(
        """SELECT conversation FROM turns WHERE platform = :platform AND author = :id
            UNION SELECT turns.conversation FROM turns JOIN conversations ON number = turns.conversation
                WHERE turns.platform IS NULL AND turns.author = :id AND conversations.platform = :platform
            UNION SELECT number FROM conversations WHERE platform = :platform AND owner = :id
            ORDER BY 1""",
        {"platform": person.platform, "id": person.id},
    ).fetchall()
    return [number for (number,) in rows]


def newest(connection: Connection, person: Person) -> str:
    """The time of what the person said last, by the clock of then; empty if they said nothing."""
    times = [
        connection.execute(
            """SELECT coalesce(max(created_at), '') FROM turns
                WHERE conversation = :number AND author = :author""",
            {"number": number, "author": person.id},
        ).fetchone()[0]
        for number in conversations_of(connection, person)
    ]
    return max(times, default="")


def people(connection: Connection) -> Iterator[Person]:
    """Everybody of whom there is something. Looks at every turn."""
    rows = connection.execute(
        """SELECT conversations.platform, turns.author FROM turns JOIN conversations ON number = turns.conversation
            UNION SELECT platform, owner FROM conversations
            UNION SELECT substr(owner, 1, instr(owner, ':') - 1), substr(owner, instr(owner, ':') + 1) FROM notes
            UNION SELECT platform, id FROM spending WHERE whose = 'user'"""
    ).fetchall()
    return (Person(platform, id_) for platform, id_ in rows)


# What somebody gets of themselves: what they said, what was answered, what they had noted; nothing that others said.


def told_notes(connection: Connection, person: Person) -> bytes:
    """JSON: a list of {"text", "created_at"}, the newest first."""
    found = notes.notes(connection, str(person))
    return encoded([{"text": note.text, "created_at": note.created_at} for note in found])


def told_messages(
    connection: Connection, person: Person, number: int, *, after: int = 0, limit: int = 100
) -> list[tuple[int, bytes]]:
    """The person's messages in a conversation with their answers, the oldest first, behind turn `after`: turn, JSON."""
    rows = connection.execute(
        """SELECT turns.id, conversations.id, turns.created_at, turns.author_name, user_message, attachments,
                coalesce(agent_response, ''), coalesce(model, ''), turns.status, rating
            FROM turns JOIN conversations ON number = turns.conversation
            WHERE turns.conversation = :number AND turns.author = :author AND turns.id > :after
            ORDER BY turns.id LIMIT :limit""",
        {"number": number, "author": person.id, "after": after, "limit": limit},
    ).fetchall()
    return [(row[0], _told(connection, row)) for row in rows]


def _told(connection: Connection, row: Any) -> bytes:
    attachments = stored_json(row[5])
    pictures = images.of_turn(connection, row[0], attachments)
    return encoded(
        {
            "conversation_id": row[1],
            "timestamp": row[2],
            "name": row[3],
            "message": row[4],
            "attachments": attachments,
            "pictures": [{"number": p.number, "media_type": p.media_type, "data": p.data} for p in pictures],
            "answer": row[6],
            "model": row[7],
            "status": row[8],
            "rating": row[9],
        }
    )

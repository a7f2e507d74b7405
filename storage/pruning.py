"""Units of work on the pruning list: who was forgotten until when, and which events are not to be answered again.

What a database, a backup or an export holds of somebody who was forgotten is found by hashing the people in it and
looking the hashes up; from the list alone nobody can tell whom it is about. Marks are BLAKE2b hashes (RFC 7693) keyed
with a random salt, which is in the list: whoever has it can still find out whether a certain person is on it.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.clock import stored_time
from storage.database import Connection

SALT_BYTES = 32
MARK_BYTES = 32
EVENT_DAYS = 30
"""How long an event may be repeated: Discord's messages are caught up with for two weeks, Slack tries for an hour."""
_PSEUDONYM = 12
"""Hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class PruningList:
    """`people` = mark → until when they are forgotten, `events` = mark → when it is needed no longer; stored times."""

    salts: tuple[bytes, ...] = ()
    people: Mapping[bytes, str] = field(default_factory=dict)
    events: Mapping[bytes, str] = field(default_factory=dict)

    def until(self, person: str) -> str | None:
        """Until when a person (`discord:123`) is forgotten, if they are."""
        marks = (person_mark(salt, person) for salt in self.salts)
        return max((self.people[mark] for mark in marks if mark in self.people), default=None)


def person_mark(salt: bytes, person: str) -> bytes:
    return _mark(salt, f"person {person}")


def event_mark(salt: bytes, event_key: str) -> bytes:
    return _mark(salt, f"event {event_key}")


def _mark(salt: bytes, text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=salt, digest_size=MARK_BYTES).digest()


def pseudonym(mark: bytes) -> str:
    """What stands for a person where a name has to be, such as in the audit log."""
    return f"forgotten:{mark.hex()[:_PSEUDONYM]}"


def salts(connection: Connection) -> list[bytes]:
    return [salt for (salt,) in connection.execute("SELECT salt FROM forgotten_salts ORDER BY salt").fetchall()]


def pseudonyms(connection: Connection, person: str) -> list[str]:
    """Those that the person may have; none where nobody was ever forgotten."""
    return [pseudonym(person_mark(salt, person)) for salt in salts(connection)]


def is_event_forgotten(connection: Connection, event_key: str) -> bool:
    """Whether an event belongs to a turn that was erased, and is not to be answered again."""
    return any(
        connection.execute(
            "SELECT 1 FROM forgotten_events WHERE mark = :mark", {"mark": event_mark(salt, event_key)}
        ).fetchone()
        for salt in salts(connection)
    )


def read(connection: Connection) -> PruningList:
    people = connection.execute("SELECT mark, until FROM forgotten_people").fetchall()
    events = connection.execute("SELECT mark, expires FROM forgotten_events").fetchall()
    return PruningList(tuple(salts(connection)), dict(people), dict(events))


def add_person(connection: Connection, person: str, until: str) -> str:
    """From now on nothing of the person that is from then or before is taken in. Returns their pseudonym."""
    mark = person_mark(_salt(connection), person)
    _put_person(connection, mark, until)
    return pseudonym(mark)


def add_events(connection: Connection, events: Iterable[tuple[str, str]]) -> None:
    """From now on these events, (key, stored time) each, are not answered again. Old ones are not repeated anyway."""
    salt = _salt(connection)
    for event_key, at in events:
        _put_event(connection, event_mark(salt, event_key), _after(at, EVENT_DAYS))


def add(connection: Connection, listed: PruningList) -> None:
    """Take over what another list has."""
    for salt in listed.salts:
        connection.execute("INSERT INTO forgotten_salts (salt) VALUES (:salt) ON CONFLICT DO NOTHING", {"salt": salt})
    for mark, until in listed.people.items():
        _put_person(connection, mark, until)
    for mark, expires in listed.events.items():
        _put_event(connection, mark, expires)


def expire(connection: Connection, now: str) -> int:
    """Drop the marks of events that are not repeated any more; how many there were."""
    return connection.execute("DELETE FROM forgotten_events WHERE expires < :now", {"now": now}).rowcount


def _salt(connection: Connection) -> bytes:
    """The one to hash with; made when somebody is forgotten for the first time."""
    if not (found := salts(connection)):
        found = [secrets.token_bytes(SALT_BYTES)]
        connection.execute("INSERT INTO forgotten_salts (salt) VALUES (:salt)", {"salt": found[0]})
    return found[0]


def _put_person(connection: Connection, mark: bytes, until: str) -> None:
    connection.execute(
        """INSERT INTO forgotten_people (mark, until) VALUES (:mark, :until)
            ON CONFLICT (mark) DO UPDATE SET until = max(until, excluded.until)""",
        {"mark": mark, "until": until},
    )


def _put_event(connection: Connection, mark: bytes, expires: str) -> None:
    connection.execute(
        """INSERT INTO forgotten_events (mark, expires) VALUES (:mark, :expires)
            ON CONFLICT (mark) DO UPDATE SET expires = max(expires, excluded.expires)""",
        {"mark": mark, "expires": expires},
    )


def _after(time: str, days: int) -> str:
    """A stored time so many days later, or the last there is."""
    try:
        return stored_time((datetime.fromisoformat(time) + timedelta(days=days)).isoformat())
    except (OverflowError, ValueError):
        return time

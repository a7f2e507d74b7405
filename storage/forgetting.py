"""Units of work that erase what there is of one person, in the database and in what comes into it later.

Conversations that a person has for themselves go as a whole. Of conversations with others their turns go, with the
answers, and what was made of them: the summary, a game's state, a title in their words. What others said stays, and
what was answered to others, even where it speaks of the person.

Nothing of the turns that are erased is left to be found: the database wipes out what it deletes (`secure_delete`), and
what it has moved about before goes with the next compaction, which is asked for here (`storage.compaction`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from storage import compaction, pruning
from storage.audit import Act, Actor, record
from storage.clock import utc_in, utc_now
from storage.conversations import TITLE_LIMIT, new_id
from storage.database import Connection
from storage.holdings import Holdings, Person, conversations_of, newest, people, said_in
from storage.pruning import EVENT_DAYS, PruningList

_OPEN = "status IN ('queued', 'running')"
_THEIRS = "conversation = :number AND author = :author AND created_at <= :until"
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased, without anything of it. `person` is a pseudonym; `waiting` are conversations in which others
    wait for answers.
    """

    id: str
    at: str
    person: str
    erased: Holdings
    waiting: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scope:
    """What of a person is erased: all that is from then or before."""

    person: Person
    until: str


def silence(connection: Connection, person: Person) -> list[int]:
    """Cancel somebody's waiting turns and ask the running ones to stop; the numbers of the latter's conversations."""
    running = []
    for number in conversations_of(connection, person):
        about = {"number": number, "author": person.id, "now": utc_now()}
        connection.execute(
            """UPDATE turns SET status = 'cancelled', outcome = 'cancelled', agent_response = '', finished_at = :now
                WHERE conversation = :number AND author = :author AND status = 'queued'""",
            about,
        )
        asked = connection.execute(
            """UPDATE turns SET stop_requested = 1
                WHERE conversation = :number AND author = :author AND status = 'running'""",
            about,
        ).rowcount
        running += [number] if asked else []
    return running


def still_running(connection: Connection, person: Person) -> bool:
    """Whether an answer to somebody is being made."""
    return any(
        connection.execute(
            "SELECT 1 FROM turns WHERE conversation = :number AND author = :author AND status = 'running'",
            {"number": number, "author": person.id},
        ).fetchone()
        for number in conversations_of(connection, person)
    )


def forget(connection: Connection, person: Person, actor: Actor | None = None) -> Receipt:
    """Erase everything of a person, and remember that. `actor` is who wants it; None: the person."""
    now = utc_now()
    scope = _Scope(person, max(now, newest(connection, person)))
    numbers = conversations_of(connection, person)
    erased = _erase(connection, scope)
    name = pruning.add_person(connection, str(person), scope.until)
    receipt = Receipt(new_id(), now, name, erased, tuple(n for n in numbers if _waits(connection, n)))
    record(connection, Act(actor or Actor(name, "", "everyone"), "forget", name, _details(receipt)))
    return receipt


def apply(connection: Connection, listed: PruningList) -> Holdings:
    """Erase what is here of people who are on a list, and take the list over. For a database that was restored."""
    pruning.add(connection, listed)
    erased = Holdings()
    for person in people(connection):
        if until := listed.until(str(person)):
            erased += _erase(connection, _Scope(person, until))
            pruning.add_person(connection, str(person), until)
    return erased


def prune(connection: Connection, listed: PruningList, number: int) -> Holdings:
    """Erase from one conversation, which was imported just now, what is of people on the list."""
    rows = connection.execute(
        """SELECT platform, owner FROM conversations WHERE number = :number
            UNION SELECT conversations.platform, author FROM conversations JOIN turns ON conversation = number
                WHERE number = :number""",
        {"number": number},
    ).fetchall()
    erased = Holdings()
    for person in (Person(*row) for row in rows):
        if until := listed.until(str(person)):
            erased += _erase_in(connection, number, _Scope(person, until))
    if erased:
        compaction.ask(connection)
    return erased


def _erase(connection: Connection, scope: _Scope) -> Holdings:
    erased = Holdings()
    for number in conversations_of(connection, scope.person):
        erased += _erase_in(connection, number, scope)
    notes = connection.execute(
        "DELETE FROM notes WHERE owner = :owner AND created_at <= :until",
        {"owner": str(scope.person), "until": scope.until},
    ).rowcount
    _erase_names(connection, scope.person)
    compaction.ask(connection)
    return erased + Holdings(notes=notes)


def _erase_in(connection: Connection, number: int, scope: _Scope) -> Holdings:
    """Erase a person's part in a conversation, and the conversation if nothing else was in it."""
    about = {"number": number, "author": scope.person.id, "until": scope.until}
    said = said_in(connection, number, scope.person.id, scope.until)
    if said.messages:
        pruning.add_events(connection, _recent_events(connection, about))
        _erase_traces(connection, about)
        connection.execute(f"DELETE FROM turns WHERE {_THEIRS}", about)
    gone = connection.execute(
        """DELETE FROM conversations WHERE number = :number AND owner = :author AND started_at <= :until
            AND NOT EXISTS (SELECT 1 FROM turns WHERE conversation = :number)""",
        about,
    ).rowcount
    handed = not gone and _hand_over(connection, about)
    part = not gone and (said.messages > 0 or handed)
    return Holdings(gone, int(part), said.messages, said.pictures)


def _recent_events(connection: Connection, about: Mapping[str, object]) -> list[tuple[str, str]]:
    since = utc_in(-EVENT_DAYS * DAY_SECONDS)
    return connection.execute(
        f"SELECT event_key, created_at FROM turns WHERE {_THEIRS} AND created_at >= :since", {**about, "since": since}
    ).fetchall()


def _erase_traces(connection: Connection, about: Mapping[str, object]) -> None:
    """What a conversation keeps that was made of somebody's turns, which are still there.

    Gadgets' states do not tell of whom they are: they go if any of the turns called a gadget.
    """
    connection.execute(
        f"""UPDATE conversations SET summary = '', summarised_to = 0, forgotten = forgotten + 1,
                title = CASE WHEN owner = :author OR EXISTS (
                    SELECT 1 FROM turns WHERE {_THEIRS} AND (instr(user_message, title) OR id = (
                        SELECT min(id) FROM turns WHERE conversation = :number))
                ) THEN '' ELSE title END,
                state = CASE WHEN EXISTS (
                    SELECT 1 FROM turns JOIN steps ON steps.turn = turns.id WHERE {_THEIRS} AND steps.kind = 'result'
                ) THEN '{{}}' ELSE state END
            WHERE number = :number""",
        about,
    )


def _hand_over(connection: Connection, about: Mapping[str, object]) -> bool:
    """A conversation with others goes on as that of the first of them, under a title in their words; whether it was
    the person's own.
    """
    first = connection.execute(
        "SELECT author, author_name, user_message FROM turns WHERE conversation = :number ORDER BY id LIMIT 1", about
    ).fetchone()
    if first is None:
        return False
    author, name, message = first
    heir = {"heir": author, "name": name, "title": _title(message)}
    connection.execute(
        "UPDATE conversations SET title = :title WHERE number = :number AND title = ''", {**about, **heir}
    )
    handed = connection.execute(
        """UPDATE conversations SET owner = :heir, owner_name = :name, extras = '{}'
            WHERE number = :number AND owner = :author AND NOT EXISTS (
                SELECT 1 FROM turns WHERE conversation = :number AND author = :author)""",
        {**about, **heir},
    ).rowcount
    return handed == 1


def _title(message: str) -> str:
    lines = (line.strip() for line in message.splitlines())
    return next((line for line in lines if line), "")[:TITLE_LIMIT]


def _erase_names(connection: Connection, person: Person) -> None:
    """Where somebody is only named. What they did as an admin stays on record, under a pseudonym; what they have spent
    today goes on counting under it, so that nobody gets around a limit by being forgotten.
    """
    name = pruning.add_person(connection, str(person), "")
    about = {"platform": person.platform, "id": person.id, "person": str(person), "name": name, "today": utc_now()[:10]}
    connection.execute(
        """INSERT INTO spending (platform, whose, id, day, tokens)
            SELECT platform, whose, :name, day, tokens FROM spending
                WHERE platform = :platform AND whose = 'user' AND id = :id AND day = :today
            ON CONFLICT (platform, whose, id) DO UPDATE SET day = excluded.day, tokens = excluded.tokens
                + CASE spending.day WHEN excluded.day THEN spending.tokens ELSE 0 END""",
        about,
    )
    connection.execute("DELETE FROM spending WHERE platform = :platform AND whose = 'user' AND id = :id", about)
    connection.execute("UPDATE audit SET actor = :name, actor_name = '' WHERE actor = :person", about)
    connection.execute("UPDATE audit SET target = :name WHERE target = :person", about)
    connection.execute(
        """UPDATE audit SET details = replace(details, '"' || :person || '"', '"' || :name || '"')
            WHERE instr(details, '"' || :person || '"')""",
        about,
    )
    connection.execute(
        """UPDATE approvals SET decided_by = :name WHERE decided_by = :id AND EXISTS (
            SELECT 1 FROM turns JOIN conversations ON number = conversation
                WHERE turns.id = approvals.turn AND conversations.platform = :platform)""",
        about,
    )


def _waits(connection: Connection, number: int) -> bool:
    found = connection.execute(
        f"SELECT 1 FROM turns WHERE conversation = :number AND {_OPEN} LIMIT 1", {"number": number}
    ).fetchone()
    return found is not None


def _details(receipt: Receipt) -> dict[str, int | str]:
    erased = receipt.erased
    return {
        "receipt": receipt.id,
        "missions": erased.missions,
        "shared": erased.shared,
        "messages": erased.messages,
        "pictures": erased.pictures,
        "notes": erased.notes,
    }

"""Units of work on the rolling summary of a conversation, which stands for the turns that have left the window."""

from dataclasses import dataclass

from storage.database import Connection
from storage.turns import REMEMBERED


@dataclass(frozen=True, slots=True)
class Said:
    """A remembered turn that no summary tells of yet. Its texts are cut to their beginnings."""

    turn: int
    author_name: str
    user_message: str
    agent_response: str


def unsummarised(connection: Connection, conversation: int, *, limit: int, characters: int) -> list[Said]:
    """The oldest `limit` remembered turns behind the summary, oldest first, `characters` of each text."""
    rows = connection.execute(
        f"""SELECT id, author_name, substr(user_message, 1, :characters), substr(agent_response, 1, :characters)
            FROM turns
            WHERE conversation = :conversation AND {REMEMBERED}
                AND id > (SELECT summarised_to FROM conversations WHERE number = :conversation)
            ORDER BY id LIMIT :limit""",
        {"conversation": conversation, "limit": limit, "characters": characters},
    ).fetchall()
    return [Said(*row) for row in rows]


def read(connection: Connection, conversation: int) -> str:
    """Empty where there is none, or no conversation any more."""
    row = connection.execute(
        "SELECT summary FROM conversations WHERE number = :number", {"number": conversation}
    ).fetchone()
    return str(row[0]) if row else ""


def forgotten(connection: Connection, conversation: int) -> int:
    """How often somebody was forgotten in a conversation; -1 for one that is gone."""
    row = connection.execute(
        "SELECT forgotten FROM conversations WHERE number = :number", {"number": conversation}
    ).fetchone()
    return int(row[0]) if row else -1


def replace(connection: Connection, conversation: int, summary: str, reach: int | None = None) -> None:
    """Store a summary; with `reach`, it tells of the turns up to that one from now on."""
    connection.execute(
        """UPDATE conversations SET summary = :summary, summarised_to = coalesce(:reach, summarised_to)
            WHERE number = :number""",
        {"number": conversation, "summary": summary, "reach": reach},
    )

"""Units of work on approvals: the questions whether a gadget may run, for which a turn is paused.

A question that was shown and has no verdict keeps its turn from being claimed (see `storage.turns.claim`) until it is
decided or expires, or its turn is asked to stop. Whatever decides it does so once, in one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from storage.clock import utc_in, utc_now
from storage.database import Connection
from storage.errors import Fenced

Verdict = Literal["approved", "declined", "expired", "withdrawn"]
"""`expired`: nobody decided in time. `withdrawn`: the turn ended before anybody did."""
Word = Literal["approved", "declined"]
"""What people decide."""

PAUSES = """EXISTS (SELECT 1 FROM approvals WHERE approvals.turn = turns.id AND verdict IS NULL
                AND remote_id IS NOT NULL AND expires_at > :now AND turns.stop_requested = 0)"""
"""Of a row of `turns`: it is paused."""
_WAITING = """approvals.verdict IS NULL AND approvals.expires_at > :now AND turns.status = 'running'
                AND turns.outcome IS NULL AND turns.stop_requested = 0"""
_COLUMNS = """approvals.id, approvals.turn, turns.conversation, approvals.round, approvals.call, approvals.gadget,
                approvals.arguments, approvals.asked_at, approvals.expires_at, approvals.remote_id,
                approvals.verdict, approvals.decided_by, turns.author, turns.author_name, conversations.platform,
                conversations.workspace"""
_JOINED = """approvals JOIN turns ON turns.id = approvals.turn
                JOIN conversations ON conversations.number = turns.conversation"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A gadget's call that needs an approval; `arguments` is the text that people are shown of them."""

    round: int
    call: int
    gadget: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One question. `asker` is who wrote the message that led to it. A verdict of None: it is undecided; a remote id of
    None: it was not shown yet.
    """

    id: int
    turn: int
    conversation: int
    round: int
    call: int
    gadget: str
    arguments: str
    asked_at: str
    expires_at: str
    remote_id: str | None
    verdict: Verdict | None
    decided_by: str | None
    asker: str
    asker_name: str
    platform: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of somebody's word. `counts`: it is the one that decided; `approval` is as it is afterwards. A word
    that does not count is false.
    """

    approval: Approval
    counts: bool

    def __bool__(self) -> bool:
        return self.counts


def ask(connection: Connection, turn: int, attempt: int, wanted: Wanted, seconds: float) -> Approval:
    """Record a question that can be decided for so many seconds, or find it recorded by an attempt before this one.

    Raises Fenced.
    """
    row = connection.execute(
        """INSERT INTO approvals (turn, round, call, gadget, arguments, asked_at, expires_at)
            SELECT id, :round, :call, :gadget, :arguments, :now, :expires_at FROM turns
            WHERE id = :turn AND attempt = :attempt AND status = 'running' AND outcome IS NULL
            ON CONFLICT (turn, round, call) DO UPDATE
                SET pauses = approvals.pauses + CASE WHEN approvals.verdict IS NULL THEN 1 ELSE 0 END
            RETURNING id""",
        {
            "turn": turn,
            "attempt": attempt,
            "round": wanted.round,
            "call": wanted.call,
            "gadget": wanted.gadget,
            "arguments": wanted.arguments,
            "now": utc_now(),
            "expires_at": utc_in(seconds),
        },
    ).fetchone()
    if row is None:
        raise Fenced
    return _get(connection, row[0])


def shown(connection: Connection, approval: int, attempt: int, remote_id: str) -> None:
    """Remember where a question stands: from now on its turn is paused. Raises Fenced."""
    remembered = connection.execute(
        """UPDATE approvals SET remote_id = :remote_id WHERE id = :approval
            AND EXISTS (SELECT 1 FROM turns WHERE id = turn AND attempt = :attempt AND status = 'running')""",
        {"approval": approval, "attempt": attempt, "remote_id": remote_id},
    ).rowcount
    if remembered != 1:
        raise Fenced


def decide(connection: Connection, approval: int, word: Word, who: str, *, admin: bool) -> Decision | None:
    """Decide a question for whoever asked, or for an admin; None where `who` is neither.

    Of all decisions of one question at most one counts, and none when it has expired or its turn is about to end.
    """
    before = _get(connection, approval)
    if who != before.asker and not admin:
        return None
    decided = connection.execute(
        """UPDATE approvals SET verdict = :verdict, decided_by = :who, decided_at = :now
            WHERE id = :approval AND verdict IS NULL AND expires_at > :now
                AND EXISTS (SELECT 1 FROM turns WHERE id = turn AND status = 'running' AND outcome IS NULL
                    AND stop_requested = 0)""",
        {"approval": approval, "verdict": word, "who": who, "now": utc_now()},
    ).rowcount
    return Decision(_get(connection, approval), counts=decided == 1)


def give_up(connection: Connection, approval: int, attempt: int) -> None:
    """Let a question expire that nobody can be asked. Raises Fenced."""
    expired = connection.execute(
        """UPDATE approvals SET verdict = 'expired', decided_at = :now WHERE id = :approval AND verdict IS NULL
            AND EXISTS (SELECT 1 FROM turns WHERE id = turn AND attempt = :attempt AND status = 'running')""",
        {"approval": approval, "attempt": attempt, "now": utc_now()},
    ).rowcount
    if expired != 1 and _get(connection, approval).verdict is None:
        raise Fenced


def settle(connection: Connection, turn: int, now: str) -> None:
    """Decide what nobody did, for a turn that is claimed now: what expired, and everything if it is to end."""
    connection.execute(
        """UPDATE approvals SET decided_at = :now, verdict = CASE WHEN expires_at <= :now THEN 'expired'
                ELSE 'withdrawn' END
            WHERE turn = :turn AND verdict IS NULL
                AND (expires_at <= :now OR (SELECT stop_requested FROM turns WHERE id = :turn) = 1)""",
        {"turn": turn, "now": now},
    )


def verdicts(connection: Connection, turn: int) -> dict[tuple[int, int], Verdict]:
    """What was decided of a turn's calls: (round, call) → verdict."""
    rows = connection.execute(
        "SELECT round, call, verdict FROM approvals WHERE turn = :turn AND verdict IS NOT NULL", {"turn": turn}
    ).fetchall()
    return {(round_, call): verdict for round_, call, verdict in rows}


def pauses(connection: Connection, turn: int) -> int:
    """How many attempts at a turn ended with a question, and so did not fail."""
    row = connection.execute("SELECT coalesce(sum(pauses), 0) FROM approvals WHERE turn = :turn", {"turn": turn})
    return int(row.fetchone()[0])


def get(connection: Connection, approval: int) -> Approval | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE approvals.id = :approval", {"approval": approval}
    ).fetchone()
    return _approval(row) if row else None


def waiting(connection: Connection, conversation: int) -> Approval | None:
    """The question that a conversation's next turn waits for."""
    row = connection.execute(
        f"""SELECT {_COLUMNS} FROM {_JOINED}
            WHERE turns.conversation = :conversation AND {_WAITING} ORDER BY approvals.id LIMIT 1""",
        {"conversation": conversation, "now": utc_now()},
    ).fetchone()
    return _approval(row) if row else None


def next_expiry(connection: Connection, conversation: int) -> str | None:
    """When a conversation that is paused has to be looked at again; also where another process has ended the pause."""
    row = connection.execute(
        """SELECT min(approvals.expires_at) FROM approvals JOIN turns ON turns.id = approvals.turn
            WHERE turns.conversation = :conversation AND turns.status = 'running' AND approvals.verdict IS NULL""",
        {"conversation": conversation},
    ).fetchone()
    return row[0] if row else None


def _get(connection: Connection, approval: int) -> Approval:
    found = get(connection, approval)
    assert found is not None
    return found


def _approval(row: Sequence[Any]) -> Approval:
    return Approval(*row)

"""Units of work on the audit log: who used power over what is not theirs, or took it out.

A row is written by the unit of work that does the act, so that both are kept or neither is. What was said never goes
into it: targets are ids, details are counts, formats and dates.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.clock import utc_now
from storage.database import Connection, P, R, Unit

_COLUMNS = "id, at, actor, actor_name, role, act, target, details"
Detail = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `id` is a platform and its id of the person (`discord:123`), or `operator:` and the name of an account
    of this machine; `role` is what they were at that moment.
    """

    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Act:
    """What is done. `act` is a verb (`export`, `end`, `forget`); `target` the id of a mission, a person
    (`discord:123`), a file or `all`.
    """

    actor: Actor
    act: str
    target: str
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row. `at` is UTC."""

    id: int
    at: str
    act: Act


def record(connection: Connection, act: Act) -> int:
    """Record an act, in the transaction in which it is done; the number of its row."""
    row = connection.execute(
        """INSERT INTO audit (at, actor, actor_name, role, act, target, details)
            VALUES (:at, :actor, :actor_name, :role, :act, :target, :details) RETURNING id""",
        {
            "at": utc_now(),
            "actor": act.actor.id,
            "actor_name": act.actor.name,
            "role": act.actor.role,
            "act": act.act,
            "target": act.target,
            "details": json.dumps(dict(act.details), ensure_ascii=False),
        },
    ).fetchone()
    number: int = row[0]
    return number


def recorded(connection: Connection, act: Act | None, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Another unit of work and, if it did anything, the record of it; without an act, only that unit.

    It did nothing if what it returns is false.
    """
    result = unit(connection, *args, **kwargs)
    if act is not None and result:
        record(connection, act)
    return result


def recent(connection: Connection, *, limit: int, before: int | None = None) -> list[Recorded]:
    """Newest first; `before` is the `id` of the last one of the page before."""
    where = "WHERE id < :before" if before is not None else ""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM audit {where} ORDER BY id DESC LIMIT :limit", {"limit": limit, "before": before}
    ).fetchall()
    return [Recorded(row[0], row[1], Act(Actor(*row[2:5]), row[5], row[6], json.loads(row[7]))) for row in rows]

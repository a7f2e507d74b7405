"""The pages of an export: units of work that fill them, a read each.

They run in the reader's thread, so that encoding a page does not hold up the loop; and they are short, because others
read, too.
"""

import time
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from storage import logged
from storage.database import Connection
from storage.export_layouts import Layout
from storage.logged import TurnChoice
from storage.mission_log import LoggedMessage

PAGE_BYTES = 2_000_000
"""A page is full when it is longer than this; so memory holds two pages and a few turns, not the log."""
READ_SECONDS = 0.05
"""After so long, a page is done however little is on it: of what a choice leaves out, nothing is."""
CHOSEN_AT_ONCE = 100
"""Conversations that are looked through at a time where a choice may leave their turns out."""
_ALL_AT_ONCE = 2**62

_Told = tuple[int, int, LoggedMessage]


@dataclass(frozen=True, slots=True)
class Rest:
    """The conversations `first` to `last`; of the first one, unless `after` is None, only what is behind that turn."""

    first: int
    last: int
    after: int | None = None


class Ahead:
    """What is not written yet: runs of consecutive conversation numbers, in 16 bytes each however many there are."""

    def __init__(self, numbers: Iterable[tuple[int, int]]) -> None:
        self._bounds = array("q")
        for first, last in numbers:
            if self._bounds and self._bounds[-1] == first - 1:
                self._bounds[-1] = last
            else:
                self._bounds.extend((first, last))
        self._bounds.reverse()
        self._begun: Rest | None = None

    def pop(self) -> Rest | None:
        rest, self._begun = self._begun, None
        if rest is None and self._bounds:
            rest = Rest(self._bounds.pop(), self._bounds.pop())
        return rest

    def put_back(self, rest: Rest | None) -> None:
        """What was left of the popped one."""
        self._begun = rest

    def runs(self) -> Iterator[tuple[int, int]]:
        """The numbers, in order, while nothing was popped yet."""
        ascending = iter(reversed(self._bounds))
        return zip(ascending, ascending, strict=True)


class Work:
    """One export: what is ahead, which of its turns are chosen, how it is laid out, what was written."""

    def __init__(self, ahead: Ahead, choice: TurnChoice, layout: Layout) -> None:
        self.ahead = ahead
        self.choice = choice
        self.layout = layout
        self.conversations = 0
        self.turns = 0
        self.at_once = CHOSEN_AT_ONCE if choice.condition else _ALL_AT_ONCE


def filled(connection: Connection, work: Work) -> bytearray | None:
    """The next page, which may be empty; None when there is none."""
    rest, page = work.ahead.pop(), bytearray()
    if rest is None:
        return None
    over = time.monotonic() + READ_SECONDS
    while rest is not None:
        work.ahead.put_back(_fill(connection, rest, work, page))
        rest = work.ahead.pop() if len(page) <= PAGE_BYTES and time.monotonic() < over else None
    return page


def _fill(connection: Connection, rest: Rest, work: Work, page: bytearray) -> Rest | None:
    """Add to the page until it is full; what is left then."""
    end = min(rest.last, rest.first + work.at_once - 1)
    messages = logged.Messages(connection, rest.first, end, after=rest.after or 0, choice=work.choice)
    for told in logged.conversations(connection, rest.first, end):
        begun = rest.after is not None and told.number == rest.first
        found = messages.of(told.number) if begun else _opened(page, told, messages.of(told.number), work)
        if found is None:
            continue
        last = _add(page, found, work)
        if last is not None:
            return Rest(told.number, rest.last, last)
        work.layout.close(page, told)
        if len(page) > PAGE_BYTES:
            return Rest(told.number + 1, rest.last)
    return Rest(end + 1, rest.last) if end < rest.last else None


def _opened(
    page: bytearray, told: logged.LoggedConversation, messages: Iterator[_Told], work: Work
) -> Iterator[_Told] | None:
    """The messages of a conversation that is open now; None, and it is left out, when the choice leaves it none."""
    if work.choice.condition:
        first = next(messages, None)
        if first is None:
            return None
        messages = chain((first,), messages)
    work.layout.open(page, told)
    work.conversations += 1
    return messages


def _add(page: bytearray, messages: Iterator[_Told], work: Work) -> int | None:
    """Add messages until the page is full; then the turn id of the last one."""
    add = work.layout.add
    for _, turn, message in messages:
        add(page, message)
        work.turns += 1
        if len(page) > PAGE_BYTES:
            return turn
    return None


def listed(connection: Connection, work: Work, rest: Rest) -> tuple[bytearray, int]:
    """A page of the list of conversations, of some from `rest.first` on, and the number behind the last of them."""
    page, end = bytearray(), min(rest.last, rest.first + CHOSEN_AT_ONCE - 1)
    for told in logged.conversations(connection, rest.first, end):
        if not work.choice.condition or _any(connection, told.number, work.choice):
            work.layout.entry(page, told)
    return page, end + 1


def _any(connection: Connection, number: int, choice: TurnChoice) -> bool:
    found = connection.execute(
        f"SELECT 1 FROM turns WHERE conversation = :number AND ({choice.condition}) LIMIT 1",
        {"number": number, **choice.parameters},
    ).fetchone()
    return found is not None


def turn_count(connection: Connection, work: Work) -> int:
    """How many turns the export will have, as far as can be told now."""
    where = f" AND ({work.choice.condition})" if work.choice.condition else ""
    sql = f"SELECT count(*) FROM turns WHERE conversation BETWEEN :first AND :last{where}"
    return sum(
        connection.execute(sql, {"first": first, "last": last, **work.choice.parameters}).fetchone()[0]
        for first, last in work.ahead.runs()
    )

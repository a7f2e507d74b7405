"""What is restored into the database, whoever wrote it: a log in the terms of the mission log."""

from collections.abc import Iterator
from typing import Protocol

from storage.mission_log import LoggedHead, LoggedMessage, LoggedTail, LoggedTurn


class ToldConversation(Protocol):
    """A conversation of a log, complete in our terms.

    `kept` counts what of it was not understood and is kept as it was. `by_content`: its id is a hash of what it says,
    so that a conversation of this id is this one, whatever has become of it here.
    """

    @property
    def head(self) -> LoggedHead: ...

    @property
    def tail(self) -> LoggedTail: ...

    @property
    def kept(self) -> int: ...

    @property
    def by_content(self) -> bool: ...

    def messages(self) -> Iterator[tuple[LoggedMessage, LoggedTurn]]:
        """Each message and its `turn`. Raises ImportRefused. It can be asked for again."""
        ...


class ToldLog(Protocol):
    def conversations(self) -> Iterator[ToldConversation]:
        """Raises ImportRefused. It can be asked for again."""
        ...

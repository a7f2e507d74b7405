"""How far a connection's messages were handled, and what is held back until those before it are."""

from collections.abc import Callable


class Held:
    """What is heard at the beginning of a shard's session, or of a server, until what was missed before it is in its
    place. Shards and servers are known by their numbers, which are never the same.
    """

    def __init__(self) -> None:
        self._events: dict[int, list[Callable[[], None]]] = {}

    def hold(self, whose: int) -> None:
        self._events.setdefault(whose, [])

    def hear(self, event: Callable[[], None], *whose: int) -> None:
        """Let it happen now, or when all of them are released."""
        for each in whose:
            if each in self._events:
                self._events[each].append(lambda: self.hear(event, *whose))
                return
        event()

    def release(self, whose: int) -> None:
        for event in self._events.pop(whose, []):
            event()


class Progress:
    """Up to which message everything was handled, over all channels: ids (snowflakes) are ordered by time."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._newest = 0

    def begin(self, message: int) -> None:
        self._open.add(message)

    def done(self, message: int) -> None:
        self._open.discard(message)
        self._newest = max(self._newest, message)

    @property
    def position(self) -> int:
        """0 before the first message."""
        return min(self._newest, min(self._open) - 1) if self._open else self._newest

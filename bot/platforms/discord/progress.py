"""How far a connection's messages were handled, and what is held back until those before it are."""

from collections.abc import Callable


class Held:
    """What shards hear at the beginning of a session, until what they missed before it is in its place."""

    def __init__(self) -> None:
        self._events: dict[int, list[Callable[[], None]]] = {}

    def hold(self, shard: int) -> None:
        self._events.setdefault(shard, [])

    def hear(self, shard: int, event: Callable[[], None]) -> None:
        """Let it happen now, or when its shard is released."""
        if shard in self._events:
            self._events[shard].append(event)
        else:
            event()

    def release(self, shard: int) -> None:
        for event in self._events.pop(shard, []):
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

"""What was carried out already: Slack says some things twice."""

MAX_SEEN = 1_000


class Seen:
    """The last things that were done."""

    def __init__(self, most: int = MAX_SEEN) -> None:
        self._most = most
        self._keys: dict[str, None] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        self._keys[key] = None
        if len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]

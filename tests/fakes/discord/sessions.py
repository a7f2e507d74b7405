"""A gateway session outlives its connections: what it was sent is kept, to be sent again after a RESUME."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.fakes.discord.intents import Intent

KEPT = 20_000
"""Dispatches that a session can replay."""


class Line(Protocol):
    """What a session is connected by."""

    def send(self, text: str) -> None: ...


@dataclass(slots=True, eq=False)
class Session:
    intents: Intent
    shard: tuple[int, int]
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    seq: int = 0
    line: Line | None = None
    ended: bool = False
    _sent: list[tuple[int, str]] = field(default_factory=list)

    def dispatch(self, event: str, data: Any) -> None:
        self.seq += 1
        text = json.dumps({"op": 0, "t": event, "s": self.seq, "d": data})
        self._sent.append((self.seq, text))
        del self._sent[:-KEPT]
        if self.line is not None:
            self.line.send(text)

    def replay(self, line: Line, seq: int) -> None:
        """Take over `line` and send everything after `seq`."""
        self.line = line
        for number, text in self._sent:
            if number > seq:
                line.send(text)

    def can_resume(self, seq: int) -> bool:
        kept_from = self._sent[0][0] if self._sent else 1
        return not self.ended and kept_from - 1 <= seq <= self.seq

    def serves(self, guild: int | None) -> bool:
        """Direct messages go to shard 0, a guild's events to the shard of its id."""
        number, count = self.shard
        return (0 if guild is None else (guild >> 22) % count) == number

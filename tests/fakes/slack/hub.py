"""What every part of the fake shares: time, randomness, deliveries, switches, and the list of violations."""

import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.slack.changes import Changes
from tests.fakes.slack.clock import Clock
from tests.fakes.slack.delivery import Dispatcher

SUBSCRIPTIONS = frozenset(
    {
        "agent_session_stopped",
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "tokens_revoked",
    }
)
MentionOrder = Literal["mention_first", "message_first", "random"]


@dataclass(slots=True)
class Hub:
    """`base` is the server's address without a slash at the end."""

    clock: Clock
    changes: Changes
    rng: random.Random
    dispatcher: Dispatcher
    violations: list[str]
    app_id: str = "A0APP"
    app_token: str = "xapp-1-A0APP-1-fake"
    base: str = ""
    subscriptions: set[str] = field(default_factory=lambda: set(SUBSCRIPTIONS))
    mention_order: MentionOrder = "random"
    echo: bool = True
    """Whether the bot hears of its own messages, as in Slack."""
    triggers: dict[str, float] = field(default_factory=dict)
    """Unused trigger ids and when they were given out."""
    _last: int = 0

    def next_ts(self) -> str:
        """A message timestamp, later than every earlier one."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06}"

    def next_id(self, prefix: str) -> str:
        return f"{prefix}{uuid.uuid4().hex[:10].upper()}"

    def trigger(self) -> str:
        made = f"{self.rng.randrange(10**12)}.{self.rng.randrange(10**12)}.{uuid.uuid4().hex}"
        self.triggers[made] = self.clock.now()
        return made

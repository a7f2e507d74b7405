"""Counts and times. Labels have few values: platforms, providers, outcomes, gadgets; never people or places."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from bot.errors import PlatformError, PlatformGone
from bot.observing.figures import UNITS, Counts, Spread

OUTCOMES = ("answered", "failed", "stopped", "cancelled")
UNKNOWN = "unknown"


class Metrics:
    """The figures of one running bot; whoever takes part is given these, and tells them what happened.

    Stages of a turn: `queued` (admitted to claimed), `first_post` (claimed to the first message), `model_first_token`
    and `model` (one call of the model), `gadget` (one call), `delivery` (the final parts), `turn` (admitted to closed).
    """

    def __init__(self) -> None:
        self.turns = Counts("secret_agents_turns", "Turns that ended.", "platform", "outcome")
        self.stages = Spread("secret_agents_stage_seconds", "How long a stage of a turn took.", "stage")
        self.model = Spread("secret_agents_model_seconds", "Calls of the language model.", "provider", "result")
        self.tokens = Counts("secret_agents_model_tokens", "Tokens, as the provider counts them.", "provider", "kind")
        self.gadgets = Counts("secret_agents_gadget_calls", "Calls of gadgets.", "gadget", "result")
        self.platform_errors = Counts(
            "secret_agents_platform_errors", "Calls of a chat platform that failed.", "platform", "kind"
        )
        self.rate_limits = Counts("secret_agents_platform_rate_limits", "Answers 429 of a chat platform.", "platform")
        self.batch_units = Spread(
            "secret_agents_database_batch_units", "Units of work that shared a transaction.", bounds=UNITS
        )
        self.batch_seconds = Spread("secret_agents_database_batch_seconds", "How long a transaction took.")
        self.batch_errors = Counts("secret_agents_database_errors", "Transactions that failed.")
        self.batch_errors.add(amount=0)
        self.stores = True
        """Whether the database took what was written last."""

    @property
    def counts(self) -> Sequence[Counts]:
        return (self.turns, self.tokens, self.gadgets, self.platform_errors, self.rate_limits, self.batch_errors)

    @property
    def spreads(self) -> Sequence[Spread]:
        return (self.stages, self.model, self.batch_units, self.batch_seconds)

    def expect(self, platforms: Sequence[str]) -> None:
        """These are told with zeros from the beginning: a rate needs something to begin at."""
        for platform in platforms:
            self.rate_limits.add(platform, amount=0)
            for outcome in OUTCOMES:
                self.turns.add(platform, outcome, amount=0)

    def batch(self, units: int, seconds: float, failed: bool) -> None:
        """Told by the database's thread."""
        self.batch_units.add(units)
        self.batch_seconds.add(seconds)
        self.batch_errors.add(amount=failed)
        self.stores = not failed

    def claimed(self, created_at: str) -> None:
        """A turn that was admitted at this time (as stored) is worked on."""
        self.stages.add(since(created_at), "queued")

    def closed(self, platform: str, outcome: str, created_at: str) -> None:
        self.turns.add(platform, outcome)
        self.stages.add(since(created_at), "turn")

    @contextmanager
    def calling(self, platform: str) -> Iterator[None]:
        """Counts the block's failure."""
        try:
            yield
        except PlatformError as error:
            self.platform_errors.add(platform, "gone" if isinstance(error, PlatformGone) else "error")
            raise

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Times the block, if it succeeds."""
        began = time.monotonic()
        yield
        self.stages.add(time.monotonic() - began, stage)


def since(stored: str) -> float:
    """Seconds from a stored time to now, by the wall clock; 0 where that was set back, or is no time."""
    try:
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(stored)).total_seconds())
    except ValueError:
        return 0.0

"""How long missions are kept: `[retention]`."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from bot.settings.sections import Section, auto_is_none
from storage.retention import Policy

Days = Annotated[int, Field(ge=0, le=36_500)]
OwnDays = Annotated[Days | None, BeforeValidator(auto_is_none)]
"""`"auto"`, which is None here, is as everywhere else."""


class Retention(Section):
    """How many days missions are kept after their last message; then they are removed with all that belongs to them.
    0: for ever. `secret-agents retention --dry-run` tells what would go. Nothing goes while somebody waits for an
    answer, nor at once when the clock is a week ahead of when it was last looked at.
    """

    days: Days = 0
    """On every platform that has no days of its own below."""
    discord: OwnDays = None
    """On Discord; "auto": as days says."""
    slack: OwnDays = None
    """In Slack, likewise."""
    web: OwnDays = None
    """On the page."""
    terminal: OwnDays = None
    """In the terminal."""
    unended: bool = False
    """Whether missions that nobody ended go as well. Few people end theirs."""

    @property
    def policy(self) -> Policy:
        own = {"discord": self.discord, "slack": self.slack, "web": self.web, "terminal": self.terminal}
        given = {platform: days for platform, days in own.items() if days is not None}
        return Policy(self.days, given, unended=self.unended)

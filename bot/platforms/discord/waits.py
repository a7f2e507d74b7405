"""How long Discord is waited for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """In seconds."""

    call: float = 30.0
    """For one call of the core, Discord's rate limits included; then it is tried again."""
    retry: float = 1.0
    """Before the first attempt to connect again; longer before each further one."""
    identify: float = 5.0
    """Before a new session, which Discord grants that often."""
    guilds: float = 2.0
    """After the last server that Discord told of, until a session is taken for complete."""
    close: float = 2.0
    """For Discord to say goodbye."""


USUAL = Waits()

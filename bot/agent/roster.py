"""The agents there are. An agent is configuration: a persona, what it may use, how it speaks."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import UnknownAgent


@dataclass(frozen=True, slots=True)
class Profile:
    """One agent. `gadgets` are names from the catalogue; `temperature` None = the model's setting."""

    name: str
    description: str
    prompt: str
    gadgets: tuple[str, ...]
    temperature: float | None = None


class Roster:
    """The configured agents, and the one that answers when nobody asked for another."""

    def __init__(self, profiles: Mapping[str, Profile], default: str) -> None:
        self._profiles = dict(profiles)
        self.default = default

    @property
    def profiles(self) -> tuple[Profile, ...]:
        return tuple(self._profiles.values())

    def get(self, name: str) -> Profile:
        """Raises UnknownAgent, whose message lists the known ones."""
        profile = self._profiles.get(name.lower())
        if profile is None:
            raise UnknownAgent(f"There is no agent called {name[:40]!r}. The agents are: {', '.join(self._profiles)}.")
        return profile

    def answering(self, name: str) -> Profile:
        """The agent of a stored conversation; the default one if that agent was removed from the configuration."""
        return self._profiles.get(name) or self._profiles[self.default]

"""The agents there are. An agent is configuration: a persona, what it may use, how it speaks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import UnknownAgent

AUTO = "auto"
"""In place of an agent's name: the model chooses one by the first message (see bot.agent.choice)."""
_ADDRESS = re.compile(r"([a-z][a-z0-9_-]{0,31}):", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Profile:
    """One agent. `gadgets` are names from the catalogue; `temperature` None = the model's setting.

    `model` is another model of the configured provider, empty for the configured one.
    """

    name: str
    description: str
    prompt: str
    gadgets: tuple[str, ...]
    temperature: float | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message as it is meant: the name of the agent that it opens with, or None, and the words to that agent."""

    agent: str | None
    text: str


class Roster:
    """The configured agents, and the one that answers when nobody asked for another: its name, or AUTO."""

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

    def wanted(self, name: str | None) -> str:
        """What a new conversation stores as its agent when `name` was asked for, or nobody. Raises UnknownAgent."""
        return self.default if not name or name.lower() == self.default else self.get(name).name

    def answering(self, name: str) -> Profile | None:
        """The agent of a stored conversation; the default one if that was removed from the configuration.

        None when it has yet to be chosen.
        """
        return self._profiles.get(name) or self._profiles.get(self.default)

    def addressed(self, text: str) -> Addressed:
        """`Taskmaster: go` is "go" to the taskmaster. Any other word before a colon is just text.

        A name with nothing behind it hands over, too, and stays what is said.
        """
        found = _ADDRESS.match(text)
        name = found[1].lower() if found else ""
        if found is None or name not in self._profiles:
            return Addressed(None, text)
        return Addressed(name, text[found.end() :].lstrip() or text)

"""Who may talk to the bot where, and which roles of servers stand for more rights: as the settings have it. Pure."""

from dataclasses import dataclass

from bot.settings.sections import Discord
from gadgets.roles import Role


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody in a place. `guild` and `roles` are empty in a direct message; `channels` holds the thread, the channel
    and its category, whichever exist.
    """

    user: int
    guild: int | None
    channels: frozenset[int]
    roles: frozenset[int] = frozenset()
    automatic: bool = False
    """A bot, or a webhook."""


class Access:
    """Deny wins. An empty allow list allows everyone; of users and roles one of both lists has to allow."""

    def __init__(self, settings: Discord) -> None:
        self._direct_messages = settings.direct_messages
        self._answer_bots = settings.answer_bots
        self._allow_users, self._deny_users = _ids(settings.allow_users), _ids(settings.deny_users)
        self._allow_roles, self._deny_roles = _ids(settings.allow_roles), _ids(settings.deny_roles)
        self._allow_channels, self._deny_channels = _ids(settings.allow_channels), _ids(settings.deny_channels)
        self._allow_guilds, self._deny_guilds = _ids(settings.allow_guilds), _ids(settings.deny_guilds)
        self._operator_roles, self._member_roles = _ids(settings.operator_roles), _ids(settings.member_roles)

    def role(self, roles: frozenset[int]) -> Role:
        """What somebody with these roles is in the server that they are of. `admin` is none of them: Discord tells."""
        return "operator" if roles & self._operator_roles else "member" if roles & self._member_roles else "everyone"

    def admits(self, visitor: Visitor) -> bool:
        if visitor.automatic and not self._answer_bots:
            return False
        return self._admits_place(visitor) and self._admits_person(visitor)

    def _admits_place(self, visitor: Visitor) -> bool:
        if visitor.guild is None:
            return self._direct_messages and not visitor.channels & self._deny_channels
        if visitor.guild in self._deny_guilds or visitor.channels & self._deny_channels:
            return False
        guild_allowed = not self._allow_guilds or visitor.guild in self._allow_guilds
        return guild_allowed and (not self._allow_channels or bool(visitor.channels & self._allow_channels))

    def _admits_person(self, visitor: Visitor) -> bool:
        if visitor.user in self._deny_users or visitor.roles & self._deny_roles:
            return False
        if visitor.user in self._allow_users:
            return True
        if visitor.guild is None and (self._allow_roles or self._deny_roles):
            return False  # nobody's roles are known in a direct message, so no rule about roles can be kept there
        if not self._allow_users and not self._allow_roles:
            return True
        return bool(visitor.roles & self._allow_roles)


def _ids(texts: tuple[str, ...]) -> frozenset[int]:
    return frozenset(int(text) for text in texts)

"""Who may do what: `[admins]`, `[operators]`, `[members]`, `[commands]`."""

from collections.abc import Iterator

from bot.settings.sections import Section, Texts
from gadgets.roles import Role


class People(Section):
    """Ids of people, by platform."""

    discord: Texts = ()
    """Discord user ids."""
    slack: Texts = ()
    """Slack user ids."""
    web: Texts = ()
    """Web user ids."""


class Admins(People):
    """Who may end and read other people's missions, and use what is for admins: ids in quotes, as the platform shows
    them. Administrators of a Discord server or a Slack workspace are admins there, and whoever uses the terminal is an
    admin.
    """


class Operators(People):
    """Who may use gadgets and commands that are for operators, beside admins. [discord] operator_roles names roles."""


class Members(People):
    """Who may use gadgets and commands that are for members, beside operators and admins. [discord] member_roles
    names roles.
    """


class CommandRoles(Section):
    """Who may use which /mission command: everyone, member, operator or admin; by buttons and on the page, too."""

    new: Role = "everyone"
    """Beginning a fresh mission by command. Whoever talks to the bot where there is none begins one, too."""
    list: Role = "everyone"
    """One's own missions."""
    show: Role = "everyone"
    """Missions of the channel and one's own."""
    end: Role = "everyone"
    """One's own missions."""
    stop: Role = "everyone"
    """Answers to anyone in the channel."""
    approve: Role = "everyone"
    """What one's own messages led to; admins: everybody's."""
    decline: Role = "everyone"
    """Likewise."""
    export: Role = "admin"
    """The missions that one may show. All missions at once are for admins only, whatever this says."""

    forget: Role = "everyone"
    """What there is of oneself: seeing it, getting it as a file, having it erased. [admins] may do it for others."""

    def items(self) -> Iterator[tuple[str, Role]]:
        """Command and role."""
        return ((name, getattr(self, name)) for name in type(self).model_fields)

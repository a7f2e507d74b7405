"""Everything there is, and finding it. Changes that people or the bot see happen in `changes.py`."""

from dataclasses import dataclass

from tests.fakes.discord.errors import DiscordError
from tests.fakes.discord.permissions import ALL, EVERYONE, P, permissions_of
from tests.fakes.discord.snowflakes import Clock, Snowflakes
from tests.fakes.discord.state import Channel, Guild, Kind, Member, Message, Overwrite, Role, User


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds after which Discord forgets."""

    interaction: float = 3.0
    interaction_token: float = 900.0
    nonce: float = 180.0
    attachment: float = 86_400.0
    file_bytes: int = 10 * 1024 * 1024


class World:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.clock = Clock()
        self.ids = Snowflakes(self.clock)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.bot = self.add_user("secret-agents", bot=True)
        self.owner = self.add_user("operator")
        self.application_id = self.bot.id
        self.nonces: dict[tuple[int, int, str], Message] = {}

    def add_user(self, name: str, *, bot: bool = False) -> User:
        user = User(self.ids.next(), name, bot)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, owner: User) -> Guild:
        guild = Guild(self.ids.next(), name, owner)
        guild.roles[guild.id] = Role(guild.id, "@everyone", EVERYONE, 0)
        self.guilds[guild.id] = guild
        self.add_member(guild, owner)
        managed = self.add_role(guild, self.bot.name, 0)
        managed.bot_id = self.bot.id
        self.add_member(guild, self.bot).roles.append(managed)
        return guild

    def add_role(self, guild: Guild, name: str, permissions: int) -> Role:
        role = Role(self.ids.next(), name, permissions, len(guild.roles))
        guild.roles[role.id] = role
        return role

    def add_member(self, guild: Guild, user: User) -> Member:
        member = Member(user, guild, self.clock.now())
        guild.members[user.id] = member
        return member

    def add_channel(self, guild: Guild, kind: Kind, name: str, *, parent: Channel | None = None) -> Channel:
        channel = Channel(self.ids.next(), kind, guild, name, parent=parent, position=len(guild.channels))
        self.keep(channel)
        return channel

    def keep(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels[channel.id] = channel

    def forget(self, channel: Channel) -> None:
        for each in [one for one in self.channels.values() if one is channel or one.parent is channel]:
            del self.channels[each.id]
            if each.guild is not None:
                del each.guild.channels[each.id]

    def dm(self, user: User) -> Channel:
        """The channel between the bot and `user`; made when it is first asked for."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        channel = Channel(self.ids.next(), Kind.DM, recipient=user)
        self.keep(channel)
        return channel

    def channel(self, number: int) -> Channel:
        """Raises 10003, and 50001 where the bot does not see it."""
        channel = self.channels.get(number)
        if channel is None:
            raise DiscordError(10003)
        self.require(channel, P.VIEW_CHANNEL)
        return channel

    def message(self, channel: Channel, number: int) -> Message:
        found = channel.messages.get(number)
        if found is None:
            raise DiscordError(10008)
        return found

    def guild(self, number: int) -> Guild:
        guild = self.guilds.get(number)
        if guild is None or self.bot.id not in guild.members:
            raise DiscordError(10004)
        return guild

    def allowed(self, user: User, channel: Channel) -> int:
        """Permission bits of `user` in `channel`."""
        if channel.guild is None:
            return ALL if user in {self.bot, channel.recipient} else 0
        member = channel.guild.members.get(user.id)
        return permissions_of(member, channel) if member else 0

    def bot_may(self, channel: Channel, permission: int) -> bool:
        return self.allowed(self.bot, channel) & permission == permission

    def require(self, channel: Channel, *permissions: P) -> None:
        """Raises 50001 without VIEW_CHANNEL, 50013 without one of `permissions`."""
        if not self.bot_may(channel, P.VIEW_CHANNEL):
            raise DiscordError(50001)
        if not all(self.bot_may(channel, each) for each in permissions):
            raise DiscordError(50013)

    def overwrite(self, channel: Channel, target: Role | User, allow: int, deny: int) -> None:
        kind = 0 if isinstance(target, Role) else 1
        channel.overwrites[target.id] = Overwrite(target.id, kind, int(allow), int(deny))

"""Who may do what where. Source: https://discord.com/developers/docs/topics/permissions"""

from enum import IntFlag

from tests.fakes.discord.state import Channel, Member


class P(IntFlag):
    """Discord's permission bits, as far as this server checks them."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


ALL = (1 << 53) - 1
EVERYONE = (
    P.ADD_REACTIONS
    | P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.MENTION_EVERYONE
    | P.USE_APPLICATION_COMMANDS
    | P.CREATE_PUBLIC_THREADS
    | P.CREATE_PRIVATE_THREADS
    | P.SEND_MESSAGES_IN_THREADS
)
"""What @everyone may in a new guild: also ping everyone."""


def permissions_in_guild(member: Member) -> int:
    """By the roles alone."""
    guild = member.guild
    base = guild.roles[guild.id].permissions
    for role in member.roles:
        base |= role.permissions
    return ALL if base & P.ADMINISTRATOR or guild.owner is member.user else base


def permissions_of(member: Member, channel: Channel) -> int:
    """The documented algorithm: roles, then overwrites of @everyone, of the roles, of the member."""
    guild, base = member.guild, permissions_in_guild(member)
    if base == ALL:
        return ALL
    overwrites = (channel.parent if channel.is_thread and channel.parent else channel).overwrites
    if everyone := overwrites.get(guild.id):
        base = (base & ~everyone.deny) | everyone.allow
    of_roles = [overwrites[role.id] for role in member.roles if role.id in overwrites]
    for each in of_roles:
        base &= ~each.deny
    for each in of_roles:
        base |= each.allow
    if own := overwrites.get(member.user.id):
        base = (base & ~own.deny) | own.allow
    return base

"""Where a Discord message is, as the core knows places, and back again."""

from typing import TYPE_CHECKING, TypeAlias

import discord

from bot.platforms.discord.access import Access, Visitor
from bot.platforms.platform import Author, ConversationKey, TurnRef

NAME = "discord"

if TYPE_CHECKING:
    from discord.abc import MessageableChannel
    from discord.interactions import InteractionChannel

    Channel: TypeAlias = MessageableChannel | InteractionChannel

Somebody = discord.User | discord.Member


def event_key(message: int) -> str:
    """Of a message, the same on every repetition. Ids are unique all over Discord."""
    return f"{NAME}:{message}"


def message_of(key: str) -> int | None:
    """The id of the message of an event key; None when it is not a message's."""
    rest = key.removeprefix(f"{NAME}:")
    return int(rest) if rest.isdigit() else None


def question_of(turn: TurnRef) -> int | None:
    """The id of the message that a turn answers; None when no message but a button asked for it."""
    return message_of(turn.event_key)


def place_of(channel: "Channel", guild: int | None) -> ConversationKey:
    """The conversation of a channel, thread or direct message.

    A private thread counts as a channel of its own: who reads the channel it hangs under may not read it.
    """
    workspace = str(guild) if guild is not None else ""
    if not isinstance(channel, discord.Thread):
        return ConversationKey(NAME, workspace, str(channel.id), "")
    parent = channel.id if channel.is_private() else channel.parent_id
    return ConversationKey(NAME, workspace, str(parent), str(channel.id))


def conversation_key(message: discord.Message) -> ConversationKey:
    """Where a message is answered. In a channel that has threads each question opens one, with the question's id."""
    place = place_of(message.channel, message.guild.id if message.guild else None)
    if isinstance(message.channel, discord.TextChannel):
        return ConversationKey(NAME, place.workspace, place.channel, str(message.id))
    return place


def author_of(user: Somebody, access: Access) -> Author:
    """`admin`: those whose role in this server has the administrator permission, and its owner."""
    admin = isinstance(user, discord.Member) and user.guild_permissions.administrator
    return Author(str(user.id), user.display_name, admin, access.role(_roles(user)))


def visitor_of(user: Somebody, channel: "Channel", guild: int | None, *, webhook: bool = False) -> Visitor:
    around = {channel.id, getattr(channel, "parent_id", None), getattr(channel, "category_id", None)}
    if isinstance(channel, discord.Thread) and channel.parent is not None:
        around.add(channel.parent.category_id)
    channels = frozenset(c for c in around if c is not None)
    return Visitor(user.id, guild, channels, _roles(user), user.bot or webhook)


def _roles(user: Somebody) -> frozenset[int]:
    """Ids; outside servers nobody has any."""
    return frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset()

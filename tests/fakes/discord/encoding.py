"""Users, members, roles, channels and guilds as Discord writes them. Every key that clients read is there."""

from tests.fakes.discord.permissions import permissions_in_guild, permissions_of
from tests.fakes.discord.snowflakes import iso
from tests.fakes.discord.state import Channel, Guild, Kind, Member, Overwrite, Role, User

Json = dict[str, object]

NOTHING = (
    "icon",
    "description",
    "home_header",
    "splash",
    "discovery_splash",
    "banner",
    "application_id",
    "afk_channel_id",
    "system_channel_id",
    "widget_channel_id",
    "max_presences",
    "vanity_url_code",
    "rules_channel_id",
    "safety_alerts_channel_id",
    "public_updates_channel_id",
    "incidents_data",
)
"""Keys of a guild that are null here."""
ZERO = (
    "system_channel_flags",
    "verification_level",
    "default_message_notifications",
    "mfa_level",
    "explicit_content_filter",
    "premium_tier",
    "premium_subscription_count",
    "nsfw_level",
)


def user_json(user: User) -> Json:
    return {
        "id": str(user.id),
        "username": user.name,
        "global_name": None if user.bot else user.name.title(),
        "discriminator": "0",
        "avatar": None,
        "avatar_decoration_data": None,
        "bot": user.bot,
        "flags": 0,
        "public_flags": 0,
        "primary_guild": None,
    }


def own_user_json(user: User) -> Json:
    """What the bot is told about itself."""
    return user_json(user) | {"mfa_enabled": True, "verified": True, "locale": "en-US", "email": None}


def member_json(member: Member, *, with_user: bool = True) -> Json:
    found: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "deaf": False,
        "flags": 0,
        "joined_at": iso(member.joined_at),
        "mute": False,
        "nick": member.nick,
        "pending": False,
        "premium_since": None,
        "roles": [str(role.id) for role in member.roles],
    }
    return found | ({"user": user_json(member.user)} if with_user else {})


def own_guild_json(member: Member) -> Json:
    """A guild as its member is told of it in the list of their own."""
    guild = member.guild
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "banner": None,
        "owner": guild.owner is member.user,
        "permissions": str(int(permissions_in_guild(member))),
        "features": [],
    }


def interacting_member_json(member: Member, channel: Channel) -> Json:
    """In an interaction a member comes with what they may do in the channel."""
    return member_json(member) | {"permissions": str(int(permissions_of(member, channel)))}


def role_json(role: Role) -> Json:
    found: Json = {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(int(role.permissions)),
        "position": role.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.bot_id is not None,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    return found | ({"tags": {"bot_id": str(role.bot_id)}} if role.bot_id else {})


def channel_json(channel: Channel, viewer: User) -> Json:
    """A channel, thread or DM as the bot (`viewer`) is told of it."""
    last = str(max(channel.messages)) if channel.messages else None
    found: Json = {"id": str(channel.id), "type": int(channel.kind), "last_message_id": last, "flags": 0}
    if channel.recipient is not None:
        return found | {"recipients": [user_json(channel.recipient)]}
    assert channel.guild is not None
    parent = str(channel.parent.id) if channel.parent else None
    found |= {"guild_id": str(channel.guild.id), "name": channel.name, "parent_id": parent, "rate_limit_per_user": 0}
    return found | (_thread_keys(channel, viewer) if channel.is_thread else _channel_keys(channel))


def _channel_keys(channel: Channel) -> Json:
    found: Json = {
        "topic": channel.topic,
        "position": channel.position,
        "nsfw": False,
        "permission_overwrites": [_overwrite_json(each) for each in channel.overwrites.values()],
    }
    if channel.kind is Kind.FORUM:
        found |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
        found |= {"default_forum_layout": 0}
    return found


def _overwrite_json(each: Overwrite) -> Json:
    return {"id": str(each.id), "type": each.kind, "allow": str(int(each.allow)), "deny": str(int(each.deny))}


def _thread_keys(channel: Channel, viewer: User) -> Json:
    thread = channel.thread
    assert thread is not None
    found: Json = {
        "owner_id": str(thread.owner.id),
        "message_count": thread.sent,
        "total_message_sent": thread.sent,
        "member_count": len(thread.members),
        "applied_tags": thread.applied_tags,
        "thread_metadata": {
            "archived": thread.archived,
            "archive_timestamp": iso(thread.archived_at),
            "auto_archive_duration": thread.auto_archive_minutes,
            "locked": thread.locked,
            "create_timestamp": iso(thread.created_at),
        },
    }
    return found | ({"member": thread_member_json(channel, viewer.id)} if viewer.id in thread.members else {})


def thread_member_json(channel: Channel, user: int) -> Json:
    assert channel.thread is not None
    joined = iso(channel.thread.members[user])
    return {"id": str(channel.id), "user_id": str(user), "join_timestamp": joined, "flags": 1}


def guild_json(guild: Guild) -> Json:
    nothing: Json = dict.fromkeys(NOTHING)
    zero: Json = dict.fromkeys(ZERO, 0)
    return (
        nothing
        | zero
        | {
            "id": str(guild.id),
            "name": guild.name,
            "owner_id": str(guild.owner.id),
            "features": [],
            "region": "us-west",
            "afk_timeout": 300,
            "widget_enabled": False,
            "roles": [role_json(role) for role in guild.roles.values()],
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "preferred_locale": "en-US",
            "premium_progress_bar_enabled": False,
            "nsfw": False,
            "emojis": [],
            "stickers": [],
        }
    )

"""Routes about channels, threads and guilds."""

from typing import Any

from tests.fakes.discord.calls import Answer, Call, Route
from tests.fakes.discord.changes import Changes
from tests.fakes.discord.encoding import Json, channel_json, guild_json, member_json, role_json, thread_member_json
from tests.fakes.discord.errors import DiscordError, invalid
from tests.fakes.discord.permissions import P
from tests.fakes.discord.state import Channel, Guild, Kind

CHANNEL = "/channels/{channel_id}"
MEMBERS = f"{CHANNEL}/thread-members"
GUILD = "/guilds/{guild_id}"
THREADABLE = (Kind.TEXT, Kind.NEWS)


class ChannelRoutes:
    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._world = changes.world

    def routes(self) -> list[Route]:
        return [
            Route("GET", CHANNEL, lambda call: self._shown(self._channel(call))),
            Route("PATCH", CHANNEL, self._edit),
            Route("DELETE", CHANNEL, self._delete),
            Route("GET", MEMBERS, self._members),
            Route("PUT", f"{MEMBERS}/@me", lambda call: self._join(call, self._world.bot.id)),
            Route("DELETE", f"{MEMBERS}/@me", lambda call: self._leave(call, self._world.bot.id)),
            Route("GET", f"{MEMBERS}/{{user_id}}", self._member),
            Route("PUT", f"{MEMBERS}/{{user_id}}", lambda call: self._join(call, call.id("user_id"))),
            Route("DELETE", f"{MEMBERS}/{{user_id}}", lambda call: self._leave(call, call.id("user_id"))),
            Route("GET", f"{CHANNEL}/threads/archived/public", self._archived),
            Route("GET", GUILD, lambda call: guild_json(self._guild(call)) | {"approximate_member_count": 2}),
            Route("GET", f"{GUILD}/channels", self._guild_channels),
            Route("GET", f"{GUILD}/threads/active", self._active),
            Route("GET", f"{GUILD}/roles", lambda call: [role_json(each) for each in self._guild(call).roles.values()]),
            Route("GET", f"{GUILD}/members", self._guild_members),
            Route("GET", f"{GUILD}/members/{{user_id}}", self._guild_member),
        ]

    def _channel(self, call: Call) -> Channel:
        return self._world.channel(call.id("channel_id"))

    def _guild(self, call: Call) -> Guild:
        return self._world.guild(call.id("guild_id"))

    def _shown(self, channel: Channel) -> Json:
        return channel_json(channel, self._world.bot)

    def _thread(self, call: Call) -> Channel:
        channel = self._channel(call)
        if channel.thread is None:
            raise DiscordError(50024)
        return channel

    def _edit(self, call: Call) -> Json:
        channel = self._channel(call)
        if channel.thread is not None:
            self._edit_thread(channel, call.body)
        elif channel.guild is None:
            raise DiscordError(50024)
        else:
            self._world.require(channel, P.MANAGE_CHANNELS)
            channel.name = call.body.get("name") or channel.name
            channel.topic = call.body.get("topic", channel.topic)
            self._changes.tell_channel("CHANNEL_UPDATE", channel)
        return self._shown(channel)

    def _edit_thread(self, channel: Channel, body: dict[str, Any]) -> None:
        """The owner may rename and close; locking is for moderators; in an archived thread only waking up is left."""
        thread = channel.thread
        assert thread is not None
        moderator = self._world.bot_may(channel, P.MANAGE_THREADS)
        if not moderator and (thread.owner is not self._world.bot or "locked" in body):
            raise DiscordError(50013)
        if thread.archived and body.get("archived") is not False:
            raise DiscordError(50083)
        if body.get("name") == "":
            raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        channel.name = body.get("name") or channel.name
        thread.auto_archive_minutes = body.get("auto_archive_duration") or thread.auto_archive_minutes
        thread.locked = body.get("locked", thread.locked)
        if body.get("archived") is not None:
            thread.archived, thread.archived_at = body["archived"], self._world.clock.now()
        self._changes.tell_channel("THREAD_UPDATE", channel)

    def _delete(self, call: Call) -> Json:
        channel = self._channel(call)
        if channel.guild is not None:
            self._world.require(channel, P.MANAGE_THREADS if channel.is_thread else P.MANAGE_CHANNELS)
            self._changes.delete_channel(channel)
        return self._shown(channel)

    def _members(self, call: Call) -> list[Json]:
        channel = self._thread(call)
        assert channel.thread is not None
        return [thread_member_json(channel, user) for user in channel.thread.members]

    def _member(self, call: Call) -> Json:
        channel, user = self._thread(call), call.id("user_id")
        assert channel.thread is not None
        if user not in channel.thread.members:
            raise DiscordError(10007)
        return thread_member_json(channel, user)

    def _join(self, call: Call, user: int) -> None:
        channel = self._thread(call)
        assert channel.thread is not None
        assert channel.guild is not None
        if channel.thread.archived:
            raise DiscordError(50083)
        if user not in channel.guild.members:
            raise DiscordError(10007)
        self._changes.join_thread(channel, self._world.users[user])

    def _leave(self, call: Call, user: int) -> None:
        channel = self._thread(call)
        if user != self._world.bot.id:
            self._world.require(channel, P.MANAGE_THREADS)
        self._changes.leave_thread(channel, self._world.users[user])

    def _threads(self, guild: Guild, parent: Channel | None, *, archived: bool) -> Answer:
        found = [
            each
            for each in guild.channels.values()
            if each.thread is not None and each.thread.archived is archived and parent in {None, each.parent}
        ]
        bot = self._world.bot.id
        mine = [thread_member_json(each, bot) for each in found if each.thread and bot in each.thread.members]
        return Answer(200, {"threads": [self._shown(each) for each in found], "members": mine, "has_more": False})

    def _archived(self, call: Call) -> Answer:
        channel = self._channel(call)
        assert channel.guild is not None
        self._world.require(channel, P.READ_MESSAGE_HISTORY)
        return self._threads(channel.guild, channel, archived=True)

    def _active(self, call: Call) -> Answer:
        return self._threads(self._guild(call), None, archived=False)

    def _guild_channels(self, call: Call) -> list[Json]:
        return [self._shown(each) for each in self._guild(call).channels.values() if not each.is_thread]

    def _guild_members(self, call: Call) -> list[Json]:
        after, limit = int(call.query.get("after", 0)), call.number("limit", 1, 1, 1000)
        members = sorted(self._guild(call).members.values(), key=lambda each: each.user.id)
        return [member_json(each) for each in members if each.user.id > after][:limit]

    def _guild_member(self, call: Call) -> Json:
        member = self._guild(call).members.get(call.id("user_id"))
        if member is None:
            raise DiscordError(10007)
        return member_json(member)

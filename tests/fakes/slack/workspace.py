"""One workspace (team) as Slack keeps it: people, channels, messages, files, and the app's installation in it."""

import time
from collections.abc import Iterable, Iterator

from tests.fakes.slack import events
from tests.fakes.slack.hub import Hub
from tests.fakes.slack.refusals import Json, Mistake, Refusal
from tests.fakes.slack.state import Channel, ChannelKind, File, Message, Revision, Session, Status, User
from tests.fakes.slack.wire import message_json

SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "reactions:read",
        "reactions:write",
        "users:read",
    }
)
PREFIX: dict[ChannelKind, str] = {"channel": "C", "group": "G", "im": "D", "mpim": "G"}
STATUS_SECONDS = 120.0
Thread = tuple[str, str]
"""(channel, thread_ts)"""


class Workspace:
    """`revoked` is the error that every call with the bot's token gets from now on, or None."""

    def __init__(self, hub: Hub, team_id: str, *, domain: str, bot_token: str, bot_user: str, bot_id: str) -> None:
        self.hub = hub
        self.id = team_id
        self.domain = domain
        self.bot_token = bot_token
        self.bot_user = bot_user
        self.bot_id = bot_id
        self.scopes = set(SCOPES)
        self.revoked: str | None = None
        self.users = {bot_user: User(bot_user, "agent", is_bot=True)}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[tuple[str, str], Message] = {}
        self._threads: dict[Thread, list[Message]] = {}
        self.files: dict[str, File] = {}
        self.sessions: dict[Thread, Session] = {}
        self.statuses: dict[Thread, list[Status]] = {}
        """Every assistant status of a thread, in order."""
        self.titles: dict[Thread, str] = {}
        self.prompts: dict[str, list[Json]] = {}
        """The suggested prompts last set, by channel."""
        self.views: list[Json] = []

    def add_user(self, user_id: str, name: str, *, is_admin: bool = False, is_owner: bool = False) -> User:
        self.users[user_id] = User(user_id, name, is_admin=is_admin, is_owner=is_owner)
        return self.users[user_id]

    def add_channel(
        self,
        channel_id: str,
        name: str,
        kind: ChannelKind = "channel",
        *,
        members: Iterable[str] | None = None,
        bot: bool = True,
    ) -> Channel:
        """Without `members` everybody is in it; the bot as `bot` says."""
        people = set(members) if members is not None else set(self.users)
        inside = people | {self.bot_user} if bot else people - {self.bot_user}
        self.channels[channel_id] = Channel(channel_id, name, kind, inside)
        return self.channels[channel_id]

    def direct(self, users: Iterable[str]) -> Channel:
        """The bot's direct or group message with these people, opened if need be."""
        people = {*users, self.bot_user}
        for channel in self.channels.values():
            if channel.kind in {"im", "mpim"} and channel.members == people:
                return channel
        kind: ChannelKind = "im" if len(people) == 2 else "mpim"
        return self.add_channel(self.hub.next_id(PREFIX[kind]), f"{kind}-{len(self.channels)}", kind, members=people)

    def channel_for(self, channel_id: str) -> Channel:
        """The channel as the bot sees it; a user id means the direct message. Raises Refusal."""
        if channel_id in self.users and channel_id != self.bot_user:
            return self.direct([channel_id])
        channel = self.channels.get(channel_id)
        if channel is None or (channel.kind != "channel" and self.bot_user not in channel.members):
            raise Refusal("channel_not_found")
        return channel

    def writable(self, channel_id: str) -> Channel:
        channel = self.channel_for(channel_id)
        if channel.archived:
            raise Refusal("is_archived")
        if self.bot_user not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def message_for(self, channel_id: str, ts: str) -> Message:
        """A message that is there and not ephemeral; raises Refusal("message_not_found")."""
        message = self.messages.get((channel_id, ts))
        if message is None or message.deleted or message.ephemeral_to is not None:
            raise Refusal("message_not_found")
        return message

    def thread_for(self, channel_id: str, thread_ts: str) -> Message:
        """The root of a thread. A reply's ts in its place is a mistake that Slack tolerates and people see."""
        root = self.messages.get((channel_id, thread_ts))
        if root is None or root.ephemeral_to is not None or (root.deleted and not self.thread(channel_id, thread_ts)):
            raise Refusal("thread_not_found")
        if root.root != root.ts:
            raise Mistake("thread_not_found", f"{thread_ts} is a reply, its thread is {root.root}")
        return root

    def thread(self, channel_id: str, thread_ts: str) -> list[Message]:
        """Its replies, the oldest first, the root not among them."""
        there = self._threads.get((channel_id, thread_ts), [])
        return [m for m in there if m.ts != thread_ts and not m.deleted and m.ephemeral_to is None]

    def posts(self) -> Iterator[Message]:
        """Every message but ephemeral ones, deleted ones among them."""
        return (message for message in self.messages.values() if message.ephemeral_to is None)

    def publish(self, message: Message) -> Message:
        """Put a message into its channel and tell the app."""
        self.messages[message.channel, message.ts] = message
        self._threads.setdefault((message.channel, message.root), []).append(message)
        if message.thread_ts is not None and (root := self.messages.get((message.channel, message.thread_ts))):
            root.thread_ts = root.ts
        if message.ephemeral_to is None:
            events.posted(self, message)
        if message.bot_id == self.bot_id:
            self.note_status((message.channel, message.root), "")
        self.hub.changes.tell()
        return message

    def note_status(self, thread: Thread, text: str) -> None:
        """An assistant status; the bot's own reply takes it away, too."""
        if text or thread in self.statuses:
            self.statuses.setdefault(thread, []).append(Status(text, self.hub.clock.now()))
        self.hub.changes.tell()

    def status(self, channel: str, thread_ts: str) -> str:
        """What people see under the thread now: it goes by itself after two minutes."""
        found = self.statuses.get((channel, thread_ts), [])
        if not found or self.hub.clock.now() - found[-1].at > STATUS_SECONDS:
            return ""
        return found[-1].text

    def revise(self, message: Message, change: Json) -> None:
        """Edit a message: `change` holds the attributes that become others."""
        before = message_json(self, message)
        message.revisions.append(Revision(message.shown, message.blocks, message.metadata))
        for name, value in change.items():
            setattr(message, name, value)
        message.edited_ts = self.hub.next_ts()
        events.changed(self, message, before)
        self.hub.changes.tell()

    def withdraw(self, message: Message) -> None:
        before = message_json(self, message)
        message.deleted = True
        events.removed(self, message, before)
        self.hub.changes.tell()

    def keep_file(self, name: str, content: bytes, *, user: str, mimetype: str, hidden: bool = False) -> File:
        made = File(self.hub.next_id("F"), name, name, mimetype, content, user, hidden=hidden, created=int(time.time()))
        self.files[made.id] = made
        return made

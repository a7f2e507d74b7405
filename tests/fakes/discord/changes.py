"""What happens in the world, and the bot being told of it. People and REST routes both act through here."""

from typing import Any

from tests.fakes.discord.drafts import Draft, Drafts
from tests.fakes.discord.encoding import Json, channel_json, member_json, thread_member_json
from tests.fakes.discord.encoding_messages import MessageEncoder
from tests.fakes.discord.errors import DiscordError
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.permissions import P
from tests.fakes.discord.state import HAS_THREAD, Channel, Kind, Message, Thread, User
from tests.fakes.discord.validation import Validation
from tests.fakes.discord.world import World


class Changes:
    def __init__(
        self, world: World, gateway: Gateway, encoder: MessageEncoder, drafts: Drafts, validation: Validation
    ) -> None:
        self.world = world
        self.encoder = encoder
        self.drafts = drafts
        self._gateway = gateway
        self._validation = validation

    # Telling

    def tell(self, event: str, channel: Channel, data: Any, *, schema: str = "", withheld: Any = None) -> None:
        """Dispatch something that happened in a channel, if the bot sees that channel."""
        if schema:
            self._validation.outgoing(schema, data)
        if not self.world.bot_may(channel, P.VIEW_CHANNEL):
            return
        guild = channel.guild.id if channel.guild else None
        self._gateway.dispatch(event, guild, data, withheld, dm=channel.guild is None)

    def tell_message(self, event: str, message: Message) -> None:
        full = self.encoder.dispatched(message)
        bare = self.encoder.dispatched(message, withheld=True)
        self.tell(event, message.channel, full, schema="MessageResponse", withheld=bare)

    def tell_channel(self, event: str, channel: Channel, **more: Any) -> None:
        schema = "ThreadResponse" if channel.is_thread else "GuildChannelResponse"
        self.tell(event, channel, channel_json(channel, self.world.bot) | more, schema=schema)

    # Messages

    def post(
        self, channel: Channel, author: User, draft: Draft, *, reply_to: Message | None = None, **more: Any
    ) -> Message:
        """A new message; an archived thread wakes up. `more` are further fields of the message."""
        self._wake(channel)
        message = self.compose(channel, author, draft, reply_to=reply_to, **more)
        self.publish(message)
        return message

    def compose(
        self, channel: Channel, author: User, draft: Draft, *, reply_to: Message | None = None, **more: Any
    ) -> Message:
        """A message that nobody is told of and no history holds."""
        number = more.pop("number", None) or self.world.ids.next()
        message = Message(number, channel, author, [draft.content or ""], self.world.clock.now(), **more)
        message.kind = message.kind or (19 if reply_to else 0)
        message.reply_to = reply_to
        message.attachments, message.flags = draft.attachments, draft.flags
        message.embeds, message.components = draft.embeds or [], draft.components or []
        self.drafts.ping(message, draft.pings)
        return message

    def publish(self, message: Message) -> None:
        channel = message.channel
        channel.messages[message.id] = message
        if channel.thread is not None:
            channel.thread.sent += 1
            self.join_thread(channel, message.author)
        self.tell_message("MESSAGE_CREATE", message)

    def edit(self, message: Message, draft: Draft) -> None:
        """Replace what the draft names; what it leaves out stays."""
        if draft.content is not None:
            message.contents.append(draft.content)
            self.drafts.ping(message, draft.pings)
        if draft.embeds is not None:
            message.embeds = draft.embeds
        if draft.components is not None:
            message.components = draft.components
        if draft.kept is not None:
            message.attachments = [each for each in message.attachments if each.id in draft.kept]
        message.attachments += draft.attachments
        message.flags |= draft.flags
        message.edited_at = self.world.clock.now()
        if not message.ephemeral:
            self.tell_message("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        message.deleted = True
        if message.channel.messages.pop(message.id, None) is None:
            return
        data: Json = {"id": str(message.id), "channel_id": str(message.channel.id)}
        if message.channel.guild is not None:
            data["guild_id"] = str(message.channel.guild.id)
        self.tell("MESSAGE_DELETE", message.channel, data)

    def typing(self, channel: Channel, user: User) -> None:
        channel.typing.append(user.id)
        now = int(self.world.clock.now())
        data: Json = {"channel_id": str(channel.id), "user_id": str(user.id), "timestamp": now}
        if channel.guild is not None:
            data |= {"guild_id": str(channel.guild.id), "member": member_json(channel.guild.members[user.id])}
        self.tell("TYPING_START", channel, data)

    def react(self, message: Message, user: User, emoji: str, *, add: bool = True) -> None:
        who = message.reactions.setdefault(emoji, [])
        if add == (user.id in who):
            return
        (who.append if add else who.remove)(user.id)
        if not who:
            del message.reactions[emoji]
        data: Json = {"user_id": str(user.id), "channel_id": str(message.channel.id), "message_id": str(message.id)}
        data |= {"emoji": {"id": None, "name": emoji}, "type": 0, "burst": False}
        guild = message.channel.guild
        if guild is not None:
            data["guild_id"] = str(guild.id)
            if add:
                data |= {"member": member_json(guild.members[user.id]), "message_author_id": str(message.author.id)}
        self.tell("MESSAGE_REACTION_ADD" if add else "MESSAGE_REACTION_REMOVE", message.channel, data)

    # Threads

    def open_thread(
        self, parent: Channel, owner: User, name: str, *, starter: Message | None = None, **options: Any
    ) -> Channel:
        """A thread; one made from a message has that message's id."""
        number = starter.id if starter else self.world.ids.next()
        kind = options.pop("kind", Kind.PUBLIC_THREAD)
        now = self.world.clock.now()
        thread = Thread(owner, now, now, **options)
        channel = Channel(number, kind, parent.guild, name, parent=parent, thread=thread)
        thread.members[owner.id] = now
        self.world.keep(channel)
        self.tell_channel("THREAD_CREATE", channel, newly_created=True)
        if starter is not None:
            starter.thread = channel
            starter.flags |= HAS_THREAD
            self.tell_message("MESSAGE_UPDATE", starter)
            self._starter_message(channel, starter)
        elif parent.kind is not Kind.FORUM and kind is Kind.PUBLIC_THREAD:
            self.post(parent, owner, Draft(name), kind=18)
        return channel

    def _starter_message(self, channel: Channel, starter: Message) -> None:
        """The thread's first message shows the one it was made from."""
        message = self.compose(channel, starter.author, Draft(), kind=21)
        message.reply_to, message.mentions = starter, []
        channel.messages[message.id] = message

    def join_thread(self, channel: Channel, user: User) -> None:
        assert channel.thread is not None
        if user.id in channel.thread.members:
            return
        channel.thread.members[user.id] = self.world.clock.now()
        self._tell_members(channel, added=[thread_member_json(channel, user.id)], removed=[])

    def leave_thread(self, channel: Channel, user: User) -> None:
        assert channel.thread is not None
        if channel.thread.members.pop(user.id, None) is not None:
            self._tell_members(channel, added=[], removed=[str(user.id)])

    def _tell_members(self, channel: Channel, *, added: list[Json], removed: list[str]) -> None:
        assert channel.guild is not None
        assert channel.thread is not None
        for each in added:
            member = channel.guild.members[int(str(each["user_id"]))]
            each |= {"member": member_json(member), "presence": None}
        data: Json = {"id": str(channel.id), "guild_id": str(channel.guild.id)}
        data |= {"member_count": len(channel.thread.members), "added_members": added, "removed_member_ids": removed}
        self.tell("THREAD_MEMBERS_UPDATE", channel, data)

    def set_archived(self, channel: Channel, *, archived: bool) -> None:
        assert channel.thread is not None
        if channel.thread.archived != archived:
            channel.thread.archived = archived
            channel.thread.archived_at = self.world.clock.now()
            self.tell_channel("THREAD_UPDATE", channel)

    def _wake(self, channel: Channel) -> None:
        """Sending unarchives; a locked thread wakes only for a moderator. Raises 50083."""
        if channel.thread is None or not channel.thread.archived:
            return
        if channel.thread.locked and not self.world.bot_may(channel, P.MANAGE_THREADS):
            raise DiscordError(50083)
        self.set_archived(channel, archived=False)

    # Channels

    def delete_channel(self, channel: Channel) -> None:
        data = channel_json(channel, self.world.bot)
        if channel.is_thread:
            data = {key: data[key] for key in ("id", "guild_id", "parent_id", "type")}
        self.tell("THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", channel, data)
        self.world.forget(channel)

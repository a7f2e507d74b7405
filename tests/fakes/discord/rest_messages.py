"""Routes about messages: read, send, edit, delete, react."""

from tests.fakes.discord.calls import Call, Route
from tests.fakes.discord.changes import Changes
from tests.fakes.discord.drafts import reply_target
from tests.fakes.discord.encoding import Json
from tests.fakes.discord.errors import DiscordError, invalid
from tests.fakes.discord.gateway import Portal
from tests.fakes.discord.intents import Intent
from tests.fakes.discord.permissions import P
from tests.fakes.discord.state import Channel, Kind, Message

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"
REACTION = f"{MESSAGE}/reactions/{{emoji_name}}/@me"


class MessageRoutes:
    def __init__(self, changes: Changes, portal: Portal) -> None:
        self._changes = changes
        self._world = changes.world
        self._portal = portal

    def routes(self) -> list[Route]:
        return [
            Route("GET", MESSAGES, self._history),
            Route("POST", MESSAGES, self._send),
            Route("GET", MESSAGE, lambda call: self._shown(self._readable(call))),
            Route("PATCH", MESSAGE, self._edit),
            Route("DELETE", MESSAGE, self._delete),
            Route("PUT", REACTION, lambda call: self._react(call, add=True)),
            Route("DELETE", REACTION, lambda call: self._react(call, add=False)),
            Route("POST", "/channels/{channel_id}/typing", self._type),
        ]

    def _shown(self, message: Message) -> Json:
        """REST goes by the portal's switch, not by the intents of a session."""
        withheld = not self._portal.allowed_intents & Intent.MESSAGE_CONTENT
        return self._changes.encoder.message(message, withheld=withheld)

    def _readable(self, call: Call) -> Message:
        channel = self._world.channel(call.id("channel_id"))
        self._world.require(channel, P.READ_MESSAGE_HISTORY)
        return self._world.message(channel, call.id("message_id"))

    def _history(self, call: Call) -> list[Json]:
        """Newest first, whichever end was asked for; without READ_MESSAGE_HISTORY nothing."""
        channel = self._world.channel(call.id("channel_id"))
        limit = call.number("limit", 50, 1, 100)
        if not self._world.bot_may(channel, P.READ_MESSAGE_HISTORY):
            return []
        return [self._shown(message) for message in reversed(_page(channel, call, limit))]

    def _send(self, call: Call) -> Json:
        channel = self._world.channel(call.id("channel_id"))
        self.require_sending(channel)
        draft = self._changes.drafts.read(call.body, call.files)
        if self._changes.drafts.empty(draft):
            raise DiscordError(50006)
        if draft.attachments:
            self._world.require(channel, P.ATTACH_FILES)
        if (earlier := self._said_before(channel, call.body)) is not None:
            return self._shown(earlier)
        target = reply_target(self._world, channel, call.body.get("message_reference"))
        nonce = call.body.get("nonce")
        message = self._changes.post(channel, self._world.bot, draft, reply_to=target, nonce=nonce)
        if nonce is not None:
            self._world.nonces[self._world.bot.id, channel.id, str(nonce)] = message
        return self._shown(message)

    def _said_before(self, channel: Channel, body: Json) -> Message | None:
        """With enforce_nonce the message of the same author, channel and nonce, within a few minutes."""
        if not body.get("enforce_nonce") or body.get("nonce") is None:
            return None
        earlier = self._world.nonces.get((self._world.bot.id, channel.id, str(body["nonce"])))
        if earlier is None or self._world.clock.now() - earlier.sent_at > self._world.limits.nonce:
            return None
        return earlier

    def require_sending(self, channel: Channel) -> None:
        """Raises 50007, 50013, 50024, 50083."""
        if channel.kind in {Kind.FORUM, Kind.CATEGORY}:
            raise DiscordError(50024)
        if channel.recipient is not None and not channel.recipient.accepts_dms:
            raise DiscordError(50007)
        self._world.require(channel, P.SEND_MESSAGES_IN_THREADS if channel.is_thread else P.SEND_MESSAGES)

    def _edit(self, call: Call) -> Json:
        channel = self._world.channel(call.id("channel_id"))
        message = self._world.message(channel, call.id("message_id"))
        if message.author is not self._world.bot:
            raise DiscordError(50005)
        self._require_awake(channel)
        draft = self._changes.drafts.read(call.body, call.files)
        if "content" in call.body and self._would_be_empty(message, call.body):
            raise DiscordError(50006)
        self._changes.edit(message, draft)
        return self._shown(message)

    def _would_be_empty(self, message: Message, body: Json) -> bool:
        kept = {"embeds": message.embeds, "components": message.components, "attachments": message.attachments}
        return not (str(body["content"] or "").strip() or any(body.get(name, value) for name, value in kept.items()))

    def _delete(self, call: Call) -> None:
        channel = self._world.channel(call.id("channel_id"))
        message = self._world.message(channel, call.id("message_id"))
        if message.author is not self._world.bot:
            self._world.require(channel, P.MANAGE_MESSAGES)
        self._require_awake(channel)
        self._changes.delete(message)

    def _react(self, call: Call, *, add: bool) -> None:
        message = self._readable(call)
        emoji = call.path["emoji_name"]
        if emoji.isascii():
            raise DiscordError(10014)
        self._require_awake(message.channel)
        if add and emoji not in message.reactions:
            self._world.require(message.channel, P.ADD_REACTIONS)
        self._changes.react(message, self._world.bot, emoji, add=add)

    def _type(self, call: Call) -> None:
        channel = self._world.channel(call.id("channel_id"))
        self.require_sending(channel)
        self._changes.typing(channel, self._world.bot)

    def _require_awake(self, channel: Channel) -> None:
        if channel.thread is not None and channel.thread.archived:
            raise DiscordError(50083)


def _page(channel: Channel, call: Call, limit: int) -> list[Message]:
    """Oldest first. Raises 50035."""
    given = {name: int(call.query[name]) for name in ("before", "after", "around") if name in call.query}
    if len(given) > 1:
        raise invalid("before", "ONE_OF", "Only one of before, after, around may be given.")
    messages = sorted(channel.messages.values(), key=lambda each: each.id)
    if "after" in given:
        return [each for each in messages if each.id > given["after"]][:limit]
    if "around" in given:
        nearest = sorted(messages, key=lambda each: abs(each.id - given["around"]))[:limit]
        return sorted(nearest, key=lambda each: each.id)
    return [each for each in messages if each.id < given.get("before", 1 << 63)][-limit:]

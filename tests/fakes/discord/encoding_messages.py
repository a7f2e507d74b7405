"""Messages as Discord writes them, and what is withheld without the message-content intent."""

from tests.fakes.discord.cdn import Cdn
from tests.fakes.discord.encoding import Json, channel_json, member_json, user_json
from tests.fakes.discord.snowflakes import iso
from tests.fakes.discord.state import Attachment, Message
from tests.fakes.discord.world import World

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class MessageEncoder:
    def __init__(self, world: World, cdn: Cdn) -> None:
        self._world = world
        self._cdn = cdn

    def message(self, message: Message, *, withheld: bool = False, nested: bool = False) -> Json:
        """`withheld` where the reader lacks the message-content intent; `nested` for a replied-to message."""
        found = self._bare(message) | self._extras(message)
        if message.reply_to is not None:
            found |= self._reference(message.reply_to, withheld=withheld, nested=nested)
        if message.forwarded is not None:
            found |= self._snapshot(message.forwarded)
        if withheld and self.private(message):
            found |= {"content": "", "attachments": [], "embeds": [], "components": []}
            found.pop("message_snapshots", None)
        return found

    def dispatched(self, message: Message, *, withheld: bool = False) -> Json:
        """With what only the gateway tells."""
        found = self.message(message, withheld=withheld) | {"channel_type": int(message.channel.kind)}
        guild = message.channel.guild
        if guild is None:
            return found
        found["guild_id"] = str(guild.id)
        member = guild.members.get(message.author.id)
        return found | ({"member": member_json(member, with_user=False)} if member else {})

    def private(self, message: Message) -> bool:
        """Is its content kept from an app without the intent? Not its own, not in DMs, not where it is mentioned."""
        bot = self._world.bot
        return message.channel.guild is not None and message.author is not bot and bot not in message.mentions

    def _bare(self, message: Message) -> Json:
        return {
            "id": str(message.id),
            "type": message.kind,
            "channel_id": str(message.channel.id),
            "author": user_json(message.author),
            "content": message.content,
            "timestamp": iso(message.sent_at),
            "edited_timestamp": iso(message.edited_at) if message.edited_at else None,
            "attachments": [self._attachment(message, each) for each in message.attachments],
            "embeds": message.embeds,
            "components": message.components,
            "mentions": [user_json(user) for user in message.mentions],
            "mention_roles": [str(role.id) for role in message.mention_roles],
            "mention_everyone": message.mention_everyone,
            "flags": message.flags,
            "pinned": False,
            "tts": False,
        }

    def _extras(self, message: Message) -> Json:
        found: Json = {}
        if message.nonce is not None:
            found["nonce"] = message.nonce
        if message.webhook_id is not None:
            found |= {"webhook_id": str(message.webhook_id), "application_id": str(message.webhook_id)}
        if message.interaction is not None:
            found["interaction_metadata"] = message.interaction
        if message.thread is not None:
            found["thread"] = channel_json(message.thread, self._world.bot)
        if message.reactions:
            found["reactions"] = [self._reaction(name, who) for name, who in message.reactions.items()]
        return found

    def _reaction(self, name: str, who: list[int]) -> Json:
        count = {"burst": 0, "normal": len(who)}
        mine = self._world.bot.id in who
        emoji = {"id": None, "name": name}
        more = {"burst_colors": [], "burst_me": False, "me_burst": False, "burst_count": 0}
        return {"emoji": emoji, "count": len(who), "count_details": count, "me": mine, **more}

    def _reference(self, other: Message, *, withheld: bool, nested: bool) -> Json:
        reference: Json = {"type": 0, "channel_id": str(other.channel.id), "message_id": str(other.id)}
        if other.channel.guild is not None:
            reference["guild_id"] = str(other.channel.guild.id)
        if nested:
            return {"message_reference": reference}
        inner = None if other.deleted else self.message(other, withheld=withheld, nested=True)
        return {"message_reference": reference, "referenced_message": inner}

    def _snapshot(self, other: Message) -> Json:
        """A forward: what the other message said, without who said it."""
        reference = {"type": 1, "channel_id": str(other.channel.id), "message_id": str(other.id)}
        said = self._bare(other)
        shown = ("type", "content", "embeds", "attachments", "components", "timestamp", "edited_timestamp", "flags")
        inner = {name: said[name] for name in (*shown, "mentions", "mention_roles")}
        return {"message_reference": reference, "message_snapshots": [{"message": inner}]}

    def _attachment(self, message: Message, each: Attachment) -> Json:
        url = self._cdn.url(message.channel, each)
        found: Json = {"id": str(each.id), "filename": each.filename, "size": len(each.data), "url": url}
        found["proxy_url"] = url
        if each.media_type is not None:
            found["content_type"] = each.media_type
        if each.media_type in IMAGES:
            found |= {"width": 1, "height": 1}
        if each.description is not None:
            found["description"] = each.description
        return found | ({"ephemeral": True} if message.ephemeral else {})

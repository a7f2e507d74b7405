"""What a message says, as the model is to read it: names instead of ids, the replied-to message, the files."""

import logging
from collections.abc import Sequence

import aiohttp
import discord

from bot.platforms import discord_text
from bot.platforms.discord.access import Access
from bot.platforms.discord.places import author_of, conversation_key, event_key
from bot.platforms.files import FileLimits, SentFile, received
from bot.platforms.platform import Inbound

_log = logging.getLogger(__name__)

NOTHING_SAID = "(says only your name)"


def text_of(message: discord.Message, me: discord.ClientUser) -> str:
    """The question, with the message that it replies to or forwards before it."""
    text, quoted = _own_text(message, me), _quoted(message, me)
    if quoted is not None:
        text = discord_text.with_reference(text, *quoted)
    return text if text.strip() or _files(message) else NOTHING_SAID


async def inbound_of(message: discord.Message, me: discord.ClientUser, access: Access, limits: FileLimits) -> Inbound:
    """Downloads the files at once: their addresses expire."""
    return Inbound(
        conversation_key(message),
        author_of(message.author, access),
        text_of(message, me),
        event_key(message.id),
        await received([_sent(file) for file in _files(message)], limits),
        shared=message.guild is not None,
        title=_title(message, me),
    )


def says_something(message: discord.Message) -> bool:
    """False where Discord withholds what a message says: the message content intent is off."""
    return bool(message.content or message.attachments or message.message_snapshots)


def addressed(message: discord.Message, me: discord.ClientUser) -> bool:
    """Whether a message in a server speaks to the bot by name."""
    return me in message.mentions or any(role.id in _own_roles(message) for role in message.role_mentions)


def opens_for_somebody_else(message: discord.Message, me: discord.ClientUser) -> bool:
    return discord_text.opens_for_somebody_else(message.content, _own_ids(message, me))


def _own_ids(message: discord.Message, me: discord.ClientUser) -> set[str]:
    return {str(me.id), *(str(role) for role in _own_roles(message))}


def _own_roles(message: discord.Message) -> set[int]:
    """The role that Discord made for the bot: people mention it by mistake for the bot itself."""
    role = message.guild.self_role if message.guild else None
    return {role.id} if role else set()


def _names(message: discord.Message) -> dict[str, str]:
    people = {str(user.id): user.display_name for user in message.mentions}
    roles = {str(role.id): role.name for role in message.role_mentions}
    channels = {str(channel.id): channel.name for channel in message.channel_mentions}
    return people | roles | channels


def _own_text(message: discord.Message, me: discord.ClientUser) -> str:
    """What the author wrote, without the mention that calls the bot."""
    own = discord_text.without_mention(message.content, *_own_ids(message, me))
    return discord_text.readable(own, _names(message))


def _title(message: discord.Message, me: discord.ClientUser) -> str:
    """What a thread is named after: the question, or what it is about if it is nothing but a mention."""
    quoted = _quoted(message, me)
    return _own_text(message, me).strip() or (quoted[1] if quoted else "")


def _quoted(message: discord.Message, me: discord.ClientUser) -> tuple[str, str] | None:
    """Author and text of the message that this one replies to, or forwards."""
    for snapshot in message.message_snapshots:
        return "a forwarded message", discord_text.readable(snapshot.content, {}) or _named(snapshot.attachments)
    replied = _replied(message)
    if replied is None:
        return None
    author = "you" if replied.author.id == me.id else replied.author.display_name
    return author, discord_text.readable(replied.content, _names(replied)) or _named(replied.attachments)


def _replied(message: discord.Message) -> discord.Message | None:
    resolved = message.reference.resolved if message.reference else None
    return resolved if isinstance(resolved, discord.Message) else None


def _files(message: discord.Message) -> list[discord.Attachment]:
    """Its own, then those of the message that it forwards or replies to: often these are what is meant."""
    files = list(message.attachments)
    for snapshot in message.message_snapshots:
        files += snapshot.attachments
    replied = _replied(message)
    return files + (replied.attachments if replied else [])


def _named(files: Sequence[discord.Attachment]) -> str:
    return " ".join(f"[{file.filename}]" for file in files)


def _sent(file: discord.Attachment) -> SentFile:
    async def download() -> bytes | None:
        try:
            return await file.read()
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.warning("an attachment could not be read: %r", error)
            return None

    return SentFile(file.filename, file.content_type or "", file.size, download)

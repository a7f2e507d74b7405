"""From what Discord tells to what the inbox admits: the gate, the conversation, the words; edits and deletes alike."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import aiohttp
import discord

from bot.errors import OverLimit, UserError
from bot.inbox import Inbox
from bot.platforms.discord.access import Access
from bot.platforms.discord.places import event_key, message_of, place_of, visitor_of
from bot.platforms.discord.progress import Progress
from bot.platforms.discord.questions import addressed, inbound_of, opens_for_somebody_else, says_something, text_of
from bot.platforms.files import FileLimits
from bot.platforms.insisting import insist
from bot.platforms.lanes import Lanes
from bot.platforms.platform import ConversationKey
from storage import conversations, turns
from storage.database import Connection, Database

_log = logging.getLogger(__name__)

SPOKEN = (discord.MessageType.default, discord.MessageType.reply)

CANNOT_SAVE = "I cannot save messages right now. I will answer this one as soon as I can."


class Intake:
    """Takes the messages of one connection. `progress` is how far everything was taken."""

    def __init__(
        self,
        me: discord.ClientUser,
        inbox: Inbox,
        database: Database,
        access: Access,
        limits: FileLimits,
    ) -> None:
        self._me = me
        self._inbox = inbox
        self._database = database
        self._access = access
        self._limits = limits
        self._typing: set[asyncio.Task[None]] = set()
        self.lanes: Lanes[int] = Lanes()
        self.progress = Progress()

    async def close(self) -> None:
        for task in self._typing:
            task.cancel()
        await asyncio.gather(*self._typing, return_exceptions=True)
        await self.lanes.close()

    def said(self, message: discord.Message) -> None:
        """A message, new or repeated. Messages of a channel are taken one after another."""
        self.progress.begin(message.id)
        if self._may_concern(message):
            self.lanes.put(message.channel.id, lambda: self._take(message))
        else:
            self.progress.done(message.id)

    async def missed(self, message: discord.Message) -> None:
        """A message of a channel's history, where Discord tells neither its author's nickname nor roles. For use in its
        lane. Raises what discord.py raises.
        """
        person = message.guild is not None and message.webhook_id is None
        if person and self._speaks_to_me(message) and await insist(lambda: self._concerns(message)):
            assert message.guild is not None
            try:
                message.author = await message.guild.fetch_member(message.author.id)
            except discord.NotFound:
                return  # who left the server waits for no answer in it
        await self._take(message, missed=True)

    def edited(self, message: discord.Message) -> None:
        """Takes the old text's place if its answer has not been begun."""
        if self._may_concern(message) and message.edited_at is not None:
            text = text_of(message, self._me)
            self._change(message.channel.id, lambda: self._inbox.amend(event_key(message.id), text))

    def deleted(self, channel: int, message: int) -> None:
        self._change(channel, lambda: self._inbox.withdraw(event_key(message)))

    async def _take(self, message: discord.Message, *, missed: bool = False) -> None:
        """Admit a message if it is for the bot. Returns when it is safe, however long the database is away."""
        self.progress.begin(message.id)
        try:
            if self._may_concern(message) and await insist(lambda: self._concerns(message)):
                await self._admit(message, missed=missed)
        except Exception:  # noqa: BLE001 - it fails as often as it is tried, and must not hold up what comes after it
            _log.exception("message %d could not be taken in", message.id)
        self.progress.done(message.id)

    async def _admit(self, message: discord.Message, *, missed: bool) -> None:
        inbound = await inbound_of(message, self._me, self._access, self._limits)
        inbound = replace(inbound, missed=missed)
        try:
            admitted = await insist(lambda: self._inbox.admit(inbound), lambda: _tell(message, CANNOT_SAVE))
        except UserError as refused:
            if not (isinstance(refused, OverLimit) and refused.told):
                await _tell(message, str(refused), mark="?")
            return
        if not admitted.duplicate:
            task = asyncio.create_task(_show_typing(message.channel))
            self._typing.add(task)
            task.add_done_callback(self._typing.discard)

    def _may_concern(self, message: discord.Message) -> bool:
        """All that can be told without asking the database."""
        guild = message.guild.id if message.guild else None
        webhook = message.webhook_id is not None
        visitor = visitor_of(message.author, message.channel, guild, webhook=webhook)
        return self._speaks_to_me(message) and self._access.admits(visitor)

    def _speaks_to_me(self, message: discord.Message) -> bool:
        if message.author.id == self._me.id or message.type not in SPOKEN:
            return False
        if message.guild is None:
            return True
        if opens_for_somebody_else(message, self._me):
            return False
        return addressed(message, self._me) or isinstance(message.channel, discord.Thread)

    async def _concerns(self, message: discord.Message) -> bool:
        """In a thread that the bot did not open, those messages that name it or belong to a running conversation."""
        thread = message.channel
        if not isinstance(thread, discord.Thread) or addressed(message, self._me):
            return True
        if not says_something(message):
            return False  # withheld: the message content intent is off
        if thread.owner_id == self._me.id:
            return True
        return await self._database.read(_goes_on, place_of(thread, thread.guild.id), message.id)

    def _change(self, channel: int, change: Callable[[], Awaitable[object]]) -> None:
        """In the channel's lane: behind the message that is changed."""

        async def work() -> None:
            await insist(change)

        self.lanes.put(channel, work)


def _goes_on(connection: Connection, place: ConversationKey, message: int) -> bool:
    """Whether a conversation is going on there that had begun when this was said: what is heard late, after a later
    mention, was said among others.
    """
    active = conversations.find_active(connection, place.platform, place.workspace, place.channel, place.thread)
    if active is None:
        return False
    first = message_of(turns.first_event(connection, active.number) or "")
    return first is None or first <= message


async def _tell(message: discord.Message, sentence: str, *, mark: str = "!") -> None:
    """Once for each `mark`, as long as Discord remembers a nonce."""
    with suppress(discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError):
        await message.reply(sentence, nonce=f"{mark}{message.id}", mention_author=False, suppress_embeds=True)


async def _show_typing(channel: discord.abc.Messageable) -> None:
    """Beside everything else: people wait for the answer, not for this."""
    with suppress(discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError):
        await channel.typing()

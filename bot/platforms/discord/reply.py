"""One turn's answer in Discord: a message that grows by edits, then the final parts, a file for a very long answer."""

import hashlib
import io
import logging
from base64 import b32encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord

from bot.errors import PlatformGone
from bot.platforms import discord_text
from bot.platforms.discord import wire
from bot.platforms.discord.buttons import answered_buttons, asking_buttons, is_of_turn, running_buttons
from bot.platforms.discord.places import question_of
from bot.platforms.platform import ApprovalRef, Final, TurnRef

_log = logging.getLogger(__name__)

SEARCHED = 500
"""Messages after the question in which a turn looks for what it may have posted."""
FILE_NAME = "answer.md"


class DiscordReply:
    """See bot.platforms.platform.Reply. A remote id is `channel id:message id`."""

    def __init__(
        self, connected: Callable[[], Awaitable[discord.Client]], turn: TurnRef, *, parts: int, seconds: float
    ) -> None:
        self._connected = connected
        self._turn = turn
        self._most_parts = parts
        self._seconds = seconds
        self._question = question_of(turn)
        self._guild = int(turn.key.workspace) if turn.key.workspace else None
        self._channel: int | None = None
        self._last = int(turn.event_key.rpartition(":")[2])
        self._tried: set[str] = set()
        self._shown: dict[str, str] = {}
        self._dressed = not turn.resumed
        """Whether the growing message has its buttons: it may have asked something before."""

    async def post(self, part: int, text: str, *, key: str) -> str:
        """Discord returns the earlier message for a nonce it saw some minutes ago; beyond that it is looked for."""
        self._client = await self._connected()
        async with wire.calling(self._client, self._seconds):
            self._channel, self._last = await self._posted(part, text, key)
        return f"{self._channel}:{self._last}"

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        content = discord_text.with_status(text, status)
        if self._dressed:
            await self._show(remote_id, content)
        else:
            await self._dress(remote_id, content, running_buttons(self._turn.turn))
        return True

    async def ask(self, remote_id: str, text: str, approval: ApprovalRef) -> None:
        await self._dress(remote_id, text, asking_buttons(self._turn.turn, approval.id))
        self._dressed = False

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        await self._show(remote_id, _content(part, text))

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        self._client = await self._connected()
        first, last = self._message(remote_ids[0]), self._message(remote_ids[-1])
        if first.id != last.id:
            await self._changed(first, lambda: first.edit(view=None))
        view = answered_buttons(self._turn.turn)
        if len(discord_text.split(final.text)) <= self._most_parts:
            await self._changed(last, lambda: last.edit(view=view))
            return
        whole = final.text.encode()
        await self._changed(
            last, lambda: last.edit(view=view, attachments=[discord.File(io.BytesIO(whole), FILE_NAME)])
        )

    async def _show(self, remote_id: str, content: str) -> None:
        self._client = await self._connected()
        message = self._message(remote_id)
        if self._shown.get(remote_id) != content:
            await self._changed(message, lambda: message.edit(content=content))
        self._shown[remote_id] = content

    async def _dress(self, remote_id: str, content: str, view: discord.ui.View) -> None:
        self._client = await self._connected()
        message = self._message(remote_id)
        await self._changed(message, lambda: message.edit(content=content, view=view))
        self._shown[remote_id], self._dressed = content, True

    async def _changed(self, message: discord.PartialMessage, change: Callable[[], Awaitable[object]]) -> None:
        """Make a change, also in a thread that was archived meanwhile."""
        async with wire.calling(self._client, self._seconds):
            try:
                await change()
            except discord.HTTPException as error:
                if error.code != wire.ARCHIVED_THREAD:
                    raise
                thread = await self._client.fetch_channel(message.channel.id)
                if not isinstance(thread, discord.Thread) or thread.locked:
                    raise
                await thread.edit(archived=False)
                await change()

    async def _posted(self, part: int, text: str, key: str) -> tuple[int, int]:
        """Where a part is: found where it may have been posted before, else posted where the bot may write."""
        uncertain = self._turn.resumed or key in self._tried
        self._tried.add(key)
        places = await self._places()
        for channel in places:
            place = self._client.get_partial_messageable(channel, guild_id=self._guild)
            try:
                found = await self._find(place, part, text) if uncertain else None
                message = found or await self._send(place, part, text, key)
                await self._correct(message, part, text)
            except discord.HTTPException as error:
                if channel == places[-1] or error.code not in wire.FORBIDDEN:
                    raise
                _log.warning("no answer in the thread, it goes to the channel: %s", wire.told(error))
            else:
                return channel, message.id
        raise AssertionError

    async def _correct(self, message: discord.Message, part: int, text: str) -> None:
        """A message of before says what was to be said then."""
        content = _content(part, text)
        if message.content.strip() != content.strip():
            await message.edit(content=content)
        self._shown[f"{message.channel.id}:{message.id}"] = content

    async def _places(self) -> list[int]:
        """Where the answer may go, the best first: a question in a channel opens a thread, if the bot may."""
        if self._channel is not None:
            return [self._channel]
        key = self._turn.key
        if not key.thread or key.thread != str(self._question):
            return [int(key.thread or key.channel)]
        threads = [int(key.thread)] if await self._open_thread() else []
        return [*threads, int(key.channel)]

    async def _open_thread(self) -> bool:
        """Open the question's thread, or find it opened; False where the bot may not."""
        await self._client.wait_until_ready()
        channel = self._client.get_partial_messageable(int(self._turn.key.channel), guild_id=self._guild)
        if channel.guild is None:
            raise PlatformGone("the bot is no member of this server any more")
        thread = int(self._turn.key.thread)
        if channel.guild.get_thread(thread) is not None:
            return True
        try:
            await channel.get_partial_message(thread).create_thread(name=discord_text.thread_name(self._turn.title))
        except discord.HTTPException as error:
            if error.code in wire.FORBIDDEN:
                _log.warning("no thread, the answer goes to the channel: the bot lacks Create Public Threads")
                return False
            if error.code == wire.THREAD_EXISTS or await self._is_thread(thread):
                return True
            raise
        return True

    async def _is_thread(self, thread: int) -> bool:
        """A forum post's first message has the thread's id; a question may be deleted from beside its thread."""
        try:
            await self._client.fetch_channel(thread)
        except discord.NotFound:
            return False
        return True

    async def _send(self, place: discord.PartialMessageable, part: int, text: str, key: str) -> discord.Message:
        """The first part carries the button that it is recognised by, and refers to the question where it may."""
        content, marks = _content(part, text), self._marks(place) if part == 0 else {}
        common: dict[str, Any] = {"nonce": self._nonce(key), "suppress_embeds": True, "mention_author": False}
        try:
            return await place.send(content, **common, **marks)
        except discord.HTTPException as error:
            if error.code != wire.NO_REPLY_WITHOUT_HISTORY:
                raise
            return await place.send(content, **common, view=marks["view"])

    def _marks(self, place: discord.PartialMessageable) -> dict[str, Any]:
        view = running_buttons(self._turn.turn)
        opened_here = str(place.id) == self._turn.key.thread == str(self._question)
        if self._question is None or opened_here:  # Discord refuses references into another channel
            return {"view": view}
        question = discord.MessageReference(message_id=self._question, channel_id=place.id, fail_if_not_exists=False)
        return {"view": view, "reference": question}

    def _nonce(self, key: str) -> str:
        """At most 25 characters, the same for every repetition of this post."""
        return b32encode(hashlib.sha256(f"{self._turn.event_key} {key}".encode()).digest()).decode()[:24]

    async def _find(self, place: discord.PartialMessageable, part: int, text: str) -> discord.Message | None:
        """What this turn posted before it was interrupted: its first part by its buttons or by the message it replies
        to, others by their text. One turn at a time answers in a conversation.
        """
        me = self._client.user
        assert me is not None
        async for message in place.history(limit=SEARCHED, after=discord.Object(self._last), oldest_first=True):
            if message.author.id == me.id and self._is_part(message, part, text):
                return message
        return None

    def _is_part(self, message: discord.Message, part: int, text: str) -> bool:
        if part > 0:
            return message.content.strip() == text.strip()
        reference = message.reference.message_id if message.reference else None
        return is_of_turn(message, self._turn.turn) or (self._question is not None and reference == self._question)

    def _message(self, remote_id: str) -> discord.PartialMessage:
        """A message of this answer; what is posted next comes after it."""
        channel, _, message = remote_id.partition(":")
        self._channel, self._last = int(channel), int(message)
        place = self._client.get_partial_messageable(self._channel, guild_id=self._guild)
        return place.get_partial_message(self._last)


def _content(part: int, text: str) -> str:
    """The first part shows that somebody is at work as long as there is no text; Discord refuses an empty message."""
    return text if part > 0 or text.strip() else discord_text.with_status("", "")

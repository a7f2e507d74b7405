"""One turn's answer in Slack: streamed where one person reads, else a message that is edited; then the final parts."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.platforms import slack_text
from bot.platforms.platform import Final, TurnRef
from bot.platforms.slack import blocks
from bot.platforms.slack.api import Api, Refused
from bot.platforms.slack.files import upload
from bot.platforms.slack.places import Team, is_direct, question_of
from bot.platforms.slack.stream import Stream
from bot.platforms.slack.surface import Surface

_log = logging.getLogger(__name__)

UPDATE = "chat.update"
EVENT_TYPE = "secret_agents_answer"
SEARCHED = 15
"""Messages behind the question in which a resumed turn looks for what it posted; what Slack gives at once."""


class SlackReply:
    """See bot.platforms.platform.Reply. A remote id is the message's ts."""

    def __init__(
        self,
        api: Api,
        surface: Surface,
        team: Team,
        turn: TurnRef,
        parts: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._surface = surface
        self._team = team
        self._turn = turn
        self._most_parts = parts
        self._place = {"channel": turn.key.channel, "thread_ts": turn.key.thread}
        self._stream = Stream(api, turn, now)
        self._in_doubt = turn.resumed
        """A message may be there that we do not know of."""

    async def post(self, part: int, text: str, *, key: str) -> str:
        """A message is recognised by its metadata; a stream, which has none, by being ours behind the question."""
        found = await self._find(part, key) if self._in_doubt else None
        if found is not None:
            return found
        self._in_doubt = True
        if part == 0:
            await self._surface.working(self._turn.key, self._turn.title)
        ts = await self._begun(part, text, key)
        self._in_doubt = self._turn.resumed
        return ts

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        if self._stream.ts == remote_id:
            return await self._stream.show(slack_text.inert(text), status)
        if not self._api.has_room(UPDATE):
            return False
        await self._update(remote_id, blocks.running(self._turn.turn, text, status))
        return True

    async def edit(self, part: int, remote_id: str, text: str) -> None:  # noqa: ARG002 - parts look alike
        ending = [blocks.feedback(self._turn.turn)]
        if self._stream.ts == remote_id and await self._stream.end(slack_text.inert(text), ending):
            return
        await self._update(remote_id, blocks.finished(self._turn.turn, text))

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        parts = slack_text.split(final.text)
        if len(remote_ids) > 1:  # only the last one is to be rated
            for ts, text in zip(remote_ids[:-1], parts, strict=False):
                await self._update(ts, blocks.finished(self._turn.turn, text, rated=False))
        if len(parts) > self._most_parts:
            await self._attach(final.text)
        await self._surface.done(self._turn.key)

    async def _begun(self, part: int, text: str, key: str) -> str:
        if part == 0 and not text and is_direct(self._turn.key.channel):
            ts = await self._stream.begin()
            if ts is not None:
                return ts
        number = self._turn.turn
        content = blocks.finished(number, text) if text else blocks.running(number, "", "")
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": self._key(key)}}
        posted = await self._api.call(
            "chat.postMessage", **self._place, **content, metadata=metadata, unfurl_links=False, unfurl_media=False
        )
        return str(posted["ts"])

    async def _update(self, ts: str, content: dict[str, Any]) -> None:
        try:
            await self._api.call(UPDATE, channel=self._turn.key.channel, ts=ts, **content)
        except Refused as refused:
            if refused.error != "streaming_state_conflict":
                raise
            await self._stream.give_up(ts)
            await self._api.call(UPDATE, channel=self._turn.key.channel, ts=ts, **content)

    async def _find(self, part: int, key: str) -> str | None:
        for message in await self._behind_question():
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            if payload.get("key") == self._key(key):
                return str(message["ts"])
            streamed = part == 0 and not payload and not message.get("files") and is_direct(self._turn.key.channel)
            if streamed:
                return str(message["ts"])
        return None

    async def _behind_question(self) -> list[dict[str, Any]]:
        """Our messages that came after the question."""
        arguments = {"channel": self._turn.key.channel, "ts": self._turn.key.thread, "limit": SEARCHED}
        question = question_of(self._turn)
        found = await self._api.call("conversations.replies", **arguments, oldest=question, include_all_metadata="true")
        ours = (self._team.bot_id, self._team.bot_user)
        messages = [m for m in found.get("messages", []) if m.get("bot_id") in ours or m.get("user") in ours]
        return [m for m in messages if m["ts"] > question]

    def _key(self, key: str) -> str:
        """Unique beyond this database: turns of another one have the same numbers."""
        return f"{self._turn.event_key} {key}"

    async def _attach(self, text: str) -> None:
        name = f"answer-{self._turn.turn}.md"
        if self._in_doubt:
            messages = await self._behind_question()
            if any(file.get("name") == name for message in messages for file in message.get("files") or []):
                return
        self._in_doubt = True
        await upload(self._api, name, text.encode(), **self._place)


class LateReply:
    """A reply that waits for the connection before it does anything: turns are resumed before it is there."""

    def __init__(self, connected: Callable[[], Awaitable[SlackReply]]) -> None:
        self._connected = connected
        self._reply: SlackReply | None = None

    async def post(self, part: int, text: str, *, key: str) -> str:
        return await (await self._there()).post(part, text, key=key)

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        return await (await self._there()).grow(remote_id, text, status)

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        await (await self._there()).edit(part, remote_id, text)

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        await (await self._there()).finish(remote_ids, final)

    async def _there(self) -> SlackReply:
        if self._reply is None:
            self._reply = await self._connected()
        return self._reply

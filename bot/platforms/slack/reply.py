"""One turn's answer in Slack: streamed where one person reads, else a message that is edited; then the final parts."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from bot.platforms import slack_text
from bot.platforms.platform import ApprovalRef, Final, TurnRef
from bot.platforms.slack import blocks
from bot.platforms.slack.api import Api, Refused
from bot.platforms.slack.files import upload
from bot.platforms.slack.places import Team, is_direct
from bot.platforms.slack.search import Search, metadata
from bot.platforms.slack.stream import Stream
from bot.platforms.slack.surface import Surface

_log = logging.getLogger(__name__)

Content = dict[str, Any]
UPDATE = "chat.update"
FILE_NOTE = "\n\n_The whole answer is in the file below._"
TOO_LONG = frozenset({"msg_too_long", "msg_blocks_too_long"})
SURELY_SHORT = 3_000
"""Characters of what is shown where Slack finds a part too long, by whatever it counts; the rest is in a file."""
NOT_TO_BE_EDITED = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Somebody deleted the message, or the workspace lets nobody edit it any more."""


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
        self._turn = turn
        self._most_parts = parts
        self._place = {"channel": turn.key.channel, "thread_ts": turn.key.thread}
        self._stream = Stream(api, turn, now)
        self._search = Search(api, team, turn)
        self._in_doubt = turn.resumed
        """A message may be there that we do not know of."""
        self._at_work = not turn.resumed
        """Whether Slack was told that somebody is at work: posting does, and what was paused goes on without."""
        self._anew: dict[str, str] = {}
        """Where a message is now that could not be edited."""

    async def post(self, part: int, text: str, *, key: str) -> str:  # noqa: ARG002 - the part's name says as much
        name = self._name(part)
        found = await self._search.posted(name, streamed=part == 0) if self._in_doubt else None
        if found is not None:
            if text:  # it says what was to be said then
                await self.edit(part, found, text)
            return found
        self._in_doubt = True
        if part == 0:
            await self._surface.working(self._turn.key, self._turn.title)
        ts = await self._begun(name, text)
        self._in_doubt = self._turn.resumed
        return ts

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        if not self._at_work:
            self._at_work = True
            await self._surface.working(self._turn.key, self._turn.title)
        if self._stream.ts == remote_id:
            return await self._stream.show(slack_text.growing(text), status)
        if not self._api.has_room(UPDATE):
            return False
        await self._update(remote_id, blocks.running(self._turn.turn, text, status))
        return True

    async def ask(self, remote_id: str, text: str, approval: ApprovalRef) -> None:
        if self._stream.ts == remote_id:
            await self._stream.give_up(remote_id)
        await self._update(remote_id, blocks.asking(self._turn.turn, text, approval.id))
        await self._surface.done(self._turn.key)  # nobody is at work while people think about it

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        name = self._name(part)
        if self._stream.ts == remote_id:
            ending = {"blocks": [blocks.feedback(self._turn.turn)], "metadata": metadata(name)}
            if await self._stream.end(slack_text.inert(text), **ending):
                return
        try:
            await self._finished(name, text, partial(self._update, remote_id))
        except Refused as refused:
            if refused.error not in NOT_TO_BE_EDITED:
                raise
            _log.warning("turn %d: an answer is posted anew: %s", self._turn.turn, refused)
            self._anew[remote_id] = await self._posted_anew(f"{name} anew", text)

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        parts = slack_text.split(final.text)
        if len(remote_ids) > 1:  # only the last one is to be rated
            for part, (ts, text) in enumerate(zip(remote_ids[:-1], parts, strict=False)):
                await self._unrated(self._name(part), ts, text)
        if len(parts) > self._most_parts:
            await self._attach_all(remote_ids[0], final.text, parts)
        await self._surface.done(self._turn.key, resumed=self._turn.resumed)

    async def _unrated(self, name: str, ts: str, text: str) -> None:
        try:
            await self._finished(name, text, partial(self._update, ts), rated=False)
        except Refused as refused:
            _log.info("a part keeps its buttons: %s", refused)

    async def _begun(self, name: str, text: str) -> str:
        if text:
            return await self._finished(name, text, self._post)
        if is_direct(self._turn.key.channel) and (ts := await self._stream.begin()) is not None:
            return ts
        return await self._post(blocks.running(self._turn.turn, "", "") | {"metadata": metadata(name)})

    async def _post(self, content: Content) -> str:
        posted = await self._api.call(
            "chat.postMessage", **self._place, **content, unfurl_links=False, unfurl_media=False
        )
        return str(posted["ts"])

    async def _update(self, ts: str, content: Content) -> str:
        arguments = {"channel": self._turn.key.channel, "ts": self._anew.get(ts, ts), **content}
        try:
            await self._api.call(UPDATE, **arguments)
        except Refused as refused:
            if refused.error != "streaming_state_conflict":
                raise
            await self._stream.give_up(arguments["ts"])
            await self._api.call(UPDATE, **arguments)
        return ts

    async def _posted_anew(self, name: str, text: str) -> str:
        found = await self._search.posted(name, streamed=False)
        return found or await self._finished(name, text, self._post)

    async def _finished(
        self, name: str, text: str, put: Callable[[Content], Awaitable[str]], *, rated: bool = True
    ) -> str:
        """Show a finished part. What Slack finds too long is shown in short, and whole in a file."""
        named = {"metadata": metadata(name)}
        try:
            return await put(blocks.finished(self._turn.turn, text, rated=rated) | named)
        except Refused as refused:
            if refused.error not in TOO_LONG:
                raise
            _log.warning("turn %d: a part of the answer becomes a file: %s", self._turn.turn, refused)
        short = slack_text.first(text, SURELY_SHORT) + FILE_NOTE
        ts = await put(blocks.finished(self._turn.turn, short, rated=rated) | named)
        await self._attach(f"answer-{self._turn.turn}-{name.rpartition(' ')[2]}.md", text)
        return ts

    async def _attach_all(self, ts: str, text: str, parts: Sequence[str]) -> None:
        """Where the app may not share files, the rest comes as messages, however many."""
        try:
            await self._attach(f"answer-{self._turn.turn}.md", text)
        except Refused as refused:
            _log.warning("turn %d: there are more messages instead of a file: %s", self._turn.turn, refused)
            await self._finished(self._name(0), parts[0], partial(self._update, ts), rated=False)
            for part, more in enumerate(parts[1:], 1):
                await self.post(part, more, key="")

    async def _attach(self, file: str, text: str) -> None:
        if self._in_doubt and await self._search.has_file(file):
            return
        self._in_doubt = True
        await upload(self._api, file, text.encode(), **self._place)

    def _name(self, part: int) -> str:
        """Of a part, unique beyond this database: turns of another one have the same numbers."""
        return f"{self._turn.event_key} {part}"


class LateReply:
    """A reply that waits for the connection before it does anything: turns are resumed before it is there."""

    def __init__(self, connected: Callable[[], Awaitable[SlackReply]]) -> None:
        self._connected = connected
        self._reply: SlackReply | None = None

    async def post(self, part: int, text: str, *, key: str) -> str:
        return await (await self._there()).post(part, text, key=key)

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        return await (await self._there()).grow(remote_id, text, status)

    async def ask(self, remote_id: str, text: str, approval: ApprovalRef) -> None:
        await (await self._there()).ask(remote_id, text, approval)

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        await (await self._there()).edit(part, remote_id, text)

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        await (await self._there()).finish(remote_ids, final)

    async def _there(self) -> SlackReply:
        if self._reply is None:
            self._reply = await self._connected()
        return self._reply

"""Routes that open threads: from a message, without one, and as a forum post."""

from typing import Any

from tests.fakes.discord.calls import Answer, Call, Route
from tests.fakes.discord.changes import Changes
from tests.fakes.discord.encoding import channel_json
from tests.fakes.discord.errors import DiscordError
from tests.fakes.discord.permissions import P
from tests.fakes.discord.state import Channel, Kind

THREADABLE = (Kind.TEXT, Kind.NEWS)


class ThreadRoutes:
    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._world = changes.world

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/channels/{channel_id}/messages/{message_id}/threads", self._from_message),
            Route("POST", "/channels/{channel_id}/threads", self._new),
        ]

    def _from_message(self, call: Call) -> Answer:
        channel = self._world.channel(call.id("channel_id"))
        if channel.kind not in THREADABLE:
            raise DiscordError(50024)
        self._world.require(channel, P.CREATE_PUBLIC_THREADS, P.READ_MESSAGE_HISTORY)
        message = self._world.message(channel, call.id("message_id"))
        if message.id in self._world.channels:
            raise DiscordError(160004)
        options = _options(call.body)
        return self._answer(
            self._changes.open_thread(channel, self._world.bot, call.body["name"], starter=message, **options)
        )

    def _new(self, call: Call) -> Answer:
        channel = self._world.channel(call.id("channel_id"))
        if channel.kind is Kind.FORUM:
            return self._forum_post(channel, call)
        if channel.kind not in THREADABLE:
            raise DiscordError(50024)
        kind = Kind(call.body.get("type") or Kind.PRIVATE_THREAD)
        public = kind is not Kind.PRIVATE_THREAD
        self._world.require(channel, P.CREATE_PUBLIC_THREADS if public else P.CREATE_PRIVATE_THREADS)
        options = _options(call.body)
        return self._answer(
            self._changes.open_thread(channel, self._world.bot, call.body["name"], kind=kind, **options)
        )

    def _forum_post(self, forum: Channel, call: Call) -> Answer:
        """The post's first message has the thread's id."""
        self._world.require(forum, P.SEND_MESSAGES)
        draft = self._changes.drafts.read(call.body.get("message") or {}, call.files, prefix="message.")
        if self._changes.drafts.empty(draft):
            raise DiscordError(50006)
        options = _options(call.body) | {"applied_tags": list(map(str, call.body.get("applied_tags") or []))}
        thread = self._changes.open_thread(forum, self._world.bot, call.body["name"], **options)
        message = self._changes.post(thread, self._world.bot, draft, number=thread.id)
        answer = self._answer(thread)
        answer.body["message"] = self._changes.encoder.message(message)
        return answer

    def _answer(self, thread: Channel) -> Answer:
        return Answer(201, channel_json(thread, self._world.bot))


def _options(body: dict[str, Any]) -> dict[str, Any]:
    return {"auto_archive_minutes": body.get("auto_archive_duration") or 1440}

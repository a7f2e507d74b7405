"""From Slack's events to what the inbox admits. A listener returns when its event is stored, and only then Slack is
told that we have it; an event that cannot be stored in time is repeated by Slack, and stored here all the same.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.errors import OverLimit, PlatformError, PlatformGone, UserError
from bot.inbox import Inbox
from bot.platforms import slack_text
from bot.platforms.insisting import insist
from bot.platforms.lanes import Lanes
from bot.platforms.platform import ConversationKey
from bot.platforms.slack.api import Api
from bot.platforms.slack.places import Team, event_key, is_direct, key_of_message, ts_of
from bot.platforms.slack.questions import Event, Questions, speaker_of
from bot.platforms.slack.words import Words
from storage import conversations, turns
from storage.database import Connection, Database

_log = logging.getLogger(__name__)

SPOKEN = frozenset({None, "file_share", "thread_broadcast"})
FROM_APPS = "bot_message"
"""The subtype of what older apps and webhooks say; newer ones speak as people do, with a `bot_id`."""
ACKNOWLEDGE_SECONDS = 2.5
"""Slack waits three seconds."""
MAX_UNDERWAY = 10_000
"""Events that wait for the database; Slack keeps those beyond."""
WAITING = "I cannot save messages right now. I answer this one as soon as I can."
MISSED_SECONDS = 60.0
"""An event that comes so late was sent while nobody listened, and was repeated by Slack."""


class NotStoredYet(Exception):
    """The event is not stored yet, so Slack is not told that we have it."""


class Intake:
    """Of one workspace."""

    def __init__(
        self,
        team: Team,
        api: Api,
        inbox: Inbox,
        database: Database,
        questions: Questions,
        words: Words,
        *,
        answer_bots: bool,
    ) -> None:
        self._team = team
        self._api = api
        self._inbox = inbox
        self._database = database
        self._questions = questions
        self._words = words
        self._answer_bots = answer_bots
        self.lanes: Lanes[str] = Lanes()
        self._underway: dict[str, asyncio.Future[None]] = {}

    async def message(self, event: Event) -> None:
        """`message` and `app_mention` events alike. Raises NotStoredYet."""
        subtype, channel = event.get("subtype"), event["channel"]
        if subtype == "message_changed":
            await self._stored(event, event["message"], lambda: self._edited(event))
        elif subtype == "message_deleted":
            deleted = {"ts": event["deleted_ts"], **(event.get("previous_message") or {})}
            await self._stored(event, deleted, lambda: self._deleted(channel, deleted["ts"]))
        elif (subtype in SPOKEN or subtype == FROM_APPS) and self._may_concern(event):
            await self._stored(event, event, lambda: self._said(event))

    def _may_concern(self, event: Event) -> bool:
        """All that can be told without asking the database."""
        if speaker_of(event) in {"", self._team.bot_user} or event.get("bot_id") == self._team.bot_id:
            return False
        if event.get("bot_id") and not self._answer_bots:
            return False
        text = str(event.get("text") or "")
        if is_direct(event["channel"]):
            return True
        if slack_text.opens_for_somebody_else(text, self._team.bot_user):
            return False
        return self._addressed(event) or "thread_ts" in event

    def _addressed(self, event: Event) -> bool:
        return event["type"] == "app_mention" or slack_text.mentions(str(event.get("text") or ""), self._team.bot_user)

    async def _said(self, event: Event) -> None:
        if not is_direct(event["channel"]) and not self._addressed(event) and not await self._is_ours(event):
            return
        if await self._words.carried_out(event, addressed=self._addressed(event)):
            return
        inbound = await self._questions.inbound(event)
        inbound = replace(inbound, missed=time.time() - float(event["ts"]) > MISSED_SECONDS)
        try:
            await insist(lambda: self._inbox.admit(inbound), lambda: self._tell(event, WAITING))
        except UserError as refused:
            if not (isinstance(refused, OverLimit) and refused.told):
                await self._tell(event, str(refused))

    async def _is_ours(self, event: Event) -> bool:
        """Whether a thread holds a running conversation. Nobody is told when this fails: in most threads nobody
        talks to the bot.
        """
        key = key_of_message(self._team.id, event)
        return await insist(lambda: self._database.read(_goes_on, key, event["ts"]))

    async def _edited(self, event: Event) -> None:
        message, before = event["message"], event.get("previous_message") or {}
        if message.get("subtype") == "tombstone":
            await self._deleted(event["channel"], message["ts"])
        elif message.get("text") != before.get("text") and message.get("user") != self._team.bot_user:
            key = event_key(self._team.id, event["channel"], message["ts"])
            text = await self._questions.text(message)
            await insist(lambda: self._inbox.amend(key, text))

    async def _deleted(self, channel: str, ts: str) -> None:
        await insist(lambda: self._inbox.withdraw(event_key(self._team.id, channel, ts)))

    async def _stored(self, event: Event, message: Event, work: Callable[[], Awaitable[None]]) -> None:
        """Do it in the lane of the message's thread, and wait as long as Slack waits. A repetition waits, too."""
        name = f"{event['type']} {event['channel']} {event.get('event_ts') or event['ts']}"
        done = self._underway.get(name)
        if done is None:
            if len(self._underway) >= MAX_UNDERWAY:
                raise NotStoredYet
            done = self._underway[name] = asyncio.get_running_loop().create_future()
            place = f"{event['channel']} {message.get('thread_ts') or message['ts']}"
            self.lanes.put(place, lambda: self._done(name, work))
        await asyncio.wait([done], timeout=ACKNOWLEDGE_SECONDS)
        if not done.done() or done.cancelled():
            raise NotStoredYet

    async def _done(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        done = self._underway[name]
        try:
            await work()
            done.set_result(None)
        finally:
            done.cancel()
            del self._underway[name]

    async def _tell(self, event: Event, sentence: str) -> None:
        """Only to who wrote it: Slack has no way to say it once to all."""
        thread = event.get("thread_ts") or event["ts"]
        try:
            await self._api.call(
                "chat.postEphemeral", channel=event["channel"], user=speaker_of(event), thread_ts=thread, text=sentence
            )
        except (PlatformError, PlatformGone) as error:
            _log.warning("%s", error)


def _goes_on(connection: Connection, key: ConversationKey, ts: str) -> bool:
    """Whether a conversation is going on there that had begun when this was said: what is heard late, after a later
    mention, was said among others.
    """
    active = conversations.find_active(connection, key.platform, key.workspace, key.channel, key.thread)
    if active is None:
        return False
    first = ts_of(turns.first_event(connection, active.number) or "")
    return first is None or float(first) <= float(ts)

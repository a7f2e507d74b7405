"""A workspace with its people: what they say, click and press, and what they see of the bot."""

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass

from tests.fakes.slack import clicks, events
from tests.fakes.slack.delivery import Delivery
from tests.fakes.slack.hub import Hub
from tests.fakes.slack.interactions import Interaction
from tests.fakes.slack.refusals import Json
from tests.fakes.slack.response_urls import ResponseUrls
from tests.fakes.slack.state import Channel, File, Message
from tests.fakes.slack.web_api_streams import end
from tests.fakes.slack.wire import message_json
from tests.fakes.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that somebody sends. `hidden`: the event names only its id, `files.info` tells the rest."""

    name: str
    content: bytes
    mimetype: str | None = None
    hidden: bool = False


class Team(Workspace):
    """Texts are Slack's own: `<@U0BOT> hello`, with `&amp; &lt; &gt;` for the three characters."""

    def __init__(
        self, hub: Hub, urls: ResponseUrls, team_id: str, *, domain: str, bot_token: str, bot_user: str, bot_id: str
    ) -> None:
        super().__init__(hub, team_id, domain=domain, bot_token=bot_token, bot_user=bot_user, bot_id=bot_id)
        self._urls = urls

    @property
    def mention(self) -> str:
        """What people type to mention the bot."""
        return f"<@{self.bot_user}>"

    def dm(self, user: str) -> str:
        """The id of somebody's direct message with the bot."""
        return self.direct([user]).id

    def say(
        self,
        channel: str,
        user: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Iterable[Attached] = (),
        broadcast: bool = False,
    ) -> Message:
        """A person posts. `broadcast` shows a reply in the channel, too."""
        self._check_writer(channel, user)
        assert thread_ts is None or (channel, thread_ts) in self.messages, "there is no such thread"
        kept = [self._attached(file, user, channel) for file in files]
        subtype = "thread_broadcast" if broadcast else "file_share" if kept else None
        ts = self.hub.next_ts()
        return self.publish(Message(channel, ts, user, text, thread_ts=thread_ts, subtype=subtype, files=kept))

    def edit(self, message: Message, text: str) -> None:
        self.revise(message, {"text": text})

    def delete(self, message: Message) -> None:
        self.withdraw(message)

    def unfurl(self, message: Message) -> None:
        """A preview appears under somebody's message: an edit event although nobody edited."""
        before = message_json(self, message)
        message.attachments = [{"title": "A page", "from_url": "https://example.com", "id": 1}]
        events.changed(self, message, before)
        self.hub.changes.tell()

    def other_bot_says(
        self, channel: str, text: str, *, thread_ts: str | None = None, subtype: str | None = "bot_message"
    ) -> Message:
        """Another app posts, in the old way with a subtype or in the new one without."""
        message = Message(channel, self.hub.next_ts(), "U0OTHERBOT", text, thread_ts=thread_ts, subtype=subtype)
        message.bot_id = "B0OTHER"
        return self.publish(message)

    def system(self, channel: str, subtype: str, user: str, text: str) -> Message:
        """Slack itself notes something: `channel_join`, `channel_topic` and the like."""
        return self.publish(Message(channel, self.hub.next_ts(), user, text, subtype=subtype))

    def slash(self, user: str, channel: str, command: str, text: str = "") -> Interaction:
        """Type a command; that is not possible in a thread. The bot need not be in the channel."""
        url = self._urls.make(self, channel, user)
        return clicks.sent(self, "slash_commands", clicks.command(self, url, command, text), url)

    def click(self, user: str, message: Message, action_id: str, value: str | None = None) -> Interaction:
        """Press what the message really shows: KeyError without such an element or value."""
        url = self._urls.make(self, message.channel, user, message)
        return clicks.sent(self, "interactive", clicks.block_actions(self, url, message, action_id, value), url)

    def shortcut(self, user: str, message: Message, callback_id: str) -> Interaction:
        """Choose a message shortcut."""
        url = self._urls.make(self, message.channel, user)
        return clicks.sent(self, "interactive", clicks.message_action(self, url, message, callback_id), url)

    def press_stop(self, user: str, channel: str, thread_ts: str, *, refusal: str | None = None) -> Delivery:
        """Slack's own Stop, shown while the session is processing. Slack ends the thread's streams itself.

        `refusal` is what later calls for those streams get: `stopped_by_user` is reported as well as the default.
        """
        session = self.sessions.get((channel, thread_ts))
        assert session is not None, "there is no agent session, hence no Stop"
        assert session.status == "processing", f"no Stop while the session is {session.status}"
        now = self.hub.clock.now()
        running = [m for m in self.thread(channel, thread_ts) if m.streaming(now)]
        for message in running:
            end(message, refusal)
        stopped = {"channel": channel, "thread_ts": thread_ts, "user": user}
        return self._event("agent_session_stopped", stopped | {"streaming_message_ts": [m.ts for m in running]})

    def open_messages_tab(self, user: str, tab: str = "messages") -> Delivery:
        return self._event("app_home_opened", {"user": user, "channel": self.dm(user), "tab": tab})

    def uninstall(self) -> Delivery:
        """The workspace removes the app: its token is void from now on."""
        self.revoked = "account_inactive"
        return self._event("app_uninstalled", {})

    def by_bot(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """What the bot said there and everybody can see, the oldest first; `thread_ts` looks at one thread only."""
        return [
            m
            for m in (self.posts() if thread_ts is None else self._threads.get((channel, thread_ts), []))
            if m.channel == channel and m.bot_id == self.bot_id and not m.deleted and m.ephemeral_to is None
        ]

    def ephemerals(self, user: str) -> list[Message]:
        """What only this person sees of the bot, the oldest first."""
        return [m for m in self.messages.values() if m.ephemeral_to == user and not m.deleted]

    def bot_files(self, channel: str) -> list[File]:
        """What the bot uploaded there."""
        return [file for message in self.by_bot(channel) for file in message.files]

    async def answered(self, channel: str, containing: str = "", *, thread_ts: str | None = None) -> Message:
        """Wait for a message of the bot whose shown text contains the words and that does not stream any more."""
        return (
            await self.hub.changes.until(
                lambda: [m for m in self.by_bot(channel, thread_ts) if self._finished(m) and containing in m.shown]
            )
        )[0]

    def _finished(self, message: Message) -> bool:
        return not message.streaming(self.hub.clock.now())

    def _event(self, kind: str, content: Json) -> Delivery:
        assert kind in self.hub.subscriptions, f"the app does not subscribe to {kind}"
        return events.event_callback(self, {"type": kind, "event_ts": self.hub.next_ts()} | content)

    def _check_writer(self, channel: str, user: str) -> None:
        place: Channel = self.channels[channel]
        assert user in place.members, f"{user} is not in {place.name}"
        assert not place.archived, f"{place.name} is archived"

    def _attached(self, file: Attached, user: str, channel: str) -> File:
        mimetype = file.mimetype or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        kept = self.keep_file(file.name, file.content, user=user, mimetype=mimetype, hidden=file.hidden)
        kept.channels.append(channel)
        return kept

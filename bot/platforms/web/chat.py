"""Carrying out what a page asks for. Every conversation that a frame names is checked to be this browser's own."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot import approval_texts
from bot.commands import CommandAnswer, Commands, Invocation, parse
from bot.errors import MessageTooLong, UserError, sentence_for
from bot.inbox import MAX_CHARACTERS, Inbox
from bot.platforms.platform import Author, ConversationKey, Inbound
from bot.platforms.web.downloads import Downloads
from bot.platforms.web.frames import (
    AgentSummary,
    ClientFrame,
    Conversations,
    Decide,
    EndConversation,
    Error,
    GetConversations,
    Message,
    New,
    Rate,
    ServerFrame,
    Status,
    Stop,
    encode,
)
from bot.platforms.web.history import newest_fitting, past_messages, summary
from bot.platforms.web.hub import Hub, event_prefix
from bot.platforms.web.outbox import Outbox
from bot.platforms.web.reply import laid_out
from storage.conversations import Conversation, Place
from storage.errors import StorageError

PLATFORM = "web"
LISTED = 50
"""Conversations per `conversations` frame."""
SHOWN = 30
"""Messages per `conversations` frame."""
_log = logging.getLogger(__name__)


class Chat:
    """One open page of one browser. `agents` = name → description of those who can be asked for."""

    def __init__(
        self,
        inbox: Inbox,
        commands: Commands,
        agents: Mapping[str, str],
        hub: Hub,
        downloads: Downloads,
        browser: str,
        page: Outbox,
    ) -> None:
        self._inbox = inbox
        self._commands = commands
        self._agents = agents
        self._hub = hub
        self._downloads = downloads
        self._browser = browser
        self._page = page
        self._author = Author(browser, "web visitor")
        self._handlers: dict[type[ClientFrame], Callable[[Any], Awaitable[None]]] = {
            Message: self._message,
            New: self._new,
            GetConversations: self._get_conversations,
            EndConversation: self._end_conversation,
            Stop: self._stop,
            Rate: self._rate,
            Decide: self._decide,
        }

    async def handle(self, frame: ClientFrame) -> None:
        """Carry out a frame. What goes wrong becomes an `error` frame."""
        try:
            await self._handlers[type(frame)](frame)
        except (UserError, StorageError) as error:
            _log.info("%s refused: %s", type(frame).__name__, error)
            self._refuse(frame, error)
        except Exception as error:  # noqa: BLE001 - a mistake of ours; the page stays connected and is told
            _log.exception("%s failed", type(frame).__name__)
            self._refuse(frame, error)

    # The frames.

    async def _message(self, frame: Message) -> None:
        if not frame.text.strip():
            raise UserError("That message is empty.")
        if len(frame.text) > MAX_CHARACTERS:
            raise MessageTooLong
        command = parse(frame.text)
        if command is not None and command[0] == "forget":  # it is about no conversation, also where that is gone
            await self._command(frame, None, *command)
            return
        conversation = await self._own(frame.conversation_id) if frame.conversation_id else None
        if command is not None:
            await self._command(frame, conversation, *command)
        else:
            await self._admit(frame, conversation)

    async def _admit(self, frame: Message, conversation: Conversation | None) -> None:
        """A message to a conversation that has ended begins another one, in the same thread."""
        message_id = frame.message_id or secrets.token_hex(16)
        inbound = Inbound(
            key=self._key(conversation),
            author=self._author,
            text=frame.text,
            event_key=event_prefix(self._browser) + message_id,
            agent=frame.agent,
        )
        admitted = await self._inbox.admit(inbound)
        if not admitted.conversation_id:
            raise UserError("That message was erased.")
        received = Status(
            state="received",
            message_id=message_id,
            turn=admitted.turn,
            text=frame.text,
            conversation_id=admitted.conversation_id,
            duplicate=admitted.duplicate,
        )
        self._hub.send(self._browser, received)
        await self._tell_changed(admitted.conversation_id)

    async def _command(
        self, frame: Message, conversation: Conversation | None, name: str, arguments: dict[str, str]
    ) -> None:
        key = self._key(None if name == "new" else conversation)
        answer = await self._commands.run(Invocation(name, arguments, key, self._author, takes_files=True))
        if answer.erased:
            self._downloads.forget(answer.erased)
            self._hub.send(answer.erased, Status(state="forgotten"))
        self._put(await self._note(frame, name, answer))
        if answer.conversation is not None and answer.conversation.channel == self._browser:
            await self._tell_changed(answer.conversation.id)

    async def _note(self, frame: Message, name: str, answer: CommandAnswer) -> Status:
        begun = answer.conversation if name == "new" else None
        forgotten = answer.erased == self._browser
        return Status(
            state="new" if begun else "forgotten" if forgotten else "note",
            message_id=frame.message_id,
            conversation_id=begun.id if begun else None if forgotten else frame.conversation_id,
            conversation=summary(begun) if begun else None,
            text=answer.text,
            html=await laid_out(answer.text),
            file=self._downloads.keep(self._browser, answer.file) if answer.file else None,
        )

    async def _new(self, frame: New) -> None:
        begun = await self._commands.start(self._key(None), self._author, frame.agent)
        self._put(Status(state="new", conversation_id=begun.id, conversation=summary(begun)))
        await self._tell_changed(begun.id)

    async def _get_conversations(self, frame: GetConversations) -> None:
        if frame.conversation_id is not None:
            self._commands.require("show", self._key(None), self._author)
            self._put(await self._history(await self._own(frame.conversation_id), frame.before))
            return
        place = Place(PLATFORM, "", channel=self._browser)
        may_list = self._commands.may_use("list", self._key(None), self._author)
        found = await self._commands.listing(place, limit=LISTED + 1, before=frame.before) if may_list else []
        agents = [AgentSummary(name, description) for name, description in self._agents.items()]
        listed = [summary(conversation) for conversation in found[:LISTED]]
        self._put(Conversations(conversations=listed, more=len(found) > LISTED, agents=agents))

    async def _history(self, conversation: Conversation, before: int | None) -> Conversations:
        found = await self._commands.transcript(conversation, limit=SHOWN + 1, before=before)
        shown = newest_fitting(found[-SHOWN:])
        waits = await self._commands.waiting(conversation.number)
        messages = await past_messages(conversation, shown, self._hub, waits)
        return Conversations(conversations=[summary(conversation)], messages=messages, more=len(found) > len(shown))

    async def _end_conversation(self, frame: EndConversation) -> None:
        conversation = await self._own(frame.conversation_id)
        await self._commands.end(conversation, self._key(conversation), self._author)
        await self._tell_changed(conversation.id)

    async def _stop(self, frame: Stop) -> None:
        conversation = await self._own(frame.conversation_id)
        stopped = await self._commands.stop(conversation, self._key(conversation), self._author)
        self._put(Status(state="stopping" if stopped else "idle", conversation_id=conversation.id))

    async def _rate(self, frame: Rate) -> None:
        await self._commands.rate(frame.turn, frame.rating, self._key(None), self._author)
        self._hub.send(self._browser, Status(state="rated", turn=frame.turn, rating=frame.rating))

    async def _decide(self, frame: Decide) -> None:
        decision = await self._commands.decide(frame.approval, frame.decision, self._key(None), self._author)
        text, turn = approval_texts.told(decision), decision.approval.turn
        self._put(Status(state="decided", turn=turn, approval=frame.approval, text=text))

    # What they share.

    async def _own(self, conversation_id: str) -> Conversation:
        """The conversation of exactly this id in this browser. Raises UserError, the same for missing and for foreign.

        An administrator's rights over everybody's conversations are those of the /mission commands, not of the page.
        """
        found = await self._commands.find(conversation_id, self._key(None), self._author)
        if found.id != conversation_id or found.channel != self._browser:
            raise UserError("I know no such mission. `/mission list` shows yours.")
        return found

    def _key(self, conversation: Conversation | None) -> ConversationKey:
        """Where a conversation is, or a place for a fresh one."""
        thread = conversation.thread if conversation else secrets.token_hex(8)
        return ConversationKey(PLATFORM, "", self._browser, thread)

    async def _tell_changed(self, conversation_id: str) -> None:
        """The pages' lists follow. What was asked for is done already, so failing here is no failure."""
        try:
            conversation = await self._own(conversation_id)
        except (UserError, StorageError) as error:
            _log.warning("conversation %s: cannot tell its pages that it changed: %s", conversation_id, error)
            return
        changed = Status(state="updated", conversation_id=conversation.id, conversation=summary(conversation))
        self._hub.send(self._browser, changed, ("updated", conversation.id))

    def _refuse(self, frame: ClientFrame, error: Exception) -> None:
        about = {
            name: value
            for name in ("message_id", "conversation_id")
            if (value := getattr(frame, name, None)) is not None
        }
        self._put(Error(text=sentence_for(error), **about))

    def _put(self, frame: ServerFrame) -> None:
        self._page.put(encode(frame))

"""Talking to the bot in a terminal, or through a pipe: a message per line of input, answers on standard output.

One answer is shown at a time. An answer that an earlier run left unfinished is finished by the core; it is shown whole,
under a note, before anything is asked. While an answer waits for somebody's word, the prompt is there to say it.
"""

import asyncio
import signal
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from math import inf

from bot import approval_texts
from bot.commands import Commands, Invocation, parse
from bot.errors import PlatformGone, UserError, sentence_for
from bot.inbox import Inbox
from bot.platforms.platform import Author, ConversationKey, Final, Inbound, TurnRef
from bot.platforms.terminal_input import read_lines
from bot.platforms.terminal_prompt import Prompt
from bot.platforms.terminal_reply import TerminalReply
from bot.platforms.terminal_screen import Screen
from storage import conversations, records, turns
from storage.conversations import Conversation, Place
from storage.database import Database
from storage.errors import StorageError

NAME = "terminal"
PACE = 0.03
"""Seconds between two looks at a growing answer: below what an eye tells apart, above what wakes a process often."""
MAX_PENDING = 100
"""Turns of one conversation that are looked at for answers still owed."""
MAX_HISTORY = 200
BEHIND = "I come to that when you have decided."
LEFT = "I still wait for your decision; `secret-agents chat` asks for it again."
HELP_HINT = "/help tells what else there is; Ctrl-C stops an answer, Ctrl-D leaves."


def place_of(user: str) -> Place:
    """Where a user's terminal conversations are."""
    return Place(platform=NAME, workspace="", channel=user)


def fresh_key(user: str) -> ConversationKey:
    return ConversationKey(NAME, "", user, uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class _Owed:
    """Where an answer is owed: a conversation's number and id."""

    conversation: int
    id: str


@dataclass(slots=True)
class _Awaited:
    """A turn that is waited for, until it has ended or asks something."""

    id: str
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False


class TerminalPlatform:
    """One person at one terminal (`screen.live`), or one pipe.

    `wanted` is the id, or a prefix of it, of the conversation to go on with; None takes the user's latest active one,
    or begins one. `failed` tells afterwards whether a message got no answer.
    """

    name = NAME

    def __init__(
        self, database: Database, screen: Screen, *, user: str, descriptor: int, wanted: str | None, greeting: str
    ) -> None:
        self.failed = False
        self._database = database
        self._screen = screen
        self._author = Author(user, user, admin=True, role="admin")  # who can start the program can set everything
        self._descriptor = descriptor
        self._wanted = wanted
        self._greeting = greeting
        self._key = fresh_key(user)
        self._event_keys: set[str] = set()
        self._owed: dict[int, _Owed] = {}
        self._open: dict[int, _Awaited] = {}
        self._ended: dict[int, Final | None] = {}
        """Where it is None, the answer cannot be shown, or is not waited for any more."""
        self._asking: set[int] = set()
        """Turns that have asked something in this run; it may not be stored yet that they did."""
        self._stops: set[asyncio.Task[None]] = set()
        self._prompt = Prompt()

    @property
    def pace(self) -> float:
        return PACE if self._screen.live else inf

    def attach(self, inbox: Inbox, commands: Commands) -> None:
        self._inbox = inbox
        self._commands = commands

    def reply(self, turn: TurnRef) -> TerminalReply:
        return TerminalReply(self, self._screen, turn, asked=turn.event_key in self._event_keys)

    def split(self, text: str) -> list[str]:
        return [text]

    def preview(self, text: str) -> str:
        return text

    async def run(self) -> None:
        """Answer until there is nothing more to read.

        Raises UserError when the wanted conversation is none to go on with, PlatformGone when nobody reads.
        """
        found = await self._find()
        if found is not None:
            self._key = ConversationKey(found.platform, found.workspace, found.channel, found.thread)
        if not self._screen.live:
            await self._converse(read_lines(self._descriptor))
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        try:
            self._screen.note(f"{self._greeting}\n{HELP_HINT}\n")
            await self._converse(self._prompts(found))
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def _find(self) -> Conversation | None:
        if self._wanted is None:
            place = place_of(self._author.id)
            latest = await self._database.read(conversations.recent, place, limit=1, active_only=True)
            return latest[0] if latest else None
        found = await self._database.read(conversations.find, self._wanted.lower())
        if found is None or found.platform != NAME:
            raise UserError(f"There is no terminal mission {self._wanted}. `secret-agents list` shows all missions.")
        if found.status != "active":
            raise UserError(f"Mission {found.id} has ended. `secret-agents new` begins another.")
        return found

    async def _converse(self, messages: AsyncGenerator[str, None]) -> None:
        await self._show_owed()
        async with aclosing(messages):
            async for message in messages:
                if message.strip():
                    await self._take(message)
        if self._owed.keys() - self._ended.keys():
            self.failed = True
            self._screen.note(LEFT)

    async def _show_owed(self) -> None:
        """Wait for the answers that an earlier run owes, and ask again what it asked."""
        for number in await self._database.read(turns.waiting_conversations, (NAME,)):
            conversation = await self._database.read(conversations.get, number)
            for turn in await self._database.read(records.transcript, number, limit=MAX_PENDING):
                if turn.status in {"queued", "running"}:
                    self._owed[turn.id] = _Owed(number, conversation.id)
            asked = await self._commands.waiting(number)
            if asked is not None and asked.remote_id is not None:  # else it is still to be asked
                self._say(approval_texts.waiting(asked, conversation.id))
        await self._settle()

    async def _take(self, message: str) -> None:
        try:
            command = parse(message)
            if command is None:
                await self._ask(message)
            else:
                name, arguments = command
                answer = await self._commands.run(Invocation(name, arguments, self._key, self._author))
                self._say(answer.text)
                await self._settle()
        except UserError as error:
            self._say(str(error))
        except StorageError as error:
            self.failed = True
            self._screen.note(sentence_for(error))

    def _say(self, text: str) -> None:
        self._screen.answer(text)
        self._screen.end()

    async def _ask(self, message: str) -> None:
        event_key = f"{NAME}:{uuid.uuid4().hex}"
        self._event_keys.add(event_key)
        admitted = await self._inbox.admit(Inbound(self._key, self._author, message, event_key))
        self._owed[admitted.turn] = _Owed(admitted.conversation, admitted.conversation_id)
        await self._settle()
        asked = await self._commands.waiting(admitted.conversation)
        if asked is not None and asked.turn != admitted.turn:
            self._screen.note(BEHIND)

    # What happens to a turn while it is waited for.

    async def _settle(self) -> None:
        """Wait for what is owed, but for what stands behind a question: for that, somebody has to type.

        Raises PlatformGone when an answer cannot be shown or waited for.
        """
        for turn, owed in list(self._owed.items()):
            if turn in self._ended or not await self._is_paused(turn, owed):
                await self._wait(turn, owed)

    async def _is_paused(self, turn: int, owed: _Owed) -> bool:
        """Whether a question was asked that it waits for, or stands behind."""
        asked = await self._commands.waiting(owed.conversation)
        return asked is not None and (asked.turn != turn or asked.remote_id is not None or turn in self._asking)

    async def _wait(self, turn: int, owed: _Owed) -> None:
        """Until the turn has ended, or asks something."""
        if turn not in self._ended:
            awaited = self._open[turn] = _Awaited(owed.id)
            try:
                await awaited.happened.wait()
            finally:
                del self._open[turn]
        if turn not in self._ended:
            return
        del self._owed[turn]
        final = self._ended.pop(turn)
        if final is None:
            raise PlatformGone("Left before the answer was complete; `secret-agents chat` will show it.")
        self.failed = self.failed or final.outcome == "failed"

    @property
    def attends(self) -> bool:
        """Whether answers may grow on the screen now: nobody is typing."""
        return not self._prompt.is_open

    def ended(self, turn: int, final: Final | None) -> None:
        """A turn's answer is shown, or, with None, cannot be."""
        awaited = self._open.get(turn)
        if awaited is None:
            self._ended[turn] = final
        elif not awaited.happened.is_set():
            self._ended[turn] = final
            awaited.happened.set()

    def asks(self, turn: int) -> None:
        """A turn has asked something, which waits for an answer."""
        self._asking.add(turn)
        if awaited := self._open.get(turn):
            awaited.happened.set()

    async def above(self, show: Callable[[], None]) -> None:
        """Print something while somebody may be typing."""
        await self._prompt.above(show)

    def _interrupt(self) -> None:
        """Ctrl-C: the first one stops the answer, a second one does not wait for that; without an answer, leave."""
        for turn, awaited in self._open.items():
            if awaited.stopping:
                self.ended(turn, None)
                continue
            awaited.stopping = True
            self._screen.status("stopping…")
            task = asyncio.create_task(self._stop(awaited.id))
            self._stops.add(task)
            task.add_done_callback(self._stops.discard)
        self._prompt.leave()

    async def _stop(self, conversation: str) -> None:
        try:
            found = await self._commands.find(conversation, self._key, self._author)
            await self._commands.stop(found, self._key, self._author)
        except (UserError, StorageError) as error:
            self._screen.note(f"It cannot be stopped now: {error} Ctrl-C again leaves.")

    # A person's input.

    async def _prompts(self, conversation: Conversation | None) -> AsyncGenerator[str, None]:
        self._prompt.begin(await self._said(conversation))
        while (message := await self._prompt.line()) is not None:
            yield message

    async def _said(self, conversation: Conversation | None) -> list[str]:
        """The conversation's earlier messages."""
        if conversation is None:
            return []
        found = await self._database.read(records.transcript, conversation.number, limit=MAX_HISTORY)
        return [turn.user_message for turn in found]

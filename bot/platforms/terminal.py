"""Talking to the bot in a terminal, or through a pipe: a message per line of input, answers on standard output.

One answer is shown at a time. An answer that an earlier run left unfinished is finished by the core; it is shown whole,
under a note, before anything is asked.
"""

import asyncio
import signal
import uuid
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from bot.commands import Commands, Invocation, parse
from bot.errors import PlatformGone, UserError, sentence_for
from bot.inbox import Inbox
from bot.platforms.platform import Author, ConversationKey, Final, Inbound, TurnRef
from bot.platforms.terminal_input import read_lines
from bot.platforms.terminal_screen import Screen
from storage import conversations, records, turns
from storage.conversations import Conversation, Place
from storage.database import Database
from storage.errors import StorageError

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

NAME = "terminal"
PACE = 0.03
"""Seconds between two looks at a growing answer: below what an eye tells apart, above what wakes a process often."""
MAX_PENDING = 100
"""Turns of one conversation that are looked at for answers still owed."""
MAX_HISTORY = 200
HELP_HINT = "/help tells what else there is; Ctrl-C stops an answer, Ctrl-D leaves."


def place_of(user: str) -> Place:
    """Where a user's terminal conversations are."""
    return Place(platform=NAME, workspace="", channel=user)


def fresh_key(user: str) -> ConversationKey:
    return ConversationKey(NAME, "", user, uuid.uuid4().hex)


@dataclass(slots=True)
class _Asked:
    """A turn that is waited for. `final` is None when its answer cannot be shown, or is not waited for any more."""

    conversation: str
    final: asyncio.Future[Final | None]
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
        self._event_key = ""
        self._open: dict[int, _Asked] = {}
        self._ended: dict[int, Final | None] = {}
        self._stops: set[asyncio.Task[None]] = set()
        self._prompting: asyncio.Task[str] | None = None
        self._left = False

    @property
    def pace(self) -> float:
        return PACE if self._screen.live else inf

    def attach(self, inbox: Inbox, commands: Commands) -> None:
        self._inbox = inbox
        self._commands = commands

    def reply(self, turn: TurnRef) -> "TerminalReply":
        return TerminalReply(self, self._screen, turn, asked=turn.event_key == self._event_key)

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

    async def _show_owed(self) -> None:
        """Wait for the answers that an earlier run owes."""
        for number in await self._database.read(turns.waiting_conversations, (NAME,)):
            conversation = await self._database.read(conversations.get, number)
            for turn in await self._database.read(records.transcript, number, limit=MAX_PENDING):
                if turn.status in {"queued", "running"}:
                    await self._wait(turn.id, conversation.id)

    async def _take(self, message: str) -> None:
        try:
            command = parse(message)
            if command is None:
                await self._ask(message)
            else:
                name, arguments = command
                answer = await self._commands.run(Invocation(name, arguments, self._key, self._author))
                self._say(answer.text)
        except UserError as error:
            self._say(str(error))
        except StorageError as error:
            self.failed = True
            self._screen.note(sentence_for(error))

    def _say(self, text: str) -> None:
        self._screen.answer(text)
        self._screen.end()

    async def _ask(self, message: str) -> None:
        self._event_key = f"{NAME}:{uuid.uuid4().hex}"
        admitted = await self._inbox.admit(Inbound(self._key, self._author, message, self._event_key))
        await self._wait(admitted.turn, admitted.conversation_id)

    # What happens to a turn while it is waited for.

    async def _wait(self, turn: int, conversation: str) -> None:
        """Until the turn has ended. Raises PlatformGone when its answer cannot be shown or waited for."""
        if turn not in self._ended:
            asked = self._open[turn] = _Asked(conversation, asyncio.get_running_loop().create_future())
            try:
                self._ended[turn] = await asked.final
            finally:
                del self._open[turn]
        final = self._ended.pop(turn)
        if final is None:
            raise PlatformGone("Left before the answer was complete; `secret-agents chat` will show it.")
        self.failed = self.failed or final.outcome == "failed"

    def ended(self, turn: int, final: Final | None) -> None:
        """A turn's answer is shown, or, with None, cannot be."""
        asked = self._open.get(turn)
        if asked is None:
            self._ended[turn] = final
        elif not asked.final.done():
            asked.final.set_result(final)

    def _interrupt(self) -> None:
        """Ctrl-C: the first one stops the answer, a second one does not wait for that; without an answer, leave."""
        for turn, asked in self._open.items():
            if asked.stopping:
                self.ended(turn, None)
                continue
            asked.stopping = True
            self._screen.status("stopping…")
            task = asyncio.create_task(self._stop(asked.conversation))
            self._stops.add(task)
            task.add_done_callback(self._stops.discard)
        if self._prompting is not None:
            self._left = True
            self._prompting.cancel()

    async def _stop(self, conversation: str) -> None:
        try:
            found = await self._commands.find(conversation, self._key, self._author)
            await self._commands.stop(found, self._key, self._author)
        except (UserError, StorageError) as error:
            self._screen.note(f"It cannot be stopped now: {error} Ctrl-C again leaves.")

    # A person's input.

    async def _prompts(self, conversation: Conversation | None) -> AsyncGenerator[str, None]:
        session = await self._session(conversation)
        while (message := await self._prompted(session)) is not None:
            yield message

    async def _prompted(self, session: "PromptSession[str]") -> str | None:
        """What was entered; None for Ctrl-C, Ctrl-D, or when the signal of Ctrl-C came from elsewhere."""
        self._prompting = asyncio.create_task(session.prompt_async("> ", handle_sigint=False))
        try:
            return await self._prompting
        except EOFError:
            return None
        except asyncio.CancelledError:
            if self._left:
                return None
            raise
        finally:
            self._prompting = None

    async def _session(self, conversation: Conversation | None) -> "PromptSession[str]":
        """The prompt, with the conversation's earlier messages to go back to."""
        from prompt_toolkit import PromptSession  # noqa: PLC0415 - heavy, and of no use to a pipe
        from prompt_toolkit.history import InMemoryHistory  # noqa: PLC0415 - see above

        history = InMemoryHistory()
        if conversation is not None:
            for turn in await self._database.read(records.transcript, conversation.number, limit=MAX_HISTORY):
                history.append_string(turn.user_message)
        # KeyboardInterrupt would end the event loop around the task that it is raised in.
        return PromptSession(history=history, interrupt_exception=EOFError)


class TerminalReply:
    """One answer. Only what was asked in this run grows on the screen; the rest is shown whole at its end."""

    def __init__(self, platform: TerminalPlatform, screen: Screen, turn: TurnRef, *, asked: bool) -> None:
        self._platform = platform
        self._screen = screen
        self._turn = turn
        self._asked = asked
        self._status = ""

    async def post(self, part: int, text: str, *, key: str) -> str:  # noqa: ARG002 - printing has no memory of keys
        self._show(text)
        return f"{self._turn.turn}.{part}"

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        await self.edit(0, remote_id, text)
        if self._asked and status != self._status:
            with self._telling_when_gone():
                self._screen.status(status)
            self._status = status
        return True

    async def edit(self, part: int, remote_id: str, text: str) -> None:  # noqa: ARG002 - there is one part
        self._show(text)

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:  # noqa: ARG002 - there is one part
        with self._telling_when_gone():
            if not self._asked:
                self._screen.note(f"The answer that was interrupted, in mission {self._turn.conversation}:")
                self._screen.answer(final.text)
            self._screen.end()
        self._platform.ended(self._turn.turn, final)

    def _show(self, text: str) -> None:
        if self._asked:
            with self._telling_when_gone():
                self._screen.answer(text)

    @contextmanager
    def _telling_when_gone(self) -> Iterator[None]:
        """The core hears of it by the exception; whoever waits for the answer has to hear of it too."""
        try:
            yield
        except PlatformGone:
            self._platform.ended(self._turn.turn, None)
            raise

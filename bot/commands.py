"""The /mission commands, carried out: declared in `bot.command_specs`, told in `bot.command_texts`.

Rights are checked by the doors (`bot.command_doors`) that every command goes through.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bot import approval_texts, command_texts
from bot.answer_files import AnswerFile
from bot.command_doors import Doors, Invocation
from bot.command_export import Exported, as_format
from bot.command_forget import ForgetCommand
from bot.command_specs import COMMANDS, EVERYTHING, FORMATS, Argument, CommandSpec, names, parse
from bot.command_turn_doors import Act
from bot.errors import UserError
from storage.conversations import Conversation, Place

__all__ = ["COMMANDS", "Argument", "CommandAnswer", "CommandSpec", "Commands", "Invocation", "parse"]

LIST_LENGTH = 10
SHOW_LENGTH = 10
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """Markdown for the asker only, the conversation it is about or those it lists, and a file to send with it.

    `confirm`: the text is a question, and these are the arguments with which the same command does it. `erased`: the id
    of the person of whom everything was erased just now.
    `older` is the argument `before` of the same command for the page behind this one; None when there is none.
    Whoever gets a `file` closes it.
    """

    text: str
    conversation: Conversation | None = None
    conversations: tuple[Conversation, ...] = ()
    file: AnswerFile | None = None
    older: int | None = None
    confirm: Mapping[str, str] | None = None
    erased: str = ""


class Commands(Doors):
    """Carries the commands out, and holds the doors open for those who need no text."""

    async def run(self, invocation: Invocation) -> CommandAnswer:
        """Raises UserError (a sentence for the asker) or StorageError."""
        handlers: dict[str, Callable[[Invocation], Awaitable[CommandAnswer]]] = {
            "new": self._new,
            "list": self._list,
            "show": self._show,
            "end": self._end,
            "stop": self._stop,
            "approve": lambda asked: self._decide(asked, "approve"),
            "decline": lambda asked: self._decide(asked, "decline"),
            "export": self._export,
            "forget": self._forget,
            "help": self._help,
        }
        handler = handlers.get(invocation.command)
        if handler is None:
            raise UserError(f"I do not know that command. Try {names()}.")
        self.require(invocation.command, invocation.key, invocation.author)  # before anything is looked up
        return await handler(invocation)

    async def _new(self, asked: Invocation) -> CommandAnswer:
        conversation = await self.start(asked.key, asked.author, asked.arguments.get("agent"))
        agent = command_texts.agent(conversation.agent)
        return CommandAnswer(f"New mission `{conversation.id}` with {agent}. Go ahead.", conversation)

    async def _list(self, asked: Invocation) -> CommandAnswer:
        place, before = Place(asked.key.platform, asked.key.workspace, owner=asked.author.id), _before(asked)
        found = await self.listing(place, limit=LIST_LENGTH + 1, before=before)
        if not found:
            nothing = "You have no missions yet. Say something and one begins."
            return CommandAnswer(nothing if before is None else "You have no older missions.")
        page = tuple(found[:LIST_LENGTH])
        older = page[-1].number if len(found) > LIST_LENGTH else None
        return CommandAnswer(command_texts.listed(page, older), conversations=page, older=older)

    async def _show(self, asked: Invocation) -> CommandAnswer:
        conversation = (await self.meant(asked)).conversation
        await self.look_at(conversation, asked.key, asked.author)
        found = await self.transcript(conversation, limit=SHOW_LENGTH + 1, before=_before(asked))
        page = command_texts.fitting(found[-SHOW_LENGTH:])
        older = page[0].id if len(found) > len(page) else None
        waits = await self.waiting(conversation.number)
        return CommandAnswer(command_texts.shown(conversation, page, older, waits), conversation, older=older)

    async def _end(self, asked: Invocation) -> CommandAnswer:
        meant = await self.meant(asked)
        ended = await self.end(meant.conversation, asked.key, asked.author)
        state = "ended" if ended else "had ended already"
        return CommandAnswer(f"Mission {meant.name} {state}.", meant.conversation)

    async def _stop(self, asked: Invocation) -> CommandAnswer:
        meant = await self.meant(asked)
        stopped = await self.stop(meant.conversation, asked.key, asked.author)
        where = f" in mission {meant.name}" if meant.guessed else ""
        text = f"Stopping{where}." if stopped else f"I am not writing anything right now{where}."
        return CommandAnswer(text, meant.conversation)

    async def _decide(self, asked: Invocation, act: Act) -> CommandAnswer:
        meant = await self.meant(asked)
        where = f" in mission {meant.name}" if meant.guessed else ""
        waits = await self.waiting(meant.conversation.number)
        if waits is None:
            return CommandAnswer(f"{approval_texts.NOTHING_WAITS}{where}.", meant.conversation)
        decision = await self.decide(waits.id, act, asked.key, asked.author)
        return CommandAnswer(approval_texts.told(decision, where), meant.conversation)

    async def _export(self, asked: Invocation) -> CommandAnswer:
        if not asked.takes_files:
            raise UserError("I cannot send files here. `secret-agents export` on the machine can write them.")
        wanted, word = asked.arguments.get("id", ""), asked.arguments.get("format", "")
        if wanted.lower() in FORMATS and not word:  # /mission export markdown
            wanted, word = "", wanted
        format_ = as_format(word or FORMATS[0])
        if wanted.lower() == EVERYTHING:
            return _with_file("All missions here", await self.export(None, format_, asked.key, asked.author))
        meant = await self.meant(replace(asked, arguments={"id": wanted}))
        exported = await self.export(meant.conversation, format_, asked.key, asked.author)
        return _with_file(f"Mission {meant.name}", exported, meant.conversation)

    async def _forget(self, asked: Invocation) -> CommandAnswer:
        command = ForgetCommand(self._forgetting, self._rights)
        told = await command.carry_out(asked, self._actor(asked.key, asked.author))
        return CommandAnswer(told.text, file=told.file, confirm=told.confirm, erased=told.erased)

    async def _help(self, asked: Invocation) -> CommandAnswer:
        usable = [spec for spec in COMMANDS if self.may_use(spec.name, asked.key, asked.author)]
        return CommandAnswer(command_texts.help_(self._roster.profiles, usable))


def _with_file(what: str, exported: Exported, conversation: Conversation | None = None) -> CommandAnswer:
    text = command_texts.exported(what, exported.summary, packed=exported.packed)
    return CommandAnswer(text, conversation, file=exported.file)


def _before(asked: Invocation) -> int | None:
    """Raises UserError when it is no number."""
    given = asked.arguments.get("before", "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > _MAX_DIGITS:
        raise UserError("I do not know where that is. Take the number that the list or the mission ended with.")
    return int(given)

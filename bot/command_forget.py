"""`/mission forget`: what there is of somebody, all of it as a file, and its erasure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.answer_files import AnswerFile
from bot.command_doors import Invocation
from bot.command_rights import Rights
from bot.errors import NotAllowed, UserError
from bot.forgetting import Forgetting, Forgotten
from storage.audit import Actor
from storage.holdings import Holdings, Person

YES, EXPORT = "yes", "export"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MENTION = re.compile(r"<@!?([A-Za-z0-9]{1,64})(?:\|[^>]*)?>")
_STAYS = "What is posted in this chat stays there until it is deleted there."
_TRACES = "Its last traces in the database's file go when the program starts the next time."


@dataclass(frozen=True, slots=True)
class Told:
    """`confirm`: the arguments of the same command that does what the text asks about. `erased`: whom it did it to."""

    text: str
    file: AnswerFile | None = None
    confirm: Mapping[str, str] | None = None
    erased: str = ""


class ForgetCommand:
    """Everybody for themselves; for others those whom the settings name as admins: what a person said is erased in all
    workspaces.
    """

    def __init__(self, forgetting: Forgetting, rights: Rights) -> None:
        self._forgetting = forgetting
        self._rights = rights

    async def carry_out(self, asked: Invocation, actor: Actor) -> Told:
        """`actor` is who asks. Raises UserError, NotAllowed among them; StorageError."""
        action, user = _said(asked.arguments)
        person = Person(asked.key.platform, user or asked.author.id)
        themselves = person.id == asked.author.id
        if not themselves and not self._rights.is_named(asked.key.platform, asked.author):
            raise NotAllowed("Only admins whom the settings name may do that for others.")
        if action == YES:
            forgotten = await self._forgetting.forget(person, None if themselves else actor)
            return Told(receipt(forgotten, themselves), erased=person.id)
        if action == EXPORT:
            return await self._export(asked, person, themselves=themselves)
        found = await self._forgetting.holdings(person)
        if not found:
            return Told(f"I have nothing of {_whose(person, themselves)}.")
        confirm = {"action": YES} if themselves else {"action": YES, "user": person.id}
        return Told(_question(found, person, themselves=themselves), confirm=confirm)

    async def _export(self, asked: Invocation, person: Person, *, themselves: bool) -> Told:
        if not asked.takes_files:
            where = f"`secret-agents forget {person} --export FILE` on the machine writes it"
            raise UserError(f"I cannot send files here. {where}: ask whoever runs me.")
        file = await self._forgetting.export(person)
        return Told(f"All that I have of {_whose(person, themselves)}.", file)


def receipt(forgotten: Forgotten, themselves: bool) -> str:
    """What somebody is told when it is done."""
    done = forgotten.receipt
    of = "of yours" if themselves else f"of {done.person}"
    erased = listed(done.erased) or "nothing was here"
    more = (
        "" if forgotten.wiped else " Its last traces in the database's file go when the program starts the next time."
    )
    return (
        f"Forgotten. Receipt `{done.id}`, {done.at[:16].replace('T', ' ')} UTC, {of}: {erased}.{more}\n"
        f"{_STAYS} In backups and exports that were made before it stays, too; when one is restored or imported, it is"
        " erased again."
    )


def listed(held: Holdings) -> str:
    """E.g. `2 missions, 7 messages with their answers and 1 note`; empty for nothing."""
    parts = [
        _count(held.missions, "mission", "missions"),
        _count(held.shared, "part in a mission with others", "parts in missions with others"),
        _count(held.messages, "message with its answer", "messages with their answers"),
        _count(held.pictures, "picture", "pictures"),
        _count(held.notes, "note", "notes"),
    ]
    *first, last = [part for part in parts if part] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _count(number: int, one: str, many: str) -> str:
    return (f"1 {one}" if number == 1 else f"{number} {many}") if number else ""


def _question(found: Holdings, person: Person, *, themselves: bool) -> str:
    user = "" if themselves else f" {person.id}"
    return (
        f"Of {_whose(person, themselves)} I have {listed(found)}.\n"
        f"`/mission forget export{user}` sends all of it to you. `/mission forget yes{user}` erases it, which cannot be"
        f" undone. {_STAYS}"
    )


def _whose(person: Person, themselves: bool) -> str:
    return "yours" if themselves else f"`{person.id}`"


def _said(arguments: Mapping[str, str]) -> tuple[str, str]:
    """The action and the user, also where they are typed as `confirm:yes` or `user:123`. Raises UserError."""
    action, user = arguments.get("action", ""), arguments.get("user", "")
    if action.lower().startswith("user:"):
        action, user = user, action
    action, user = action.lower().removeprefix("confirm:"), user.removeprefix("user:")
    user = mentioned[1] if (mentioned := _MENTION.fullmatch(user)) else user
    if action not in {"", YES, EXPORT} or (user and not _ID.fullmatch(user)):
        raise UserError("Say `/mission forget`, then `yes` or `export`; admins, the id of somebody else behind it.")
    return action, user

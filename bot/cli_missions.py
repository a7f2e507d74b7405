"""The commands that look at missions or change one, on the database itself; the bot may be running meanwhile."""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli import OK
from bot.cli_output import print_json, print_table, print_text
from bot.errors import UserError
from bot.settings import Settings
from bot.settings import load as load_settings
from gadgets.text import clean
from storage import conversations, records
from storage.conversations import Conversation, NewConversation, Place
from storage.database import Database, open_database
from storage.records import TurnRecord

if TYPE_CHECKING:
    from storage.export import Format

TERMINAL = "terminal"
COLUMNS = ("ID", "Status", "Platform", "Agent", "Owner", "Last message", "Title")
MAX_TURNS = 100_000
"""Of one mission that `show` prints."""


def user_name() -> str:
    """Who is at this terminal, as far as the operating system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return str(os.getuid())


def _open(given: argparse.Namespace) -> tuple[Settings, Database]:
    settings = load_settings(given.config)
    return settings, open_database(settings.storage.url, exclusive=False)


async def listing(given: argparse.Namespace) -> int:
    _, database = _open(given)
    async with database:
        found = await database.read(conversations.recent, Place(), limit=given.limit)
    if given.json:
        print_json([_public(each) for each in found])
    elif not found:
        print_text("There are no missions yet.")
    else:
        print_table(COLUMNS, map(_row, found))
    return OK


def _row(each: Conversation) -> Sequence[str]:
    when = each.last_updated[:16].replace("T", " ")
    return each.id, each.status, each.platform, each.agent, each.owner_name, when, each.title


async def show(given: argparse.Namespace) -> int:
    from gadgets.catalogue import summaries  # noqa: PLC0415 - only for this command

    _, database = _open(given)
    async with database:
        conversation = await _find(database, given.id)
        turns = await database.read(records.transcript, conversation.number, limit=MAX_TURNS)
    if given.json:
        print_json(_public(conversation) | {"turns": [asdict(turn) for turn in turns]})
        return OK
    print_text(f"{conversation.id}  {conversation.status}  {conversation.platform}  {conversation.agent}")
    for summary in summaries(conversation.state):
        print_text(f"\n{summary}")
    for turn in turns:
        print_text(_told(turn))
    return OK


def _told(turn: TurnRecord) -> str:
    used = f"  [{turn.model}{'; used ' + ', '.join(turn.tools) if turn.tools else ''}]" if turn.model else ""
    when = turn.created_at[:16].replace("T", " ")
    return f"\n{when}  {turn.author_name}: {turn.user_message}\n{turn.agent_response or f'({turn.status})'}{used}"


async def end(given: argparse.Namespace) -> int:
    _, database = _open(given)
    async with database:
        conversation = await (_find(database, given.id) if given.id else _latest(database))
        ended = await database.write(conversations.end, conversation.number)
    print_text(f"Mission {conversation.id} {'ended' if ended else 'had ended already'}.")
    return OK


async def new(given: argparse.Namespace) -> int:
    from bot.platforms.terminal import fresh_key  # noqa: PLC0415 - brings the chat's parts along

    settings, database = _open(given)
    user = user_name()
    opening = NewConversation(**asdict(fresh_key(user)), owner=user, owner_name=user, agent=settings.agent, title="")
    async with database:
        conversation = await database.write(conversations.start, opening)
    print_text(f"Mission {conversation.id} began; `secret-agents chat` goes on with it.")
    return OK


async def export(given: argparse.Namespace) -> int:
    from storage.export import export_pieces, export_to_file  # noqa: PLC0415 - only for this command

    _, database = _open(given)
    format_ = given.format or _format_of(given.file)
    async with database:
        ids = None if given.id == "all" else [(await _find(database, given.id)).id]
        if given.file == Path("-"):
            await export_pieces(database, ids, sys.stdout.buffer.write, format_)
            return OK
        summary = await export_to_file(database, ids, given.file, format_)
    print_text(f"{_count(summary.conversations, 'mission')} with {_count(summary.turns, 'message')} in {given.file}.")
    return OK


def _format_of(file: Path) -> "Format":
    """By the ending of its name; the log that can be imported again where that says nothing."""
    from storage.export import ENDINGS  # noqa: PLC0415 - see above

    return next((format_ for format_, ending in ENDINGS.items() if ending == file.suffix.lower()), "json")


async def load(given: argparse.Namespace) -> int:
    from storage.importing import import_json  # noqa: PLC0415 - only for this command

    _, database = _open(given)
    async with database:
        summary = await import_json(database, given.file)
    there = f"; {_count(summary.skipped, 'mission')} there already" if summary.skipped else ""
    print_text(f"{_count(summary.conversations, 'mission')} with {_count(summary.turns, 'message')} added{there}.")
    if summary.differing:
        print_text(f"Not the same here as in the file, and left as they are: {', '.join(summary.differing)}.")
    if summary.ended:
        print_text(f"Ended, because another mission is active in their place: {', '.join(summary.ended)}.")
    return OK


async def _find(database: Database, wanted: str) -> Conversation:
    found = await database.read(conversations.find, wanted.lower())
    if found is None:
        raise UserError(f"There is no mission {clean(wanted)}. `secret-agents list` shows all.")
    return found


async def _latest(database: Database) -> Conversation:
    """The conversation that `chat` would go on with."""
    place = Place(platform=TERMINAL, workspace="", channel=user_name())
    found = await database.read(conversations.recent, place, limit=1, active_only=True)
    if not found:
        raise UserError("There is no active terminal mission.")
    return found[0]


def _public(conversation: Conversation) -> dict[str, object]:
    return {name: value for name, value in asdict(conversation).items() if name not in {"number", "state"}}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

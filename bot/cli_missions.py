"""The commands that look at missions or change one, on the database itself; the bot may be running meanwhile."""

import argparse
import getpass
import os
from collections.abc import Sequence
from dataclasses import asdict

from bot import approval_texts
from bot.cli import OK
from bot.cli_output import print_json, print_table, print_text
from bot.errors import UserError
from bot.settings import Settings
from bot.settings import load as load_settings
from gadgets.text import clean
from storage import approvals, conversations, records
from storage.audit import Act, Actor, recorded
from storage.conversations import Conversation, NewConversation, Place
from storage.database import Database, open_database
from storage.records import TurnRecord

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


def operator() -> Actor:
    """Who acts, for the audit log: whoever may use the database's file may do everything."""
    name = user_name()
    return Actor(f"operator:{name}", name, "operator")


def opened(given: argparse.Namespace) -> tuple[Settings, Database]:
    settings = load_settings(given.config)
    return settings, open_database(settings.storage.url, exclusive=False)


async def listing(given: argparse.Namespace) -> int:
    _, database = opened(given)
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

    _, database = opened(given)
    async with database:
        conversation = await find_mission(database, given.id)
        turns = await database.read(records.transcript, conversation.number, limit=MAX_TURNS)
        waits = await database.read(approvals.waiting, conversation.number)
    if given.json:
        told = {"turns": [asdict(turn) for turn in turns], "approval": asdict(waits) if waits else None}
        print_json(_public(conversation) | told)
        return OK
    print_text(f"{conversation.id}  {conversation.status}  {conversation.platform}  {conversation.agent}")
    for summary in summaries(conversation.state):
        print_text(f"\n{summary}")
    for turn in turns:
        print_text(_told(turn))
    if waits:
        print_text(f"\n{approval_texts.question(waits)}")
    return OK


def _told(turn: TurnRecord) -> str:
    used = f"  [{turn.model}{'; used ' + ', '.join(turn.tools) if turn.tools else ''}]" if turn.model else ""
    when = turn.created_at[:16].replace("T", " ")
    return f"\n{when}  {turn.author_name}: {turn.user_message}\n{turn.agent_response or f'({turn.status})'}{used}"


async def end(given: argparse.Namespace) -> int:
    _, database = opened(given)
    async with database:
        conversation = await (find_mission(database, given.id) if given.id else _latest(database))
        act = Act(operator(), "end", conversation.id)
        ended = await database.write(recorded, act, conversations.end, conversation.number)
    print_text(f"Mission {conversation.id} {'ended' if ended else 'had ended already'}.")
    return OK


async def new(given: argparse.Namespace) -> int:
    from bot.platforms.terminal import fresh_key  # noqa: PLC0415 - brings the chat's parts along

    settings, database = opened(given)
    user = user_name()
    opening = NewConversation(**asdict(fresh_key(user)), owner=user, owner_name=user, agent=settings.agent, title="")
    async with database:
        conversation = await database.write(conversations.start, opening)
    print_text(f"Mission {conversation.id} began; `secret-agents chat` goes on with it.")
    return OK


async def find_mission(database: Database, wanted: str) -> Conversation:
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

"""The command `audit`: what admins and operators did to what is not theirs, and what was taken out."""

import argparse
import json
from collections.abc import Sequence

from bot.cli import OK
from bot.cli_missions import opened
from bot.cli_output import print_json, print_table, print_text
from storage import audit as log
from storage.audit import Recorded

COLUMNS = ("Time", "Who", "Name", "Role", "Act", "What", "Details")


async def audit(given: argparse.Namespace) -> int:
    _, database = opened(given)
    async with database:
        found = await database.read(log.recent, limit=given.limit)
    if given.json:
        print_json([_public(each) for each in found])
    elif not found:
        print_text("Nothing was done that is recorded.")
    else:
        print_table(COLUMNS, map(_row, found))
    return OK


def _row(each: Recorded) -> Sequence[str]:
    act, when = each.act, each.at[:19].replace("T", " ")
    details = json.dumps(dict(act.details), ensure_ascii=False) if act.details else ""
    return when, act.actor.id, act.actor.name, act.actor.role, act.act, act.target, details


def _public(each: Recorded) -> dict[str, object]:
    act = each.act
    who = {"actor": act.actor.id, "actor_name": act.actor.name, "role": act.actor.role}
    return {"at": each.at, **who, "act": act.act, "target": act.target, "details": dict(act.details)}

"""Importing a file of whatever format: what is in it decides, not what it is called."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from storage.audit import Act, recorded
from storage.clock import stored_time, utc_now
from storage.database import Database
from storage.errors import ImportRefused
from storage.importing import ImportSummary, restore
from storage.legacy import CONVERSATION, LegacyLog
from storage.legacy_json import in_utf8, parsed
from storage.log_file import LogFile, mapped
from storage.told_log import ToldLog

GAME_STATE = "game_state.json"
"""What an earlier program kept beside its log."""


class _TopLevel(Struct):
    """The fields that tell a mission log from what earlier programs wrote."""

    version: Raw | UnsetType = UNSET
    conversations: Raw | UnsetType = UNSET
    conversation: Raw | UnsetType = UNSET


async def import_file(database: Database, path: Path, act: Act | None = None) -> ImportSummary:
    """Add what is not there yet of a mission log (see `storage.importing`) or an earlier program's (`storage.legacy`).

    `act` is recorded with it. Raises ImportRefused, then nothing was added; StorageError. What an earlier program wrote
    is held in memory.
    """
    log = await asyncio.to_thread(read_log, path)
    return await database.write(recorded, act, restore, log)


def read_log(path: Path) -> ToldLog:
    """Raises ImportRefused."""
    data = in_utf8(mapped(path))
    if _is_mission_log(data):
        return LogFile(data)
    value = parsed(data)
    if isinstance(value, dict) and "conversations" in value and CONVERSATION not in value:
        return LogFile(data)  # which says what is wrong with it
    return LegacyLog(value, _written(path), _beside(path))


def logs_in(place: Path) -> list[Path]:
    """Of a folder, the files that may be logs, by name; else the place itself. Raises ImportRefused."""
    if not place.is_dir():
        return [place]
    try:
        found = sorted(path for path in place.iterdir() if path.suffix.lower() == ".json" and path.is_file())
    except OSError as error:
        raise ImportRefused(f"{place} cannot be read: {error.strerror}.") from error
    logs = [path for path in found if path.name != GAME_STATE and not path.name.startswith(".")]
    if not logs:
        raise ImportRefused(f"There is no log in {place}: no file whose name ends in .json.")
    return logs


def _is_mission_log(data: memoryview) -> bool:
    try:
        top = msgspec.json.decode(data, type=_TopLevel)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return top.conversation is UNSET and (top.version is not UNSET or top.conversations is not UNSET)


def _written(path: Path) -> str:
    """When the file was changed last, as far as a calendar can tell."""
    try:
        return stored_time(datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat())
    except (OSError, ValueError, OverflowError):
        return utc_now()


def _beside(path: Path) -> dict[str, Any]:
    other = path.with_name(GAME_STATE)
    if path.name == GAME_STATE or not other.is_file():
        return {}
    try:
        return {GAME_STATE: parsed(in_utf8(mapped(other)))}
    except ImportRefused as error:
        raise ImportRefused(f"{other}, which belongs to the log: {error}") from error

"""The pruning list (`storage.pruning`) in a file beside the database, for the day when that is an old one again.

The list is in the database, and so in every backup that is made from then on. But a backup that is restored may be
older than the list; then what it brings back is erased again when the program starts, by this file. It is JSON:

    {"version": 1, "salts": ["9f…"], "people": {"3c…": "2026-11-22T09:30:00.123Z"}, "events": {"a0…": "2026-12-22T…Z"}}
"""

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from storage import forgetting, pruning
from storage.clock import stored_time, utc_now
from storage.database import Database
from storage.errors import StorageError
from storage.holdings import Holdings
from storage.pruning import PruningList
from storage.sqlite_errors import translate
from storage.whole_file import WholeFile

SQLITE_MAGIC = b"SQLite format 3\0"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1]
    salts: list[str]
    people: dict[str, str]
    events: dict[str, str]


def list_file(database_file: Path) -> Path:
    return Path(f"{database_file.resolve()}.forgotten")


def read_list(path: Path) -> PruningList:
    """The list in a file of this module's, or in a database or backup; an empty one where there is no file.

    Raises StorageError.
    """
    try:
        with path.open("rb") as file:
            data = file.read(len(SQLITE_MAGIC))
            return _of_database(path) if data == SQLITE_MAGIC else _parsed(data + file.read(), path)
    except FileNotFoundError:
        return PruningList()
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error


def _parsed(data: bytes, path: Path) -> PruningList:
    try:
        found = msgspec.json.decode(data, type=_File)
        salts = tuple(map(bytes.fromhex, found.salts))
        return PruningList(salts, _from_hex(found.people), _from_hex(found.events))
    except (msgspec.DecodeError, ValueError) as error:
        todo = "restore it, or move it away and forget again who was on it"
        raise StorageError(f"{path} is no list of people who were forgotten: {todo}.") from error


def _from_hex(marks: Mapping[str, str]) -> dict[bytes, str]:
    return {bytes.fromhex(mark): stored_time(time) for mark, time in marks.items()}


def _of_database(path: Path) -> PruningList:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return pruning.read(connection)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # older than the list
            return PruningList()
        raise translate(error) from error
    except sqlite3.Error as error:
        raise translate(error) from error


def write_list(path: Path, listed: PruningList) -> None:
    """Whole or not at all, mode 0600. Raises OSError."""
    people, events = ({mark.hex(): time for mark, time in marks.items()} for marks in (listed.people, listed.events))
    content = _File(1, [salt.hex() for salt in listed.salts], people, events)
    file = WholeFile(path)
    try:
        file.begin()
        file.write(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        file.keep()
    finally:
        file.discard()


async def reconcile(database: Database, path: Path, *, write: bool = True) -> Holdings:
    """Make database and file say the same: erase what is here of people on the file's list, and, to `write`, make the
    file anew where the database knows more. Returns what was erased. Raises StorageError.
    """
    listed = await asyncio.to_thread(read_list, path)
    now = utc_now()
    erased = Holdings()
    if _lacks(await database.read(pruning.read), listed, now):
        erased = await database.write(forgetting.apply, listed)
    ours = await database.read(pruning.read)
    if write and _lacks(listed, ours, now):
        try:
            await asyncio.to_thread(write_list, path, ours)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}.") from error
    return erased


def _lacks(one: PruningList, other: PruningList, now: str) -> bool:
    """Whether the other list knows something that this one does not. Events that are over count for nothing."""
    people = any(one.people.get(mark, "") < until for mark, until in other.people.items())
    events = any(mark not in one.events for mark, expires in other.events.items() if expires >= now)
    return people or events or not set(other.salts) <= set(one.salts)

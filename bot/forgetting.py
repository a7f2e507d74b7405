"""Erasing what there is of a person, in a bot that may be answering them, and giving it to them before that."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.answer_files import MAX_FILE_BYTES, AnswerFile, AnswerFolder, FileTooLarge, LimitedFile
from bot.engines.engine import Engine
from bot.errors import UserError
from storage import forgetting, holdings
from storage.audit import Actor
from storage.clock import utc_now
from storage.compaction import compact_if_asked
from storage.database import Database
from storage.errors import StorageError
from storage.forgetting import Receipt
from storage.holdings import Holdings, Person
from storage.in_thread import in_thread
from storage.mission_log import encoded
from storage.pruning_file import list_file, reconcile

_log = logging.getLogger(__name__)

STOP_SECONDS = 10.0
"""How long an answer to the person may take to stop; then it breaks off."""
LOOK_SECONDS = 0.05
PAGE = 50
"""Messages of an export that are in memory at a time."""
FILE_NAME = "my-data.json"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`wiped`: nothing of what was erased is in the database's file any more; else it will be wiped out later."""

    receipt: Receipt
    wiped: bool


class Forgetting:
    """`file` is the database's, None where it has none; `memory` drops what is remembered of a person (`discord:123`)
    in memory. `engine` answers people, where this process does.
    """

    def __init__(
        self,
        database: Database,
        engine: Engine | None = None,
        *,
        file: Path | None = None,
        memory: Callable[[str], object] = lambda _: None,
        folder: Path | None = None,
    ) -> None:
        self._database = database
        self._engine = engine
        self._file = file
        self._memory = memory
        self._folder = AnswerFolder(folder)
        self._one_at_a_time = asyncio.Lock()

    async def holdings(self, person: Person) -> Holdings:
        return await self._database.read(holdings.holdings, person)

    async def forget(self, person: Person, actor: Actor | None = None) -> Forgotten:
        """Stop what is being answered to a person, then erase everything of theirs, all or nothing.

        `actor` is who wants it; None: the person. Raises StorageError.
        """
        async with self._one_at_a_time:
            await self._silence(person)
            receipt = await self._database.write(forgetting.forget, person, actor)
            if self._engine is not None:
                for number in receipt.waiting:
                    self._engine.wake(number)
            self._memory(str(person))
            _log.info("%s was forgotten, receipt %s", receipt.person, receipt.id)
            return Forgotten(receipt, await self.tidy())

    async def _silence(self, person: Person) -> None:
        for number in await self._database.write(forgetting.silence, person):
            if self._engine is not None:
                self._engine.stop(number)
                self._engine.wake(number)  # it may be paused
        for _ in range(int(STOP_SECONDS / LOOK_SECONDS)):
            if not await self._database.read(forgetting.still_running, person):
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def tidy(self) -> bool:
        """Write the pruning list beside the database, and wipe out what was erased; whether that is done.

        What cannot be done now is tried again when the program starts.
        """
        if self._file is None:
            return False
        try:
            await reconcile(self._database, list_file(self._file))
            await compact_if_asked(self._database, self._file)
        except StorageError as error:
            _log.error("what was erased cannot be wiped out of %s yet: %s", self._file, error)
            return False
        return True

    async def export(self, person: Person) -> AnswerFile:
        """All that a person said, was answered and had noted, as a JSON file; whoever gets it closes it.

        Raises UserError when it is too large or cannot be written; StorageError.
        """
        async with self._one_at_a_time:
            try:
                file = LimitedFile(await in_thread(self._folder.path), MAX_FILE_BYTES)
                return await self._filled(file, person)
            except FileTooLarge as error:
                raise UserError(f"{error} Ask whoever runs me for `secret-agents forget {person} --export`.") from error
            except OSError as error:
                raise UserError(f"I cannot write the file: {error.strerror}.") from error

    async def _filled(self, file: LimitedFile, person: Person) -> AnswerFile:
        kept = False
        try:
            await in_thread(file.begin)
            await write_personal(self._database, person, file.write)
            path = await in_thread(file.keep)
            kept = True
        finally:
            if not kept:
                await in_thread(file.discard)
        return AnswerFile(f"{FILE_NAME}{'.gz' if file.packed else ''}", path)


async def write_personal(database: Database, person: Person, write: Callable[[bytes], object]) -> int:
    """Write out, as JSON, what a person said, was answered and had noted; how many messages. `write` may block.

    {"person": "discord:123", "exported_at": …, "notes": [{"text", "created_at"}], "messages": [
      {"conversation_id", "timestamp", "name", "message", "attachments", "pictures", "answer", "model", "status",
       "rating"}]}
    """
    notes = await database.read(holdings.told_notes, person)
    head = encoded({"person": str(person), "exported_at": utc_now()})
    await in_thread(write, head[:-1] + b',"notes":' + notes + b',"messages":[')
    count = 0
    for number in await database.read(holdings.conversations_of, person):
        after = 0
        while page := await database.read(holdings.told_messages, person, number, after=after, limit=PAGE):
            after = page[-1][0]  # ends: each page begins behind the one before
            lines = b",\n".join(told for _, told in page)
            await in_thread(write, (b",\n" if count else b"\n") + lines)
            count += len(page)
    await in_thread(write, b"\n]}\n")
    return count

"""Exports that go to an admin as a file: written in the background, one at a time, within a chat's limit of size."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from bot.answer_files import MAX_FILE_BYTES, AnswerFile, AnswerFolder, FileTooLarge, LimitedFile
from bot.errors import UserError
from storage.conversations import Conversation, Place
from storage.database import Database
from storage.export_formats import ENDINGS, OF_TURNS, ExportSummary, Format, Render
from storage.in_thread import in_thread

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_MAX_STEM = 40
_SHORT = {"md": "markdown", "htm": "html"}
_ELSEWHERE = "On the machine, `secret-agents export {} FILE` has no such limit."


@dataclass(frozen=True, slots=True)
class Exported:
    file: AnswerFile
    summary: ExportSummary
    packed: bool


class Exports:
    """Files of at most `limit` bytes, in `folder` (default: the system's for temporary files) until they were sent.

    `render` lays out the answers on pages. The agents' prompts are the operator's, and no export here has them.
    """

    def __init__(
        self,
        database: Database,
        *,
        folder: Path | None = None,
        limit: int = MAX_FILE_BYTES,
        render: Render | None = None,
    ) -> None:
        self._database = database
        self._render = render
        self._folder = AnswerFolder(folder)
        self._limit = limit
        self._one_at_a_time = asyncio.Lock()

    async def write(self, what: Conversation | Place, format_: Format) -> Exported:
        """A mission, or all of a place. The asker's right to it has been checked.

        Raises UserError when it is empty, too large or cannot be written; StorageError.
        """
        chosen = what if isinstance(what, Place) else [what.id]
        async with self._one_at_a_time:
            try:
                file = LimitedFile(await in_thread(self._folder.path), self._limit)
                return await self._filled(file, chosen, format_)
            except FileTooLarge as error:
                wanted = "all" if isinstance(what, Place) else what.id
                raise UserError(f"{error} {_ELSEWHERE.format(wanted)}") from error
            except OSError as error:
                raise UserError(f"I cannot write the file: {error.strerror}.") from error

    async def _filled(self, file: LimitedFile, chosen: Place | list[str], format_: Format) -> Exported:
        from storage.export import Options, export_pieces  # noqa: PLC0415 - its layouts are not needed before

        kept = False
        try:
            await in_thread(file.begin)
            summary = await export_pieces(self._database, chosen, file.write, format_, Options(render=self._render))
            if not summary.conversations or (format_ in OF_TURNS and not summary.turns):
                raise UserError("There is nothing to export yet.")
            path = await in_thread(file.keep)
            kept = True
        finally:
            if not kept:
                await in_thread(file.discard)
        name = f"{_stem(chosen)}{ENDINGS[format_]}{'.gz' if file.packed else ''}"
        return Exported(AnswerFile(name, path), summary, file.packed)


def as_format(word: str) -> Format:
    """Raises UserError, which lists the formats."""
    known = {name: name for name in get_args(Format)}
    format_: Format | None = known.get(_SHORT.get(word.lower(), word.lower()))
    if format_ is None:
        raise UserError(f"I do not know that format. The formats are: {', '.join(known)}.")
    return format_


def _stem(chosen: Place | list[str]) -> str:
    """The name of the file without its ending; ids that were imported may have anything in them."""
    if isinstance(chosen, Place):
        return "missions"
    return f"mission-{_UNSAFE.sub('_', chosen[0])[:_MAX_STEM]}"

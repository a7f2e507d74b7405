"""Reading a mission log (`storage.mission_log`) that somebody hands in.

The file's bytes are held in memory; of what they say, one message at a time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from storage.errors import ImportRefused
from storage.log_checks import checked_head, checked_tail, complete, require_once
from storage.mission_log import VERSION, LoggedHead, LoggedMessage, LoggedTail, LoggedTurn

T = TypeVar("T")
_PLACE = re.compile(r" - at `\$(?P<path>.*)`$")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Version(Struct):
    version: int


class _Log(Struct):
    conversations: list[Raw]


class _Messages(Struct):
    messages: list[Raw]


@dataclass(frozen=True, slots=True)
class ReadConversation:
    """A conversation of a log, complete in our terms; `place` is where it stands in the file."""

    place: str
    head: LoggedHead
    tail: LoggedTail
    raw: Raw

    def messages(self) -> Iterator[tuple[LoggedMessage, LoggedTurn]]:
        """Each message and its `turn`. Raises ImportRefused."""
        for index, raw in enumerate(_decoded(self.raw, _Messages, self.place).messages):
            place = f"{self.place}.messages[{index}]"
            message = _decoded(raw, LoggedMessage, place)
            yield complete(message, f"import:{self.head.conversation_id}:{index}", place)


class LogFile:
    """A log's bytes. What it yields can be asked for again."""

    def __init__(self, data: bytes) -> None:
        """Raises ImportRefused for what is not JSON, not a mission log, or of a version that is not read here."""
        log = memoryview(data.removeprefix(_BYTE_ORDER_MARK))
        _require_version(_decoded(log, _Version, "").version)
        self._raws = _decoded(log, _Log, "").conversations

    def conversations(self) -> Iterator[ReadConversation]:
        """Raises ImportRefused, naming the place."""
        for index, raw in enumerate(self._raws):
            place = f"conversations[{index}]"
            yield _read(raw, place)


def read_log(path: Path) -> LogFile:
    """Read and check a whole log. Raises ImportRefused."""
    try:
        log = LogFile(path.read_bytes())
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error
    for conversation in log.conversations():
        keys = [turn.event_key for _, turn in conversation.messages()]
        require_once(keys, f"{conversation.place}.messages", "turn.event_key")
    return log


def _require_version(version: int) -> None:
    if version > VERSION:
        raise ImportRefused(
            f"The file is a mission log of version {version}, and this program reads version {VERSION}: upgrade it."
        )
    if version < VERSION:
        raise ImportRefused(f"version: mission logs of version {version} are not read, only version {VERSION}")


def _decoded(data: Raw | memoryview, kind: type[T], place: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _refused(str(error), place) from error
    except msgspec.DecodeError as error:
        raise ImportRefused(f"{place or 'The file'}: {error}") from error
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{place or 'The file'}: is not UTF-8 text") from error
    except RecursionError as error:
        raise ImportRefused(f"{place or 'The file'}: is nested too deeply") from error


def _refused(problem: str, place: str) -> ImportRefused:
    """E.g. `conversations[3].messages[17].turn.author: Expected `str`, got `int``."""
    found = _PLACE.search(problem)
    where = place + (found["path"] if found else "")
    return ImportRefused(f"{where.removeprefix('.') or 'The file'}: {_PLACE.sub('', problem)}")


def _read(raw: Raw, place: str) -> ReadConversation:
    head = checked_head(_decoded(raw, LoggedHead, place), place)
    tail = checked_tail(_decoded(raw, LoggedTail, place), head)
    _decoded(raw, _Messages, place)
    return ReadConversation(place, head, tail, raw)

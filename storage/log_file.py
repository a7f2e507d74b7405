"""Reading a mission log (`storage.mission_log`) that somebody hands in.

The file is mapped into memory, where the system keeps as much of it as there is room for; of what it says, one message
at a time is held.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Raw, Struct

from storage.errors import ImportRefused
from storage.log_checks import checked_head, checked_tail, complete
from storage.log_decoding import decoded
from storage.mission_log import VERSION, LoggedHead, LoggedMessage, LoggedTail, LoggedTurn

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
    raws: list[Raw]
    kept: int = 0
    by_content: bool = False

    def messages(self) -> Iterator[tuple[LoggedMessage, LoggedTurn]]:
        """Each message and its `turn`. Raises ImportRefused. It can be asked for again."""
        events: set[str] = set()
        for index, raw in enumerate(self.raws):
            place = f"{self.place}.messages[{index}]"
            message, turn = complete(
                decoded(raw, LoggedMessage, place), f"import:{self.head.conversation_id}:{index}", place
            )
            if turn.event_key in events:
                raise ImportRefused(f"{place}.turn.event_key: {turn.event_key!r} is there twice")
            events.add(turn.event_key)
            yield message, turn


class LogFile:
    """A log's bytes."""

    def __init__(self, data: Any) -> None:
        """`data`: anything with the buffer protocol.

        Raises ImportRefused for what is not JSON, not a mission log, or of a version that is not read here.
        """
        log = memoryview(data)
        if log[: len(_BYTE_ORDER_MARK)] == _BYTE_ORDER_MARK:
            log = log[len(_BYTE_ORDER_MARK) :]
        _require_version(decoded(log, _Version, "").version)
        self._raws = decoded(log, _Log, "").conversations

    def conversations(self) -> Iterator[ReadConversation]:
        """Raises ImportRefused, naming the place."""
        for index, raw in enumerate(self._raws):
            yield _read(raw, f"conversations[{index}]")


def open_log(path: Path) -> LogFile:
    """Raises ImportRefused."""
    return LogFile(mapped(path))


def mapped(path: Path) -> memoryview:
    """A file's bytes. Raises ImportRefused."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)  # nothing cannot be mapped
            return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b"")
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error


def _require_version(version: int) -> None:
    if version > VERSION:
        raise ImportRefused(
            f"The file is a mission log of version {version}, and this program reads version {VERSION}: upgrade it."
        )
    if version < VERSION:
        raise ImportRefused(f"version: mission logs of version {version} are not read, only version {VERSION}")


def _read(raw: Raw, place: str) -> ReadConversation:
    head = checked_head(decoded(raw, LoggedHead, place), place)
    tail = checked_tail(decoded(raw, LoggedTail, place), head)
    return ReadConversation(place, head, tail, decoded(raw, _Messages, place).messages)

"""Exceptions as the log tells them.

The message of an exception may hold what somebody said: `ValueError: invalid literal for int() with base 10: 'my secret
plan'`. So of most only their type is told, and where they were raised. Told with their message are those whose
messages are known to be about files, connections and protocols, and our own, which are written with that in mind; of
our own again not those whose message is a sentence for a chat.
"""

import sqlite3
import traceback
from collections.abc import Iterator
from types import TracebackType

from bot.errors import UserError

_OURS = ("bot", "storage")
_ABOUT_THE_WIRE = ("aiohttp", "discord", "slack_sdk", "ssl", "socket")
MAX_CAUSES = 10
"""Of an exception, how far back they are told."""


class Told:
    """Takes an exception's place among what a line is made of."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __str__(self) -> str:
        return str(self._error) if _is_told(self._error) else type(self._error).__name__

    def __repr__(self) -> str:
        return repr(self._error) if _is_told(self._error) else f"{type(self._error).__name__}()"


def _is_told(error: BaseException) -> bool:
    if isinstance(error, UserError):
        return False
    package = type(error).__module__.partition(".")[0]
    return package in {*_OURS, *_ABOUT_THE_WIRE} or isinstance(error, (OSError, sqlite3.Error))


def trace(error: BaseException, *, messages: bool) -> list[str]:
    """The lines of a traceback, its causes first. `messages`: whatever the exceptions say is told."""
    lines: list[str] = []
    for each in reversed(list(_causes(error))):
        lines += _frames(each.__traceback__)
        said = each if messages else Told(each)
        lines.append(f"{type(each).__qualname__}: {said}")
    return lines


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, and what it was raised from or while handling."""
    current: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if current is None:
            return
        yield current
        if isinstance(current, BaseExceptionGroup):
            yield from current.exceptions[:MAX_CAUSES]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _frames(trace: TracebackType | None) -> list[str]:
    if trace is None:
        return []
    frames = "".join(traceback.format_tb(trace)).splitlines()
    return ["Traceback (most recent call last):", *frames]

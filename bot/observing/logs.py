"""The log on standard error: what the loggers of the standard library are told, ours and those of other packages.

Nothing that people, models and gadgets said is in it, unless `[log] message_text` is on: our own lines do not hold it;
other packages' DEBUG lines, which do, are left out; exceptions are told as `telling` says; and what was said is told to
loggers below `content`, which are off.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, TextIO

from bot.observing.redaction import redaction_of
from bot.settings import Settings

OURS = ("bot", "gadgets", "storage")
CONTENT = "content"
NEVER = logging.CRITICAL + 1
_log = logging.getLogger(__name__)


def start_log(settings: Settings, at_least: int = logging.DEBUG, stream: TextIO | None = None) -> None:
    """From now on tell what is at least that grave; also what ends the program by surprise."""
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(formatter(settings, terminal=handler.stream.isatty()))
    root, texts = logging.getLogger(), settings.log.message_text
    level = max(at_least, logging.getLevelNamesMapping()[settings.log.level.upper()])
    root.addHandler(handler)
    root.setLevel(level if texts else max(level, logging.INFO))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.getLogger(CONTENT).setLevel(level if texts else NEVER)
    _tell_surprises()


def formatter(settings: Settings, *, terminal: bool) -> logging.Formatter:
    """As `[log]` has it; colours only where there is a terminal."""
    with _without_rich():
        from bot.observing.formatter import LogFormatter  # noqa: PLC0415 - brings structlog, which not all need
    given = settings.log.format
    look = ("console" if terminal else "plain") if given == "auto" else given
    return LogFormatter(look, redaction_of(settings), colours=terminal, messages=settings.log.message_text)


@contextmanager
def _without_rich() -> Iterator[None]:
    """structlog imports rich (6 MB), if it can, for tracebacks with the values of variables: none that ours may be."""
    if "rich" in sys.modules:
        yield
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # this is how an import is made to fail
    try:
        yield
    finally:
        del sys.modules["rich"]


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Tells where the mistake is, not, as the standard library does, with which values."""
        if not isinstance(sys.exception(), OSError):  # nobody reads the log any more
            sys.stderr.write(f"a line of the log cannot be told: {record.name}, line {record.lineno}\n")


def _tell_surprises() -> None:
    """What Python and asyncio would print by themselves, values and all, is told as everything else."""
    sys.excepthook = _ended
    sys.unraisablehook = _unraisable
    threading.excepthook = _thread_ended
    with suppress(RuntimeError):  # where no loop runs
        asyncio.get_running_loop().set_exception_handler(_unhandled)


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _log.critical("the program ends by surprise", exc_info=(kind, error, trace))


def _unraisable(told: "sys.UnraisableHookArgs") -> None:
    _log.error("an exception in %s has nowhere to go", type(told.object).__name__, exc_info=told.exc_value)


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    _log.error("a thread ended by surprise", exc_info=told.exc_value)


def _unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Its own way of telling shows the exception with its message, as a part of the task, and what callbacks got."""
    task = context.get("future") or context.get("task")
    name = task.get_name() if isinstance(task, asyncio.Task) else type(task).__name__
    _log.error("%s: %s", context["message"].partition("(")[0], name, exc_info=context.get("exception"))

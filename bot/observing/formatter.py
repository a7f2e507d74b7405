"""A line of the log, by structlog: when, how grave, which logger, what, and what it is about.

    2026-11-22T09:30:00.123456Z WARNING bot.delivery: part 0 is not shown yet: … turn=7 attempt=1       plain
    {"event": "part 0 is not …", "level": "warning", "logger": "bot.delivery", "timestamp": "…", "turn": 7, …}   json

No secret is in it and no control character. What has further lines, a traceback, is told in one JSON text, or in lines
that cannot be taken for records of their own.
"""

import logging
from collections.abc import Mapping
from typing import Any, Literal

from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.observing.about import current
from bot.observing.redaction import Redaction, one_line, without_echo
from bot.observing.telling import Told, trace

Look = Literal["console", "plain", "json"]
_INDENT = "  | "


class LogFormatter(ProcessorFormatter):
    """`messages`: exceptions are told with their messages, whatever those hold."""

    def __init__(self, look: Look, redaction: Redaction, *, colours: bool, messages: bool) -> None:
        self._messages = messages
        super().__init__(
            processors=[
                add_log_level,
                add_logger_name,
                TimeStamper(fmt="iso", utc=True),
                ProcessorFormatter.remove_processors_meta,
                _Fit(redaction, messages=messages, indent="" if look == "json" else _INDENT),
                _renderer(look, colours=colours),
            ]
        )

    def format(self, record: logging.LogRecord) -> str:
        if not self._messages:
            record = logging.makeLogRecord(record.__dict__)
            record.args = _with_care(record.args)
        return super().format(record)


class _Fit:
    """The structlog processor that makes everything fit to be told."""

    def __init__(self, redaction: Redaction, *, messages: bool, indent: str) -> None:
        self._redaction = redaction
        self._messages = messages
        self._indent = indent

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        error, stack, about = event.pop("exc_info", None), event.pop("stack_info", None), current()
        said = "" if self._messages else about.said
        fit: EventDict = {key: self._line(value, said) for key, value in event.items()}
        fit.update({key: self._line(value) for key, value in about.facts.items()})
        lines = stack.splitlines() if stack else []
        if error and error[1] is not None:
            lines += trace(error[1], messages=self._messages)
        if lines:
            fit["exception"] = "\n".join(f"{self._indent}{self._line(line, said)}" for line in lines)
        return fit

    def _line(self, value: Any, said: str = "") -> Any:
        if isinstance(value, int):
            return value
        return one_line(self._redaction(without_echo(str(value), said)))


def _renderer(look: Look, *, colours: bool) -> Processor:
    if look == "json":
        return JSONRenderer()
    if look == "plain":
        return _plain
    return ConsoleRenderer(colors=colours, exception_formatter=plain_traceback)


def _plain(_: WrappedLogger, __: str, event: EventDict) -> str:
    when, level, logger, what = (event.pop(key, "") for key in ("timestamp", "level", "logger", "event"))
    trace = event.pop("exception", "")
    about = "".join(f" {key}={value}" for key, value in event.items())
    return f"{when} {level.upper()} {logger}: {what}{about}" + (f"\n{trace}" if trace else "")


def _with_care(args: tuple[object, ...] | Mapping[str, object] | None) -> Any:
    if isinstance(args, Mapping):
        return {name: _careful(value) for name, value in args.items()}
    return tuple(map(_careful, args or ()))


def _careful(value: object) -> object:
    return Told(value) if isinstance(value, BaseException) else value

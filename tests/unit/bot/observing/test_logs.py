"""What a record looks like in the log, and what is left out of it."""

import json
import logging
from collections.abc import Callable
from typing import Any, Literal, NoReturn

import pytest

from bot.errors import NotAllowed, PlatformError
from bot.observing.about import about
from bot.observing.logs import formatter
from bot.settings import Settings
from bot.settings.sections import Log, Web

TOKEN = "correct horse battery staple"
PLAN = "the vault opens at midnight"
Line = Callable[..., str]


def lines(look: Literal["auto", "console", "plain", "json"], *, terminal: bool = False, text: bool = False) -> Line:
    # pydantic makes the secret of the text.
    settings = Settings(log=Log(format=look, message_text=text), web=Web(access_token=TOKEN))  # type: ignore[arg-type]
    made = formatter(settings, terminal=terminal)

    def told(message: str, *args: Any, error: BaseException | None = None, level: int = logging.INFO) -> str:
        info = (type(error), error, error.__traceback__) if error else None
        return made.format(logging.LogRecord("bot.some.place", level, "place.py", 7, message, args, info))

    return told


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    error.__cause__ = cause
    try:
        _raise(error)
    except BaseException as caught:  # noqa: BLE001 - it is what the test wants
        return caught


def _raise(error: BaseException) -> NoReturn:
    raise error


def test_a_plain_line_says_when_how_grave_where_and_what() -> None:
    when, rest = lines("auto")("part %d is not shown", 3, level=logging.WARNING).split(" ", 1)
    assert rest == "WARNING bot.some.place: part 3 is not shown"
    assert when.endswith("Z")


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b[" in lines("auto", terminal=True)("hello")
    assert "\x1b[" not in lines("console")("hello")
    assert "\x1b[" not in lines("json", terminal=True)("hello")


@pytest.mark.parametrize("look", ["plain", "console", "json"])
def test_every_line_tells_what_it_is_about(look: Literal["plain", "console", "json"]) -> None:
    with about(turn=7, attempt=1, platform="discord", conversation="abcdefghjk"):
        line = lines(look)("part 0 is not shown")
    if look == "json":
        told = json.loads(line)
        assert (told["turn"], told["attempt"], told["platform"]) == (7, 1, "discord")
    else:
        assert all(fact in line for fact in ("turn=7", "attempt=1", "platform=discord", "conversation=abcdefghjk"))


def test_facts_end_with_their_block_and_do_not_mix_with_those_around_it() -> None:
    with about(request="ab12"), about(turn=7):
        inner = json.loads(lines("json")("x"))
    assert "request" not in inner
    assert "turn" not in json.loads(lines("json")("x"))


def test_a_json_line_is_one_object_with_its_traceback() -> None:
    line = lines("json")("it broke", error=raised(PlatformError("Slack is away")), level=logging.ERROR)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["event"], told["level"], told["logger"]) == ("it broke", "error", "bot.some.place")
    assert told["exception"].endswith("PlatformError: Slack is away")
    assert "in raised" in told["exception"]


@pytest.mark.parametrize("look", ["plain", "console", "json"])
def test_nobody_can_begin_a_line_of_the_log(look: Literal["plain", "console", "json"]) -> None:
    name = "Eve\n2026-01-01T00:00:00Z CRITICAL bot.app: all is lost\r\x1b[2J\u2028"
    line = lines(look)("%s said nothing", name, error=raised(PlatformError(name)), level=logging.ERROR)
    assert not [each for each in line.splitlines()[1:] if not each.startswith("  | ")]
    assert not {"\x1b", "\r", "\u2028"} & set(line)


@pytest.mark.parametrize("look", ["plain", "console", "json"])
def test_secrets_are_nowhere_in_a_record(look: Literal["plain", "console", "json"]) -> None:
    cause = raised(PlatformError(f"401 for {TOKEN}"))
    line = lines(look)("%s and %r", TOKEN, {"key": TOKEN}, error=raised(OSError(f"at {TOKEN}"), cause))
    assert TOKEN not in line
    assert line.count("***") == 4


def test_an_exception_that_may_quote_somebody_is_told_by_its_type_and_place() -> None:
    error = raised(ValueError(f"invalid literal for int(): {PLAN!r}"), raised(KeyError(PLAN)))
    line = lines("plain")("turn 7 failed: %r", error, error=error)
    assert PLAN not in line
    assert "turn 7 failed: ValueError()" in line
    assert "ValueError: ValueError" in line
    assert "in raised" in line


def test_a_sentence_for_a_chat_is_not_told() -> None:
    assert PLAN not in lines("plain")("refused: %s", NotAllowed(f"I know no mission {PLAN}."))


def test_exceptions_in_a_group_are_told_with_the_same_care() -> None:
    group = raised(ExceptionGroup("two", [ValueError(PLAN), OSError(28, "No space left on device")]))
    line = lines("plain")("it broke", error=group)
    assert PLAN not in line
    assert "No space left on device" in line


def test_what_a_server_repeats_of_the_message_is_not_told() -> None:
    with about(f"Keep it: {PLAN}!", turn=7):
        line = lines("plain")("turn 7 failed: %r", PlatformError(f"cannot read {PLAN!r}"))
    assert PLAN not in line


def test_with_message_text_everything_is_told_but_secrets() -> None:
    error = raised(ValueError(f"{PLAN} {TOKEN}"))
    with about(PLAN):
        line = lines("plain", text=True)("failed: %r", error, error=error)
    assert line.count(PLAN) == 2
    assert TOKEN not in line

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, SecretStr

from gadgets.context import Context, Occasion
from gadgets.errors import BadArguments, GadgetError, GadgetFailed
from gadgets.gadget import Gadget, gadget
from gadgets.text import CUT
from gadgets.toolbox import MAX_RESULT, MAX_SHOWN, Outcome, Toolbox


class Volume(BaseModel):
    level: int = 5


class Needed(BaseModel):
    key: SecretStr


@gadget(settings=Volume)
async def who(context: Context) -> dict[str, Any]:
    """Tell what is known about the call."""
    return {"user": context.user, "level": context.settings.level, "open": not context.http.closed}


@gadget()
async def echo(text: str, times: int = 1) -> str:
    """Repeat a text."""
    return text * times


@gadget()
async def refuse(kind: str) -> str:
    """Fail in a way of choice."""
    errors: dict[str, Exception] = {
        "arguments": BadArguments("Say please."),
        "failed": GadgetFailed("The line is\x00 dead."),
        "default": GadgetFailed(),
        "other": GadgetError("Something."),
        "bug": RuntimeError("secret /home/me/key"),
        "timeout": TimeoutError("inner"),
    }
    raise errors[kind]


@gadget(timeout=0.01)
async def forever() -> str:
    """Never end."""
    await asyncio.Event().wait()
    return "never"


@gadget()
async def give(kind: str) -> Any:
    """Give something that is no text."""
    return {"none": None, "list": [1, "ä", {"b": None}], "number": 1.5, "nan": float("nan"), "object": object()}[kind]


@gadget(settings=Needed)
async def locked() -> str:
    """Need settings."""
    return "open"


BOX = Toolbox([who, echo, refuse, forever, give, locked])


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def call(http: aiohttp.ClientSession, name: str, **arguments: Any) -> Outcome:
    return await BOX.call(name, arguments, http=http, occasion=Occasion("test:1"), settings={})


async def test_a_gadget_gets_user_session_and_its_own_settings(http: aiohttp.ClientSession) -> None:
    chosen = {"who": Volume(level=9), "echo": Volume(level=1)}
    outcome = await BOX.call("who", {}, http=http, occasion=Occasion("test:1"), settings=chosen)
    assert outcome == Outcome('{"user":"test:1","level":9,"open":true}', ok=True)


async def test_missing_settings_are_the_defaults(http: aiohttp.ClientSession) -> None:
    assert '"level":5' in (await call(http, "who")).text


async def test_settings_without_defaults_that_are_missing_are_an_outcome(http: aiohttp.ClientSession) -> None:
    assert await call(http, "locked") == Outcome("locked failed because of an internal error.", ok=False)


async def test_arguments_are_coerced_before_the_call(http: aiohttp.ClientSession) -> None:
    assert await call(http, "echo", text="ab", times="2") == Outcome("abab", ok=True)


async def test_unknown_gadget_becomes_a_sentence_with_the_known_ones(http: aiohttp.ClientSession) -> None:
    outcome = await call(http, "wheather\n")
    expected = "There is no gadget `wheather`. The gadgets are: who, echo, refuse, forever, give, locked."
    assert outcome == Outcome(expected, ok=False, retry=True)


async def test_bad_arguments_become_a_sentence(http: aiohttp.ClientSession) -> None:
    outcome = await call(http, "echo", text="a", times="often")
    expected = "Wrong arguments for echo: `times` must be a whole number."
    assert outcome == Outcome(expected, ok=False, retry=True)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("arguments", Outcome("Say please.", ok=False, retry=True)),
        ("failed", Outcome("The line is dead.", ok=False)),
        ("default", Outcome("The gadget could not do its work: answer without it.", ok=False)),
        ("other", Outcome("Something.", ok=False)),
    ],
)
async def test_a_gadget_error_is_its_sentence(http: aiohttp.ClientSession, kind: str, expected: Outcome) -> None:
    assert await call(http, "refuse", kind=kind) == expected


@pytest.mark.parametrize("kind", ["bug", "timeout"])
async def test_an_unexpected_error_is_logged_and_neutral(
    http: aiohttp.ClientSession, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await call(http, "refuse", kind=kind) == Outcome("refuse failed because of an internal error.", ok=False)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None


async def test_a_gadget_that_takes_too_long_is_stopped(http: aiohttp.ClientSession) -> None:
    assert await call(http, "forever") == Outcome("forever took longer than 0.01 seconds and was stopped.", ok=False)


async def test_cancelling_the_caller_cancels_the_gadget(http: aiohttp.ClientSession) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    @gadget()
    async def wait() -> str:
        """Wait."""
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    task = asyncio.create_task(Toolbox([wait]).call("wait", {}, http=http, occasion=Occasion("test:1"), settings={}))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


@pytest.mark.parametrize(("kind", "text"), [("none", "null"), ("list", '[1,"ä",{"b":null}]'), ("number", "1.5")])
async def test_a_value_becomes_compact_json(http: aiohttp.ClientSession, kind: str, text: str) -> None:
    assert await call(http, "give", kind=kind) == Outcome(text, ok=True)


@pytest.mark.parametrize("kind", ["nan", "object"])
async def test_a_value_that_json_cannot_hold_is_an_internal_error(http: aiohttp.ClientSession, kind: str) -> None:
    assert await call(http, "give", kind=kind) == Outcome("give failed because of an internal error.", ok=False)


async def test_a_result_at_the_limit_is_whole(http: aiohttp.ClientSession) -> None:
    assert await call(http, "echo", text="x", times=MAX_RESULT) == Outcome("x" * MAX_RESULT, ok=True)


async def test_a_longer_result_is_clipped_with_a_mark(http: aiohttp.ClientSession) -> None:
    text = (await call(http, "echo", text="x", times=MAX_RESULT + 1)).text
    assert len(text) == MAX_RESULT
    assert text.endswith(CUT)


async def test_control_characters_and_overrides_are_taken_out(http: aiohttp.ClientSession) -> None:
    outcome = await call(http, "echo", text="a\tb\r\nc\x1b[31m\x00\x85\u202eevil\u2066")
    assert outcome.text == "a\tb\nc[31mevil"


def test_only_keeps_the_named_ones_in_their_order() -> None:
    assert [each.name for each in BOX.only(["echo", "who", "nobody"]).gadgets] == ["who", "echo"]


def test_find_knows_the_names() -> None:
    assert BOX.find("echo") is echo
    assert BOX.find("nobody") is None


def test_two_gadgets_with_one_name_are_refused() -> None:
    same: Gadget = echo
    with pytest.raises(ValueError, match="same name"):
        Toolbox([echo, same])


@gadget(keeps="tally")
async def count(context: Context, ends: bool = False) -> str:
    """Count how often it was called in a conversation."""
    number = context.state.get("calls", 0) + 1
    context.keep({"calls": number})
    if ends:
        context.complete()
    return f"{number} in {context.conversation}, turn {context.turn}"


@gadget(keeps="tally")
async def spoil(context: Context, kind: str) -> str:
    """Keep what cannot be kept."""
    states: dict[str, Any] = {"failed": {"calls": 0}, "nan": {"calls": float("nan")}, "object": {"calls": object()}}
    context.keep(states[kind])
    if kind == "failed":
        context.complete()
        raise GadgetFailed("No.")
    return "kept"


@gadget()
async def nameless(context: Context) -> str:
    """Keep something without a name for it."""
    context.keep({"calls": 1})
    return "kept"


@gadget()
async def display(context: Context, text: str) -> str:
    """Show a text."""
    context.show(text)
    return "shown"


KEEPING = Toolbox([count, spoil, nameless, display])


async def kept(http: aiohttp.ClientSession, name: str, **arguments: Any) -> Outcome:
    occasion = Occasion("test:1", "k7q", 12, {"calls": 4})
    return await KEEPING.call(name, arguments, http=http, occasion=occasion, settings={})


async def test_a_gadget_reads_and_replaces_what_its_family_keeps(http: aiohttp.ClientSession) -> None:
    assert await kept(http, "count") == Outcome("5 in k7q, turn 12", ok=True, state={"calls": 5})


async def test_a_gadget_may_complete_the_conversation(http: aiohttp.ClientSession) -> None:
    assert (await kept(http, "count", ends=True)).ends is True


async def test_what_is_shown_is_cleaned_and_bounded(http: aiohttp.ClientSession) -> None:
    assert (await kept(http, "display", text="*a*\x00\u202eb")).shown == "*a*b"
    assert len((await kept(http, "display", text="x" * 100_000)).shown) == MAX_SHOWN


async def test_a_call_that_fails_keeps_and_completes_nothing(http: aiohttp.ClientSession) -> None:
    assert await kept(http, "spoil", kind="failed") == Outcome("No.", ok=False)


@pytest.mark.parametrize("kind", ["nan", "object"])
async def test_what_json_cannot_hold_is_an_internal_error(http: aiohttp.ClientSession, kind: str) -> None:
    assert await kept(http, "spoil", kind=kind) == Outcome("spoil failed because of an internal error.", ok=False)


async def test_a_state_needs_a_name(http: aiohttp.ClientSession) -> None:
    assert await kept(http, "nameless") == Outcome("nameless failed because of an internal error.", ok=False)

"""The Big List of Naughty Strings as arguments and as results."""

import json
import os
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from gadgets.caesar import decrypt
from gadgets.context import Occasion
from gadgets.gadget import gadget
from gadgets.toolbox import MAX_RESULT, Outcome, Toolbox

ROOT = Path(__file__).parents[3]
FILE = ROOT / os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data") / "blns.json"

Call = Callable[..., Awaitable[Outcome]]


@pytest.fixture(scope="module")
def naughty() -> list[str]:
    if not FILE.exists():
        pytest.skip("blns.json is not there: set SECRET_AGENTS_TEST_DATA to the folder that has it")
    strings: list[str] = json.loads(FILE.read_text(encoding="utf-8"))
    return strings


@gadget()
async def echo(text: str) -> str:
    """Give a text back."""
    return text


def fit_to_show(text: str) -> bool:
    controls = [each for each in text if unicodedata.category(each) in {"Cc", "Cs"} and each not in "\n\t"]
    overrides = [each for each in text if unicodedata.bidirectional(each) in {"LRE", "RLE", "LRO", "RLO", "PDF"}]
    return not controls and not overrides and len(text) <= MAX_RESULT


async def test_as_results_they_are_fit_to_be_shown(http: aiohttp.ClientSession, naughty: list[str]) -> None:
    box = Toolbox([echo])
    for text in naughty:
        outcome = await box.call("echo", {"text": text}, http=http, occasion=Occasion("test:1"), settings={})
        assert outcome.ok
        assert fit_to_show(outcome.text)


async def test_as_gadget_and_parameter_names_they_are_refused(call: Call, naughty: list[str]) -> None:
    for text in naughty:
        for outcome in (await call(text, {}), await call("decrypt", {"ciphertext": "a", text: "b"})):
            assert outcome.retry
            assert fit_to_show(outcome.text)


async def test_as_texts_they_come_through_the_cipher(call: Call, naughty: list[str]) -> None:
    for text in naughty:
        secret = await call("encrypt", {"plaintext": text, "shift": 7})
        assert secret.ok
        assert (await call("decrypt", {"ciphertext": text})).ok
        plain = await call("decrypt", {"ciphertext": secret.text, "shift": 7})
        assert plain == Outcome(decrypt(secret.text, 7), ok=True)


@pytest.mark.parametrize(("name", "parameter"), [("weather", "city"), ("clock", "place"), ("clock", "time")])
async def test_as_places_and_times_they_end_in_a_sentence(
    call: Call, naughty: list[str], name: str, parameter: str
) -> None:
    for text in naughty:
        outcome = await call(name, {parameter: text})
        assert outcome.ok or outcome.retry
        assert outcome.text
        assert fit_to_show(outcome.text)
        assert "internal error" not in outcome.text

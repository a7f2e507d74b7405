"""What a hostile model, a hostile gadget and hostile people may say: the two public collections, and our own."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data")
NUL, ESCAPE = "\x00", "\x1b]0;pwned\x07\x1b[2J"
OUR_STRINGS = (
    f"a{NUL}b",
    f"{ESCAPE}red",
    "\u202eevil\u202c \u2066x\u2069",
    "\x9b31m",
    "a\r\nb\rc",
    "@everyone @here <@1> <@&2> <!channel> <@U0ADA> <!subteam^S1|x> &lt;!here&gt;",
    "](javascript:alert(1)) [x](javascript:alert(1)) <javascript:alert(1)> ![x](data:text/html,x)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>`<b>`",
    "```\n<script>alert(1)</script>\n```\n| a | <b> |\n|---|---|\n| <i onclick=x> | [y](vbscript:z) |",
    "**" * 200 + "[" * 400 + "<" * 400 + "`" * 400 + "> " * 100 + "- " * 50,
)
CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""What messages and answers are cleaned of, beside NUL."""
UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What gadgets' results are cleaned of, and all that is shown on a terminal: also what turns the direction."""
DEEP = 100_000
"""Brackets within brackets."""
HOSTILE_NUMBERS = ("NaN", "Infinity", "-Infinity", "[NaN]", '{"a": -Infinity}', "1e999", "-1e999", "9" * 5_000)
HOSTILE_DEPTHS = (
    "[" * DEEP,
    '{"a":' * DEEP,
    "[" * DEEP + "]" * DEEP,
    '{"a":' * DEEP + "1" + "}" * DEEP,
    '[{"a":' * DEEP,
)
HOSTILE_TEXTS = ("'text'", '"\x00"', "/* */ 1", "1 // one", "0x1")


def naughty_strings() -> list[str]:
    """https://github.com/minimaxir/big-list-of-naughty-strings, without the empty one, and ours."""
    strings: list[str] = json.loads(_existing("blns.json").read_bytes())
    return [*filter(None, strings), *OUR_STRINGS]


def json_documents(kind: str) -> Mapping[str, bytes]:
    """Those of https://github.com/nst/JSONTestSuite by name: `n` has to be refused, `y` is JSON, `i` may be either."""
    files = sorted(_existing("json-test-suite").glob(f"{kind}_*.json"))
    assert files, "the folder is there and has no documents"
    return {file.stem: file.read_bytes() for file in files}


def refusable() -> dict[str, bytes]:
    """Every document that is no JSON, or is more than anybody may be asked to read."""
    ours = {f"{text[:20]}… of {len(text)}": text.encode() for text in HOSTILE_NUMBERS + HOSTILE_DEPTHS + HOSTILE_TEXTS}
    return {**json_documents("n"), **ours}


def _existing(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {path}: set SECRET_AGENTS_TEST_DATA to the folder with {name}")
    return path

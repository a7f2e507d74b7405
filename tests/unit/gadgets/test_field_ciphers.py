"""The codes of the field mission: reversible, distinct, and never given away word by word."""

import re
from collections.abc import Callable
from itertools import cycle
from string import ascii_uppercase

import pytest

from gadgets.caesar import decrypt
from gadgets.field_ciphers import CIPHERS, PHRASES
from gadgets.field_state import HINT_COSTS, normalised

KEYS = range(0, 400, 7)


def found(pattern: str, hint: str) -> str:
    match = re.search(pattern, hint)
    assert match is not None
    return match[1]


def by_shift(code: str, hint: str) -> str:
    return decrypt(code, int(found(r"back by (\d+)", hint)))


def by_keyword(code: str, hint: str) -> str:
    row = found("code ([A-Z]+)", hint)
    return code.translate(str.maketrans(row, ascii_uppercase))


def by_key(code: str, hint: str) -> str:
    """As a person would: each letter of the code by the row of the key's next letter."""
    rows = dict(re.findall("for ([A-Z]), code ([A-Z]+)", hint))
    turn = cycle(found("The key is ([A-Z]+)", hint))
    return "".join(ascii_uppercase[rows[next(turn)].index(letter)] if letter != " " else " " for letter in code)


READERS: dict[str, Callable[[str, str], str]] = {
    "Caesar": by_shift,
    "mirror": lambda code, hint: by_shift(code[::-1], hint),
    "keyword": by_keyword,
    "Vigenère": by_key,
}


@pytest.mark.parametrize("name", CIPHERS)
def test_the_last_hint_is_all_that_is_needed_to_read_every_phrase(name: str) -> None:
    cipher = CIPHERS[name]
    for phrase in PHRASES:
        for key in KEYS:
            code = cipher.encipher(phrase, key)
            assert READERS[name](code, cipher.hints(key)[-1]) == phrase


@pytest.mark.parametrize("name", CIPHERS)
def test_a_code_is_not_what_it_means(name: str) -> None:
    encipher = CIPHERS[name].encipher
    assert all(normalised(encipher(phrase, key)) != normalised(phrase) for phrase in PHRASES for key in KEYS)


@pytest.mark.parametrize("name", CIPHERS)
def test_every_hint_costs_something_and_says_something_new(name: str) -> None:
    assert all(len(set(CIPHERS[name].hints(key))) == len(HINT_COSTS) for key in KEYS)


def test_phrases_differ_and_are_plain_capital_letters() -> None:
    assert len(set(PHRASES)) == len(PHRASES) >= 40
    assert all(set(phrase) <= {*ascii_uppercase, " "} for phrase in PHRASES)
    assert all(4 <= len(phrase.split()) <= 9 for phrase in PHRASES)

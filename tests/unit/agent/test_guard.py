import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.cleaning import clean
from bot.agent.guard import MAX_GRAPHEME, MAX_NAME, Guarded, clean_name, sanitise

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data")

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1eb\U0001f1f7"
ANYTHING = st.text(st.one_of(st.characters(), st.characters(categories=["Cs", "Mn", "Cc", "Cf"])), max_size=60)
CLUSTERS = st.lists(
    st.sampled_from(
        [
            "a",
            "e\u0301",
            FAMILY,
            FLAG,
            "\u2764\ufe0f",
            "\U0001f44d\U0001f3fd",
            "\u1112\u1161\u11ab",
            "\u0915\u094d\u0937",
        ]
    )
)


@pytest.fixture(scope="module")
def naughty_strings() -> list[str]:
    path = DATA / "blns.json"
    if not path.exists():
        pytest.skip(f"no {path}: set SECRET_AGENTS_TEST_DATA to the folder with blns.json")
    strings: list[str] = json.loads(path.read_text(encoding="utf-8"))
    return strings


@given(ANYTHING, st.integers(0, 80))
def test_every_text_becomes_one_that_can_be_stored(text: str, limit: int) -> None:
    guarded = sanitise(text, limit)
    assert len(guarded.text) <= limit
    assert guarded.text.encode().decode() == guarded.text
    assert not [c for c in guarded.text if unicodedata.category(c) == "Cc" and c < "\x80" and c not in "\n\t"]


@given(ANYTHING)
def test_a_guarded_text_stays_as_it_is(text: str) -> None:
    once = sanitise(text, 1000)
    assert once.clipped is False
    assert sanitise(once.text, 1000) == once


@given(ANYTHING, st.integers(0, 80))
def test_a_clipped_text_is_the_beginning_of_the_whole(text: str, limit: int) -> None:
    in_full, guarded = sanitise(text, 1000).text, sanitise(text, limit)
    assert in_full.startswith(guarded.text)
    assert guarded.clipped == (len(in_full) > limit)


@given(CLUSTERS, st.integers(0, 40))
def test_a_text_is_clipped_between_whole_characters(clusters: list[str], limit: int) -> None:
    kept: list[str] = []
    for cluster in clusters:
        if len("".join([*kept, cluster])) > limit:
            break
        kept.append(cluster)
    assert sanitise("".join(clusters), limit).text == "".join(kept)


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("a\r\nb\rc\n\td", "a\nb\nc\n\td"),
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\x1b[31mred\x07\x7f", "[31mred"),
        ("\u202egnp.exe", "\u202egnp.exe"),
    ],
)
def test_characters_that_break_things_are_replaced_or_removed(text: str, guarded: str) -> None:
    assert sanitise(text, 100) == Guarded(guarded, clipped=False)


def test_a_character_made_of_endless_marks_is_cut_all_the_same() -> None:
    assert sanitise("e" + "\u0301" * 500, 200) == Guarded("e" + "\u0301" * 199, clipped=True)
    assert sanitise("x" + "e" + "\u0301" * (MAX_GRAPHEME // 2), 10).text == "x"


def test_a_limit_of_nothing_leaves_nothing() -> None:
    assert sanitise("abc", 0) == Guarded("", clipped=True)
    assert sanitise("abc", -1) == Guarded("", clipped=True)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Ada", "Ada"),
        ("  Ada\r\n\tLovelace\u2028x ", "Ada Lovelace x"),
        ("\u202eAda\u2066\u2069", "Ada"),
        ("", "somebody"),
        ("\u200b\ufeff\u2060 \u200d", "somebody"),
        ("\u202e\n", "somebody"),
        (f"{FAMILY}", FAMILY),
        ("\u0627\u062d\u0645\u062f", "\u0627\u062d\u0645\u062f"),
    ],
)
def test_a_name_is_one_visible_line(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@given(ANYTHING)
def test_every_name_can_be_shown(name: str) -> None:
    cleaned = clean_name(name * 4)
    assert cleaned.strip()
    assert len(cleaned) <= MAX_NAME
    assert len(cleaned.splitlines()) == 1
    assert not set(cleaned) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert cleaned.encode()


def test_naughty_strings_pass(naughty_strings: list[str]) -> None:
    for text in naughty_strings:
        sanitise(text, 40).text.encode()
        clean_name(text).encode()
        assert clean("x" + text).startswith("x")

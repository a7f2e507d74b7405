import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadgets.caesar import SIZE, decrypt, encrypt, ranked

SENTENCES = [
    "Attack at dawn.",
    "The eagle has landed, and the package is in the usual place!",
    "Meet me at the old bridge at midnight; come alone.",
    "It was the best of times, it was the worst of times.",
    "We hold these truths to be self-evident, that all men are created equal.",
    "Do not trust the man in the grey hat",
    "this is a test",
    "hello world",
    "Our agent in Moscow has not reported for three days.",
    "A Caesar cipher is easy to break, so never use it for real secrets.",
    "meetmeatthebridgeatmidnight",
]
WORDS = ["hello", "test", "secret", "agent", "attack", "help", "world", "message", "password", "weather"]


@given(st.text(), st.integers())
def test_decrypt_undoes_encrypt(text: str, shift: int) -> None:
    assert decrypt(encrypt(text, shift), shift) == text


@given(st.text(), st.integers())
def test_only_the_letters_a_to_z_move_and_case_stays(text: str, shift: int) -> None:
    for before, after in zip(text, encrypt(text, shift), strict=True):
        if before in string.ascii_letters:
            assert (ord(after.lower()) - ord(before.lower()) - shift) % SIZE == 0
            assert after.isupper() == before.isupper()
        else:
            assert after == before


@given(st.text(), st.integers(), st.integers())
def test_shifts_add_up(text: str, first: int, second: int) -> None:
    assert encrypt(encrypt(text, first), second) == encrypt(text, first + second)


@pytest.mark.parametrize(
    ("text", "shift", "plain"),
    [
        ("IFMMP", 1, "HELLO"),
        ("Khoor, Zruog! 123", 3, "Hello, World! 123"),
        ("URYYB", 13, "HELLO"),
        ("JGNNQ", 2, "HELLO"),
        ("abc", -1, "bcd"),
        ("abc", 26 * 10**30 + 1, "zab"),
        ("Äpfel Привет ß é", 4, "Älbah Привет ß é"),
        ("", 5, ""),
    ],
)
def test_known_texts(text: str, shift: int, plain: str) -> None:
    assert decrypt(text, shift) == plain


@pytest.mark.parametrize("shift", range(1, SIZE))
@pytest.mark.parametrize("sentence", SENTENCES)
def test_an_english_sentence_is_ranked_first_at_every_shift(sentence: str, shift: int) -> None:
    best = ranked(encrypt(sentence, shift))[0]
    assert (best.shift, best.text) == (shift, sentence)


@pytest.mark.parametrize("shift", range(1, SIZE))
@pytest.mark.parametrize("word", WORDS)
def test_a_common_word_is_ranked_first_at_every_shift(word: str, shift: int) -> None:
    assert ranked(encrypt(word.upper(), shift))[0].text == word.upper()


def test_all_shifts_are_ranked_once_by_their_cost() -> None:
    guesses = ranked("KHOOR")
    assert sorted(guess.shift for guess in guesses) == list(range(1, SIZE))
    assert [guess.cost for guess in guesses] == sorted(guess.cost for guess in guesses)


@given(st.text())
def test_any_text_can_be_ranked(text: str) -> None:
    assert len(ranked(text)) == SIZE - 1

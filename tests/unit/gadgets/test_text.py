from hypothesis import given
from hypothesis import strategies as st

from gadgets.text import CUT, MAX_EXCERPT, clean, clip, excerpt


@given(st.text(st.characters(codec=None)))
def test_clean_text_can_be_encoded_and_has_no_control_characters(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert all(each in "\n\t" or ord(each) >= 32 for each in cleaned)
    assert clean(cleaned) == cleaned


@given(st.text(), st.integers(min_value=len(CUT), max_value=100))
def test_clipped_text_is_within_the_limit_and_says_so(text: str, limit: int) -> None:
    clipped = clip(text, limit)
    assert len(clipped) <= limit
    assert clipped == text if len(text) <= limit else clipped.endswith(CUT)


def test_letters_of_every_script_and_emoji_stay() -> None:
    text = "äöü Привет مرحبا 👩‍👩‍👧 日本"
    assert clean(text) == text


@given(st.text())
def test_an_excerpt_is_one_short_line(text: str) -> None:
    line = excerpt(text)
    assert len(line) <= MAX_EXCERPT
    assert "\n" not in line

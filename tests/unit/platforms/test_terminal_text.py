"""What may be printed, and what has to be printed next."""

from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.terminal_text import DIM, PLAIN, continuation, shown_of, status_line


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    assert shown_of("a\x1b[2Jb\x9b31mc\x07\x08\x7f\r!") == "a[2Jb31mc!"


def test_bidirectional_overrides_do_not_reach_the_terminal() -> None:
    assert shown_of("invoice\u202efdp.exe") == "invoicefdp.exe"


def test_newlines_and_tabs_stay() -> None:
    assert shown_of("a\n\tb\r\nc") == "a\n\tb\nc"


def test_white_space_at_the_end_waits() -> None:
    assert shown_of("a \n\n ") == "a"


@given(st.text(alphabet=st.sampled_from("ab \n\t\r\x1b\x00\u202e"), max_size=30), st.integers(0, 30))
def test_what_is_printed_of_a_growing_answer_stays_right(text: str, cut: int) -> None:
    before, after = shown_of(text[:cut]), shown_of(text)
    assert continuation(before, after) == after[len(before) :]


def test_an_answer_that_changed_has_no_continuation() -> None:
    assert continuation("Hello agent", "Good bye") is None


def test_a_status_is_one_line_within_the_width() -> None:
    assert status_line("checking\nthe \x1b[31mweather…", 80) == f"{DIM}checking the [31mweather…{PLAIN}"
    assert status_line("x" * 100, 20) == f"{DIM}{'x' * 18}…{PLAIN}"

"""The screen: an answer that only grows, a status that leaves no trace, and a reader who has left."""

from io import StringIO

import pytest

from bot.errors import PlatformGone
from bot.platforms.terminal_screen import Screen
from bot.platforms.terminal_text import DIM, ERASE_LINE, PLAIN


class Terminal:
    """A screen and what was written to it."""

    def __init__(self, *, live: bool) -> None:
        self.out, self.notes = StringIO(), StringIO()
        self.screen = Screen(self.out, self.notes, live=live)

    @property
    def text(self) -> str:
        return self.out.getvalue()


def test_a_growing_answer_is_printed_once() -> None:
    terminal = Terminal(live=True)
    for text in ("", "One ", "One two", "One two\n", "One two\nthree"):
        terminal.screen.answer(text)
    terminal.screen.end()
    assert terminal.text == "One two\nthree\n\n"


def test_an_answer_that_changed_is_printed_again_whole() -> None:
    terminal = Terminal(live=True)
    terminal.screen.answer("One two")
    terminal.screen.answer("Two one")
    assert terminal.text == "One two\nTwo one"


def test_a_status_is_erased_before_the_answer_begins() -> None:
    terminal = Terminal(live=True)
    terminal.screen.status("thinking…")
    terminal.screen.answer("Yes.")
    assert terminal.text == f"{ERASE_LINE}{DIM}thinking…{PLAIN}{ERASE_LINE}Yes."


def test_a_status_never_breaks_into_an_answer() -> None:
    terminal = Terminal(live=True)
    terminal.screen.answer("Yes, ")
    terminal.screen.status("checking…")
    assert terminal.text == "Yes,"


def test_a_pipe_gets_answers_only() -> None:
    terminal = Terminal(live=False)
    terminal.screen.note("a note")
    terminal.screen.status("thinking…")
    terminal.screen.answer("Yes.")
    terminal.screen.end()
    assert terminal.text == "Yes.\n"
    assert terminal.notes.getvalue() == "a note\n"


def test_every_answer_begins_anew() -> None:
    terminal = Terminal(live=False)
    for _ in range(2):
        terminal.screen.answer("Yes.")
        terminal.screen.end()
    assert terminal.text == "Yes.\nYes.\n"


def test_a_closed_terminal_is_gone() -> None:
    terminal = Terminal(live=False)
    terminal.out.close()
    with pytest.raises(PlatformGone):
        terminal.screen.answer("Is anybody there?")

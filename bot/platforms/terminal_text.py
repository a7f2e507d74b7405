"""What the terminal is sent, without the terminal: pure functions."""

from gadgets.text import clean

ERASE_LINE = "\r\x1b[2K"
DIM, PLAIN = "\x1b[2m", "\x1b[0m"


def shown_of(text: str) -> str:
    """The part of a growing answer that can be printed for good.

    Nothing that a model writes reaches the terminal as an escape sequence. White space at the end waits: the final
    text has it trimmed, and what is printed cannot be taken back.
    """
    return clean(text).rstrip()


def continuation(shown: str, text: str) -> str | None:
    """What to print after `shown` so that `text` is there; None when `text` does not begin with what is shown."""
    return text[len(shown) :] if text.startswith(shown) else None


def status_line(text: str, width: int) -> str:
    """One dim line that fits `width` columns, so that erasing one line erases it whole."""
    line = " ".join(clean(text).split())
    return f"{DIM}{line if len(line) < width else line[: max(0, width - 2)] + '…'}{PLAIN}"

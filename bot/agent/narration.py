"""What the user is shown of a turn: the model's visible outputs, cleaned, one after another, never taken back."""

from typing import Protocol

from bot.agent.cleaning import Cleaner
from bot.agent.guard import without_controls


class Show(Protocol):
    """Where a growing answer is shown. Both return at once; what is shown follows at the platform's pace."""

    def text(self, more: str) -> None: ...

    def status(self, text: str) -> None: ...


class Narration:
    """Feeds a Show from one or more model outputs, each announced by `begin`; `shown` is the whole text so far."""

    _cleaner: Cleaner
    _separator: str

    def __init__(self, show: Show, speaker: str) -> None:
        self._show = show
        self._speaker = speaker
        self.shown = ""

    def begin(self) -> None:
        """A new model output follows; its text becomes a paragraph of its own."""
        self._cleaner = Cleaner(self._speaker)
        self._separator = "\n\n" if self.shown.strip() else ""

    def feed(self, raw: str) -> None:
        self.add(without_controls(self._cleaner.feed(raw)))

    def end(self) -> list[str]:
        """The output is complete: show what was held back. Returns the tool calls it printed as text."""
        self.add(without_controls(self._cleaner.finish()))
        return self._cleaner.calls

    def add(self, text: str) -> None:
        """Show `text` as it is."""
        if not text:
            return
        text, self._separator = self._separator + text, ""
        self.shown += text
        self._show.text(text)

    def status(self, text: str) -> None:
        self._show.status(text)

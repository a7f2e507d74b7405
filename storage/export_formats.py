"""What an export may be written as, and what it tells of itself; light to import, unlike what writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Format = Literal["json", "jsonl", "markdown", "html", "csv", "finetune"]
ENDINGS: dict[Format, str] = {
    "json": ".json",
    "jsonl": ".jsonl",
    "markdown": ".md",
    "html": ".html",
    "csv": ".csv",
    "finetune": ".finetune.jsonl",
}
"""How the name of a file of each format ends."""
OF_TURNS: frozenset[Format] = frozenset({"jsonl", "csv", "finetune"})
"""Formats in which a mission without turns is nothing."""

Render = Callable[[str], str]
"""Markdown → HTML that is safe anywhere in a page, without scripts and inline styles. May be called in any thread."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    conversations: int
    turns: int


Told = Callable[[ExportSummary], object]
"""Is told, in the loop, what is read so far; a page may not be written yet."""

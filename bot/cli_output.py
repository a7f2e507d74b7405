"""How commands print: text, JSON, tables. Other people's words never reach the terminal as escape sequences."""

import json
import sys
from collections.abc import Iterable, Sequence

from gadgets.text import clean


def print_text(text: str) -> None:
    sys.stdout.write(f"{clean(text)}\n")


def counted(number: int, noun: str) -> str:
    """E.g. `1 mission`, `2 missions`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_json(value: object) -> None:
    print_text(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """As wide as the terminal; into a pipe, each row stays one line."""
    from rich.console import Console  # noqa: PLC0415 - only when a table is printed
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - see above

    table = Table(*headers, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(" ".join(clean(cell).split())) for cell in row))
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    console.print(table)


PIPE_WIDTH = 1_000
"""Columns; wide enough that nothing is broken over lines."""

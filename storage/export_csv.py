"""The layout of an export for spreadsheets: CSV (RFC 4180), a turn a row. It cannot be imported again.

A cell that a spreadsheet would take for a formula gets an apostrophe in front
(https://owasp.org/www-community/attacks/CSV_Injection): one whose text begins with `=`, `+`, `-`, `@` or a variant of
these, a tab or a line end, be it behind white space, quotation marks or characters that cannot be seen. Take one
apostrophe away from every cell that begins with it and goes on so, and all texts are what they were.

The file begins with a byte order mark, by which Excel knows UTF-8.
"""

import csv
import io
import re

from storage.export_layouts import Layout
from storage.logged import LoggedConversation
from storage.mission_log import LoggedMessage

COLUMNS = (
    "conversation_id", "platform", "workspace", "channel", "thread", "owner", "owner_name", "agent", "title",
    "timestamp", "author", "author_name", "user_message", "attachments", "agent_response", "status", "rating",
    "gadgets", "model", "prompt_tokens", "completion_tokens", "finished_at", "error",
)  # fmt: skip
_UNSEEN = r"\s\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff"
_QUOTES = r"\"'`\u00b4\u2018-\u201f\u00ab\u00bb"
_STARTS = r"=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
"""The full-width and the small variants are formulas to some, and so is the minus sign."""
_FORMULA = re.compile(f"[{_UNSEEN}{_QUOTES}]*[{_STARTS}]")
_SEPARATOR = "; "


class TurnRows(Layout):
    """A row of names, then a row for every turn, in the order of COLUMNS."""

    def __init__(self) -> None:
        self._mission: list[str] = []
        self._text = io.StringIO(newline="")
        self._write = csv.writer(self._text).writerow

    def begin(self, page: bytearray) -> None:
        page += b"\xef\xbb\xbf"
        self._row(page, COLUMNS)

    def open(self, page: bytearray, told: LoggedConversation) -> None:  # noqa: ARG002 - it is on each of its rows
        tail = told.tail
        place = tail.place
        where = (place.platform, place.workspace, place.channel, place.thread) if place else ("", "", "", "")
        mission = (told.head.conversation_id, *where, tail.owner, tail.owner_name, tail.agent, tail.title)
        self._mission = [harmless(text) for text in mission]

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        turn = message.turn
        assert turn is not None
        self._row(page, (
            *self._mission, harmless(message.timestamp), harmless(turn.author), harmless(turn.author_name),
            harmless(message.user_message), harmless(_SEPARATOR.join(str(a.get("name", "")) for a in turn.attachments)),
            harmless(message.agent_response), turn.status, turn.rating,
            harmless(_SEPARATOR.join(dict.fromkeys(call.tool for call in message.tool_calls))),
            harmless(turn.model or ""), turn.prompt_tokens, turn.completion_tokens, harmless(turn.finished_at or ""),
            harmless(turn.error or ""),
        ))  # fmt: skip

    def _row(self, page: bytearray, cells: tuple[str | int | None, ...]) -> None:
        self._write(cells)
        page += self._text.getvalue().encode("utf-8", "replace")
        self._text.seek(0)
        self._text.truncate()


def harmless(text: str) -> str:
    """The text of a cell, which no spreadsheet computes."""
    return f"'{text}" if _FORMULA.match(text) else text


def original(cell: str) -> str:
    """The text of which `harmless` made this cell."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell, 1) else cell

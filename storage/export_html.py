"""The layout of an export for people: a page (https://html.spec.whatwg.org/) that needs nothing but itself.

It has no script and asks for nothing from anywhere: its Content-Security-Policy allows its own style sheet, by its
hash, and pictures that are in it. All text is escaped. Answers are laid out by whoever knows Markdown: they stand in
the pages that are being filled between two NUL characters, which no text has here, until `finished`.
"""

import base64
import hashlib
from html import escape

from storage.export_formats import Render
from storage.export_layouts import Layout, text_of
from storage.export_style import STYLE
from storage.logged import LoggedConversation
from storage.mission_log import LoggedCall, LoggedImage, LoggedMessage, LoggedTurn

_MARK = b"\0"
_HIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), "\ufffd")
"""Characters that HTML does not allow, and other controls."""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; img-src data:; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
_HEAD = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>Missions</title>
<style>{STYLE}</style>
</head>
<body>
<main>
"""
_COLUMNS = ("Mission", "Begun by", "Begun", "Last message", "Agent", "Status")
_NAMES = "".join(f"<th>{name}</th>" for name in _COLUMNS)
_TABLE = f"<h1>Missions</h1>\n<table>\n<thead><tr>{_NAMES}</tr></thead>\n<tbody>\n"
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_RATINGS = {1: " 👍", -1: " 👎"}


class Page(Layout):
    """A table of the missions where there are several, then each of them. `render` None shows answers as plain text."""

    lists = True

    def __init__(self, render: Render | None = None) -> None:
        self._render = render or plain
        self._agent = ""
        self._entries = 0
        self._first = b""
        self._missions = 0

    def begin(self, page: bytearray) -> None:
        page += _HEAD.encode()

    def entry(self, page: bytearray, told: LoggedConversation) -> None:
        """The first one waits for the second: a single mission needs no table."""
        self._entries += 1
        row = _row(self._entries, told).encode("utf-8", "replace")
        if self._entries == 1:
            self._first = row
            return
        if self._entries == 2:
            page += _TABLE.encode() + self._first
        page += row

    def listed(self, page: bytearray) -> None:
        if self._entries > 1:
            page += b"</tbody>\n</table>\n"

    def open(self, page: bytearray, told: LoggedConversation) -> None:
        head, tail = told.head, told.tail
        self._missions += 1
        self._agent = shown(tail.agent) or "Answer"
        place = tail.place
        where = " / ".join(part for part in (place.platform, place.channel, place.thread) if part) if place else ""
        facts = (
            ("Mission", f"{head.conversation_id} ({head.status})"), ("Begun by", tail.owner_name),
            ("Begun", _moment(head.started_at)), ("Last message", _moment(head.last_updated)),
            ("Agent", tail.agent), ("Place", where),
        )  # fmt: skip
        told_facts = "".join(f"<dt>{name}</dt><dd dir=auto>{shown(fact)}</dd>" for name, fact in facts)
        _put(page, f"<section id=m{self._missions}>\n<h2 dir=auto>{_title(told)}</h2>\n<dl>{told_facts}</dl>\n")

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        turn = message.turn
        name = shown(turn.author_name) if turn else "user"
        time = f'<time datetime="{shown(message.timestamp)}">{shown(_moment(message.timestamp))}</time>'
        asked = f"<header><b dir=auto>{name}</b> {time}</header>\n{plain(message.user_message)}{_attached(turn)}"
        _put(page, f"<article class=asked>\n{asked}</article>\n<article class=answer>\n<header><b dir=auto>")
        _put(page, f"{self._agent}</b>{_RATINGS.get(turn.rating or 0, '') if turn else ''}</header>\n")
        if message.agent_response:
            page += _MARK + message.agent_response.replace("\0", "\ufffd").encode("utf-8", "replace") + _MARK
        else:
            _put(page, f"<p class=state>({turn.status if turn else 'unanswered'})</p>\n")
        _put(page, f"{_used(message)}</article>\n")

    def close(self, page: bytearray, told: LoggedConversation) -> None:  # noqa: ARG002 - all was said when it was opened
        page += b"</section>\n"

    def end(self, page: bytearray) -> None:
        page += b"</main>\n</body>\n</html>\n"

    def finished(self, page: bytearray) -> bytearray:
        if _MARK not in page:
            return page
        parts = page.split(_MARK)
        parts[1::2] = [bytearray(self._laid_out(part.decode()), "utf-8", "replace") for part in parts[1::2]]
        return bytearray().join(parts)

    def _laid_out(self, markdown: str) -> str:
        return f"<div class=said dir=auto>{self._render(markdown.translate(_HIDDEN))}</div>\n"


def shown(text: str) -> str:
    """A text as it stands in an element or, quoted, in an attribute."""
    return escape(text.translate(_HIDDEN))


def plain(text: str) -> str:
    """A text with the line ends and spaces it has."""
    return f"<div class=text dir=auto>{shown(text)}</div>\n"


def _put(page: bytearray, html: str) -> None:
    page += html.encode("utf-8", "replace")


def _title(told: LoggedConversation) -> str:
    return shown(told.tail.title.strip() or f"Mission {told.head.conversation_id}")


def _row(number: int, told: LoggedConversation) -> str:
    head, tail = told.head, told.tail
    cells = (tail.owner_name, _moment(head.started_at), _moment(head.last_updated), tail.agent, head.status)
    rest = "".join(f"<td dir=auto>{shown(cell)}</td>" for cell in cells)
    return f"<tr><td dir=auto><a href=#m{number}>{_title(told)}</a></td>{rest}</tr>\n"


def _attached(turn: LoggedTurn | None) -> str:
    """The names of what came attached, and the pictures."""
    if turn is None:
        return ""
    names = ", ".join(shown(str(each.get("name", ""))) or "a file" for each in turn.attachments)
    pictures = "".join(_picture(each) for each in turn.images or () if each.media_type in _SHOWN)
    return (f"<p class=made dir=auto>Attached: {names}</p>\n" if names else "") + pictures


def _picture(image: LoggedImage) -> str:
    data = base64.b64encode(image.data).decode()
    return f'<img alt="attached picture" src="data:{image.media_type};base64,{data}">\n'


def _used(message: LoggedMessage) -> str:
    """What made the answer."""
    model = shown(message.turn.model or "") if message.turn else ""
    return "".join(map(_call, message.tool_calls)) + (f"<p class=made dir=auto>{model}</p>\n" if model else "")


def _call(call: LoggedCall) -> str:
    said = plain(text_of(call.parameters)) + plain(text_of(call.result))
    return f"<details><summary dir=auto>Used {shown(call.tool)}</summary>{said}</details>\n"


def _moment(timestamp: str) -> str:
    """`2026-01-31T12:00:00.000Z` → `2026-01-31 12:00:00 UTC`."""
    return timestamp[:19].replace("T", " ") + (" UTC" if timestamp.endswith("Z") else "")

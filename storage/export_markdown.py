"""The layout of an export for people: a Markdown transcript (https://spec.commonmark.org/0.31.2/).

What people and agents said stands in block quotes, line by line: whatever Markdown is in it, an open code fence for
one, ends with the quote and cannot pass for what the transcript itself says. Names and titles are escaped.
"""

import re

from storage.export_layouts import Layout
from storage.logged import LoggedConversation
from storage.mission_log import LoggedMessage, LoggedTurn

_LINE_END = re.compile(r"\r\n?|\n")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|#!])")


class Transcript(Layout):
    """A heading per mission, one per message and one per answer."""

    def __init__(self) -> None:
        self._agent = ""

    def open(self, page: bytearray, told: LoggedConversation) -> None:
        head, tail = told.head, told.tail
        self._agent = escaped(tail.agent) or "Answer"
        place = (
            [part for part in (tail.place.platform, tail.place.channel, tail.place.thread) if part]
            if tail.place
            else []
        )
        facts = (
            f"# {escaped(tail.title) or 'Mission ' + escaped(head.conversation_id)}\n",
            f"- Mission: {escaped(head.conversation_id)} ({head.status})",
            f"- Begun by: {escaped(tail.owner_name)}, {_moment(head.started_at)}",
            f"- Last message: {_moment(head.last_updated)}",
            f"- Agent: {escaped(tail.agent)}",
            f"- Place: {escaped(' / '.join(place))}\n\n",
        )
        page += _encoded("\n".join(facts))

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        turn = message.turn
        asked = f"## {_moment(message.timestamp)}, {escaped(turn.author_name if turn else 'user')}\n\n"
        answered = f"### {self._agent}\n\n{_answer(message)}"
        page += _encoded(asked + quoted(message.user_message) + _attached(turn) + answered + _used(message))


def escaped(text: str) -> str:
    """A name or title on one line, with nothing in it that Markdown would take for markup."""
    return _SPECIAL.sub(r"\\\1", _SPACES.sub(" ", text).strip())


def quoted(text: str) -> str:
    """A text as a block quote and a blank line; every line end that Markdown knows begins a quoted line."""
    return "> " + _LINE_END.sub("\n> ", text) + "\n\n"


def _answer(message: LoggedMessage) -> str:
    if message.agent_response:
        return quoted(message.agent_response)
    return f"*({message.turn.status if message.turn else 'unanswered'})*\n\n"


def _attached(turn: LoggedTurn | None) -> str:
    names = [escaped(str(each.get("name", ""))) or "a file" for each in turn.attachments] if turn else []
    return f"*Attached: {', '.join(names)}*\n\n" if names else ""


def _used(message: LoggedMessage) -> str:
    """What made the answer."""
    gadgets = list(dict.fromkeys(escaped(call.tool) for call in message.tool_calls))
    model = [escaped(message.turn.model)] if message.turn and message.turn.model else []
    parts = model + ([f"used {', '.join(gadgets)}"] if gadgets else [])
    return f"*{'; '.join(parts)}*\n\n" if parts else ""


def _moment(timestamp: str) -> str:
    """`2026-01-31T12:00:00.000Z` → `2026-01-31 12:00:00 UTC`."""
    time = timestamp[:19].replace("T", " ") + (" UTC" if timestamp.endswith("Z") else "")
    return escaped(time)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")

"""How an export is laid out: what stands before, between and after what was said.

A layout is told of every conversation, of each of its messages and of its end, in order, and appends UTF-8 text to the
page that is being filled. It remembers what the next piece needs to know, never what was said.
"""

from typing import Any

import msgspec
from msgspec import Raw

from storage.logged import EVERY_TURN, LoggedConversation, TurnChoice
from storage.mission_log import VERSION, LoggedHead, LoggedMessage, append, encoded


class Layout:
    """The layout of one export; it cannot be used for another one. Nothing of it is larger than what it is told."""

    lists = False
    """Whether it is told of every conversation (`entry`) once before, for a list in front of them all."""
    turns: TurnChoice = EVERY_TURN
    """Those of which there is something to write, whichever others were asked for."""

    def begin(self, page: bytearray) -> None: ...

    def entry(self, page: bytearray, told: LoggedConversation) -> None: ...

    def listed(self, page: bytearray) -> None:
        """Behind the last entry."""

    def open(self, page: bytearray, told: LoggedConversation) -> None: ...

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        """A message of the conversation that was opened last."""

    def close(self, page: bytearray, told: LoggedConversation) -> None: ...

    def end(self, page: bytearray) -> None: ...

    def finished(self, page: bytearray) -> bytearray:
        """The page as it is to be written. What takes its time is done here, where nobody waits for the database."""
        return page


def text_of(value: Raw) -> str:
    """A text as it is, anything else as its JSON."""
    decoded = msgspec.json.decode(value)
    return decoded if isinstance(decoded, str) else str(value, "utf-8")


class MissionLog(Layout):
    """The JSON that can be imported again (`storage.mission_log`), a message per line."""

    def __init__(self) -> None:
        self._conversations = 0
        self._before_message = b"\n"
        self._last_activity: str | None = None
        self._current: tuple[str, str] | None = None

    def begin(self, page: bytearray) -> None:
        page += b'{"version":%d,"conversations":[' % VERSION

    def open(self, page: bytearray, told: LoggedConversation) -> None:
        page += b",\n" if self._conversations else b"\n"
        page += encoded(told.head)[:-1] + b',"messages":['
        self._before_message = b"\n"
        self._conversations += 1
        self._note(told.head)

    def _note(self, head: LoggedHead) -> None:
        """For what the end of the log says about all of it."""
        self._last_activity = max(self._last_activity or "", head.last_updated)
        if head.status == "active" and (self._current is None or head.last_updated >= self._current[0]):
            self._current = head.last_updated, head.conversation_id

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        page += self._before_message
        append(page, message)
        self._before_message = b",\n"

    def close(self, page: bytearray, told: LoggedConversation) -> None:
        page += b"]," + encoded(told.tail)[1:]

    def end(self, page: bytearray) -> None:
        current = encoded(self._current[1] if self._current else None)
        metadata = encoded({"total_conversations": self._conversations, "last_activity": self._last_activity})
        page += b'],"current_conversation_id":%b,"metadata":%b}\n' % (current, metadata)


class TurnLines(Layout):
    """JSONL (https://jsonlines.org): a turn a line, with the mission it belongs to; a mission without turns has none.

    {"conversation_id", "platform", "workspace", "channel", "thread", "owner", "agent", "title", and then a message of
    the mission log: "timestamp", "user_message", "agent_response", "llm_raw_response", "tool_calls", "turn": {…}}
    """

    def __init__(self) -> None:
        self._mission = b""

    def open(self, page: bytearray, told: LoggedConversation) -> None:  # noqa: ARG002 - it is on each of its lines
        self._mission = encoded(_mission(told))[:-1]

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        page += self._mission
        joint = len(page)
        append(page, message)
        page[joint] = ord(",")  # the brace that opens the message: its fields go on where the mission's end
        page += b"\n"


def _mission(told: LoggedConversation) -> dict[str, Any]:
    place, tail = told.tail.place, told.tail
    return {
        "conversation_id": told.head.conversation_id,
        "platform": place.platform if place else "",
        "workspace": place.workspace if place else "",
        "channel": place.channel if place else "",
        "thread": place.thread if place else "",
        "owner": tail.owner,
        "agent": tail.agent,
        "title": tail.title,
    }

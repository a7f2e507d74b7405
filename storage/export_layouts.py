"""How an export is laid out: what stands before, between and after what was said.

A layout is told of every conversation, of each of its messages and of its end, in order, and appends UTF-8 text to the
page that is being filled. It remembers what the next piece needs to know, never what was said.
"""

from typing import Any, Protocol

from storage.logged import LoggedConversation
from storage.mission_log import VERSION, LoggedHead, LoggedMessage, append, encoded


class Layout(Protocol):
    """The layout of one export; it cannot be used for another one."""

    def begin(self, page: bytearray) -> None: ...

    def open(self, page: bytearray, told: LoggedConversation) -> None: ...

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        """A message of the conversation that was opened last."""
        ...

    def close(self, page: bytearray, told: LoggedConversation) -> None: ...

    def end(self, page: bytearray) -> None: ...


class MissionLog:
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


class TurnLines:
    """JSONL (https://jsonlines.org): a turn a line, with the mission it belongs to; a mission without turns has none.

    {"conversation_id", "platform", "workspace", "channel", "thread", "owner", "agent", "title", and then a message of
    the mission log: "timestamp", "user_message", "agent_response", "llm_raw_response", "tool_calls", "turn": {…}}
    """

    def __init__(self) -> None:
        self._mission = b""

    def begin(self, page: bytearray) -> None:
        """Lines have nothing around them."""

    def open(self, page: bytearray, told: LoggedConversation) -> None:  # noqa: ARG002 - it is on each of its lines
        self._mission = encoded(_mission(told))[:-1]

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        page += self._mission
        joint = len(page)
        append(page, message)
        page[joint] = ord(",")  # the brace that opens the message: its fields go on where the mission's end
        page += b"\n"

    def close(self, page: bytearray, told: LoggedConversation) -> None:
        """Lines have nothing between them."""

    def end(self, page: bytearray) -> None:
        """See `begin`."""


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

"""What a workspace holds: plain values that the Web API changes and tests look at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.slack.delivery import Delivery
from tests.fakes.slack.refusals import Json

ChannelKind = Literal["channel", "group", "im", "mpim"]
STREAM_SECONDS = 300.0
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_PING = re.compile(r"<(?:![a-z]+|@[UW][A-Z0-9]+|!subteam\^[A-Z0-9]+)(?:[|^][^>]*)?>")


@dataclass(slots=True)
class User:
    id: str
    name: str
    is_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Channel:
    """`members` are user ids, the bot's among them where it was invited."""

    id: str
    name: str
    kind: ChannelKind = "channel"
    members: set[str] = field(default_factory=set)
    archived: bool = False


@dataclass(slots=True)
class File:
    """`channels` is where it was shared. A hidden one comes in events as its id only (`check_file_info`)."""

    id: str
    name: str
    title: str
    mimetype: str
    content: bytes
    user: str
    channels: list[str] = field(default_factory=list)
    hidden: bool = False
    created: int = 0
    status: int = 200
    """What a download answers; anything but 200 is a failing file server."""


@dataclass(slots=True)
class Stream:
    """A message while it streams. `chunks` is everything appended, in the wire's shape, in order."""

    started: float
    recipient: str | None
    chunks: list[Json] = field(default_factory=list)
    tasks: dict[str, Json] = field(default_factory=dict)
    stopped: bool = False
    refusal: str = "message_not_in_streaming_state"
    """What a call gets that comes after the end."""

    def running(self, now: float) -> bool:
        return not self.stopped and now - self.started < STREAM_SECONDS


@dataclass(frozen=True, slots=True)
class Revision:
    """What a message showed before an edit."""

    text: str
    blocks: list[Json]
    metadata: Json | None


@dataclass(slots=True, eq=False)
class Message:
    """`text` is Slack's mrkdwn, `markdown` what came as markdown_text; `ephemeral_to` the only user who sees it."""

    channel: str
    ts: str
    user: str
    text: str = ""
    markdown: str | None = None
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    files: list[File] = field(default_factory=list)
    ephemeral_to: str | None = None
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    revisions: list[Revision] = field(default_factory=list)
    edited_ts: str | None = None
    deleted: bool = False
    stream: Stream | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    """Every event delivery that this message caused, edits and deletion included."""

    @property
    def root(self) -> str:
        """The thread that it belongs to or could start."""
        return self.thread_ts or self.ts

    @property
    def shown(self) -> str:
        """What a reader sees: explicit blocks take the place of `text`, as in Slack."""
        said = self.markdown if self.markdown is not None else ("" if self.blocks else self.text)
        return "\n".join(part for part in (said, *block_texts(self.blocks)) if part)

    @property
    def pings(self) -> list[str]:
        """What in it would notify people: `<!channel>`, `<@U…>` and the like outside code."""
        everything = "\n".join((self.text, self.markdown or "", *block_texts(self.blocks)))
        return _PING.findall(_CODE.sub("", everything))

    def streaming(self, now: float) -> bool:
        return self.stream is not None and self.stream.running(now)

    def action(self, action_id: str) -> tuple[str, Json]:
        """(block_id, element) of an interactive element that the message shows; KeyError when there is none."""
        for block in self.blocks:
            elements: list[Json] = [*block.get("elements", []), block.get("accessory") or {}]
            for element in elements:
                if element.get("action_id") == action_id:
                    return block.get("block_id", "b0"), element
        raise KeyError(action_id)


@dataclass(slots=True)
class Session:
    """An agent session of a thread. `history` holds every status it was given."""

    status: str
    title: str | None
    history: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Status:
    """An assistant status ("is thinking…") as it was set; empty text takes it away."""

    text: str
    at: float


def block_texts(blocks: list[Json]) -> Iterator[str]:
    """The readable texts of blocks, in order; button labels are not among them."""
    for block in blocks:
        if block.get("type") == "actions":
            continue
        candidates: list[Any] = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
        for part in candidates:
            if isinstance(part, str):
                yield part
            elif isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]

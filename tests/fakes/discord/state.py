"""What the server keeps: users, guilds, channels, messages. Ids are ints here and strings on the wire."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

Json = dict[str, Any]


class Kind(IntEnum):
    """Channel types."""

    TEXT = 0
    DM = 1
    CATEGORY = 4
    NEWS = 5
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


@dataclass(slots=True, eq=False)
class User:
    id: int
    name: str
    bot: bool = False
    accepts_dms: bool = True

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(slots=True, eq=False)
class Role:
    id: int
    name: str
    permissions: int
    position: int
    bot_id: int | None = None


@dataclass(slots=True, eq=False)
class Member:
    user: User
    guild: "Guild"
    joined_at: float
    roles: list[Role] = field(default_factory=list)
    nick: str | None = None


@dataclass(slots=True, eq=False)
class Overwrite:
    """`kind` is 0 for a role and 1 for a member."""

    id: int
    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True, eq=False)
class Guild:
    id: int
    name: str
    owner: User
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, "Channel"] = field(default_factory=dict)
    """Channels and threads."""


@dataclass(slots=True, eq=False)
class Thread:
    """What a channel has if it is a thread."""

    owner: User
    created_at: float
    archived_at: float
    archived: bool = False
    locked: bool = False
    auto_archive_minutes: int = 1440
    members: dict[int, float] = field(default_factory=dict)
    applied_tags: list[str] = field(default_factory=list)
    sent: int = 0


@dataclass(slots=True, eq=False)
class Channel:
    id: int
    kind: Kind
    guild: Guild | None = None
    name: str = ""
    topic: str | None = None
    parent: "Channel | None" = None
    position: int = 0
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    recipient: User | None = None
    thread: Thread | None = None
    messages: dict[int, "Message"] = field(default_factory=dict)
    typing: list[int] = field(default_factory=list)
    """User ids, one for every time somebody began to type."""

    @property
    def is_thread(self) -> bool:
        return self.thread is not None

    @property
    def mention(self) -> str:
        return f"<#{self.id}>"


@dataclass(slots=True, eq=False)
class Attachment:
    id: int
    filename: str
    data: bytes
    media_type: str | None
    description: str | None = None


@dataclass(slots=True, eq=False)
class Message:
    """`contents` are all its texts, the present one last; `mentions` who was really pinged."""

    id: int
    channel: Channel
    author: User
    contents: list[str]
    sent_at: float
    kind: int = 0
    edited_at: float | None = None
    attachments: list[Attachment] = field(default_factory=list)
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    mentions: list[User] = field(default_factory=list)
    mention_roles: list[Role] = field(default_factory=list)
    mention_everyone: bool = False
    reply_to: "Message | None" = None
    forwarded: "Message | None" = None
    webhook_id: int | None = None
    interaction: Json | None = None
    thread: Channel | None = None
    reactions: dict[str, list[int]] = field(default_factory=dict)
    deleted: bool = False

    @property
    def content(self) -> str:
        return self.contents[-1]

    @property
    def edits(self) -> int:
        """How often its text was replaced."""
        return len(self.contents) - 1

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def buttons(self) -> dict[str, Json]:
        """By custom id, in the order they are shown."""
        return {each["custom_id"]: each for each in _flat(self.components) if "custom_id" in each}


SUPPRESS_EMBEDS = 1 << 2
HAS_THREAD = 1 << 5
EPHEMERAL = 1 << 6
LOADING = 1 << 7
HAS_SNAPSHOT = 1 << 14
COMPONENTS_V2 = 1 << 15


def _flat(components: list[Json]) -> list[Json]:
    found = []
    for each in components:
        found.append(each)
        found += _flat(each.get("components", []))
        if accessory := each.get("accessory"):
            found.append(accessory)
    return found

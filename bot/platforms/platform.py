"""What the core asks of a chat platform, and what a platform hands to the core.

A platform translates its events into `Inbound` values and gives the core one `Reply` per turn to show the answer
with. Everything here is a frozen value or a protocol: no platform imports another, and the core names none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gadgets.roles import Role


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """Where a conversation happens. One key has at most one active conversation.

    `workspace` is the guild, team or empty; `channel` the channel, DM or browser; `thread` the thread, or empty where
    the channel itself is the thread. All are the platform's immutable ids, never names.
    """

    platform: str
    workspace: str
    channel: str
    thread: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message: the platform's authenticated, immutable id; the name is only for show.

    `admin` tells that the platform itself says so of this person in this workspace, just now; `role` what its roles
    for this person there stand for by the settings. Ids that the settings name are members, operators or admins
    besides.
    """

    id: str
    name: str
    admin: bool = False
    role: Role = "everyone"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message.

    `text` is its decoded content where it is text, `image` its bytes where it is a picture, each within the size
    limits; a file with neither is only named to the model. `size` is in bytes.
    """

    name: str
    media_type: str
    size: int
    text: str | None = None
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message for the bot, already past the platform's own gate (mention rules, allow lists).

    `event_key` names the platform's event, the same on every repetition and unique over all platforms, e.g.
    `discord:1234567890`. `agent` asks for an agent by name when this message opens a conversation. `shared` tells
    that several people may write in this conversation, so that the model is told who said what. `title` is what a
    conversation that this message opens is called after, where that is not the text itself. `missed` tells that it was
    said while the bot was away: such messages come all at once, which is not their authors' doing.
    """

    key: ConversationKey
    author: Author
    text: str
    event_key: str
    attachments: tuple[Attachment, ...] = ()
    agent: str | None = None
    shared: bool = False
    title: str | None = None
    missed: bool = False


@dataclass(frozen=True, slots=True)
class TurnRef:
    """What a platform needs to know to answer one turn.

    `title` is the conversation's. `resumed` tells that the turn was begun before: something may have been posted whose
    id was never stored.
    """

    turn: int
    conversation: str
    key: ConversationKey
    event_key: str
    author_id: str
    title: str = ""
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Final:
    """How a turn ended: `text` is the whole text shown, `outcome` one of storage's closed turn states."""

    text: str
    outcome: str
    model: str = ""
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalRef:
    """A question whether a gadget may run, as a platform's buttons name it to `Commands.decide`. Nobody can decide it
    after `expires_at` (UTC, ISO-8601).
    """

    id: int
    expires_at: str


class Reply(Protocol):
    """One answer on one platform. Parts are numbered from 0; part 0 is the message that grows.

    Every method may raise PlatformError (try again) or PlatformGone (never). The core calls them one at a time.
    """

    async def post(self, part: int, text: str, *, key: str) -> str:
        """Post a new message and return the platform's id of it.

        Idempotent by `key` as far as the platform allows: the core repeats the call with the same key after a crash
        that fell between posting and storing the id. `text` may be empty for part 0: the platform shows that the
        agent is at work.
        """
        ...

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        """Show the beginning of part 0, and what is being done ("using weather…"), either of them perhaps empty.

        False when the platform has no room for it now: the core comes back with what is newest then.
        """
        ...

    async def ask(self, remote_id: str, text: str, approval: ApprovalRef) -> None:
        """Show a question in part 0, with a way to approve or to decline what it asks. Idempotent; called again after a
        crash. Whatever part 0 shows next takes the place of both; it may be a reply of the same turn made later.
        """
        ...

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        """Give a message its final text. Idempotent."""
        ...

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        """Everything is shown: take away what marks a running answer. Idempotent; called again after a crash."""
        ...


class Platform(Protocol):
    """A chat platform as the core sees it while it runs."""

    @property
    def name(self) -> str: ...

    @property
    def pace(self) -> float:
        """Seconds between two edits of a growing answer. `inf` shows only the finished text, `0` every change."""
        ...

    def reply(self, turn: TurnRef) -> Reply: ...

    def split(self, text: str) -> list[str]:
        """Cut a finished answer into the platform's messages: at least one, each within its limit."""
        ...

    def preview(self, text: str) -> str:
        """What to show of a growing answer: the first of its messages. Called often, with ever longer texts."""
        ...

    async def run(self) -> None:
        """Open the connection, take events until cancelled, close in order."""
        ...

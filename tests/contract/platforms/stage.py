"""What people do and see on a chat platform, whichever it is: the driver behind which a platform plays its part."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from bot.app import AttachedPlatform
from storage.database import Database

ALICE, BOB, ADMIN = "alice", "bob", "admin"
"""The people. Alice talks unless told otherwise; the settings name the admin."""
PEOPLE = (ALICE, BOB, ADMIN)


class Can(Enum):
    """What a platform may be unable to do by its nature. The value completes "… cannot …"."""

    HAVE_MANY_PLACES = "hold several conversations at a time"
    SHARE_PLACES = "let several people talk in one place"
    HAVE_STRANGERS = "have people without rights"
    REPEAT = "repeat an event"
    SHOW_WORK = "show that the agent is at work before it does anything"
    EDIT = "change what is shown already"
    SPLIT = "need several messages for one answer"
    REMEMBER = "show after a restart what was shown before"
    FAIL = "fail a call"
    LOSE_PLACES = "lose the place to answer in"
    SEND_FILES = "send files"


class Trouble(Enum):
    """How a call fails. LOST: it was carried out, but its answer did not arrive."""

    LIMITED = "rate limit"
    BROKEN = "server error"
    DROPPED = "dropped connection"
    LOST = "lost answer"


@dataclass(eq=False, slots=True)
class Place:
    """Where one conversation goes on. `by` talks there; the other two are ids of the platform's, empty until known."""

    by: str
    here: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a person. `event` is the platform's own idea of it."""

    place: Place
    text: str
    event: object


@dataclass(frozen=True, slots=True)
class Told:
    """The private answer to a command."""

    text: str
    files: tuple[bytes, ...] = ()


@dataclass(slots=True)
class View:
    """One message of the bot's as people see it now. `status` is what is being done; `complete`: it ends an answer;
    `asks`: it is a question that can be decided there.
    """

    text: str
    status: str = ""
    working: bool = False
    complete: bool = False
    files: list[bytes] = field(default_factory=list)
    asks: bool = False


class Stage(Protocol):
    """One platform, its people, and what they see. It outlives the bot, which comes, dies and comes back.

    Methods that do something return when the platform has taken it, not when the bot has answered.
    """

    name: str
    cannot: Mapping[Can, str]
    """What this platform cannot do, each with the reason."""
    limit: int | None
    """UTF-16 units of the longest message, None where there is no limit."""
    max_parts: int
    """Messages of one answer; what is longer comes as a file."""

    # The bot.

    def admins(self) -> list[str]:
        """The platform's ids of those whom the settings name."""
        ...

    def platform(self, database: Database) -> AttachedPlatform:
        """A platform as the program makes it when it starts."""
        ...

    async def serve(self, platform: AttachedPlatform) -> None:
        """The platform's `run`, with whatever of the outside world it has to find."""
        ...

    async def ready(self) -> None:
        """Until the bot hears what is said, and people look at it again."""
        ...

    # What people do.

    async def place(self, by: str = ALICE, *, elsewhere: bool = False) -> Place:
        """A place where nothing was said yet. `elsewhere`: those of the other places have no business there."""
        ...

    async def say(self, place: Place, text: str, by: str | None = None) -> Said: ...

    async def repeat(self, said: Said) -> None:
        """The platform tells the same event once more; returns when the bot has dealt with it."""
        ...

    async def after_crash(self, said: Said) -> None:
        """What the platform does about an event that the bot died of before it acknowledged it."""
        ...

    async def stop(self, place: Place) -> None:
        """Use the platform's own way to stop the running answer."""
        ...

    async def decide(self, place: Place, act: str, by: str | None = None) -> str:
        """Use the platform's own way to "approve" or "decline" the question that stands in the place; what the person
        is told.
        """
        ...

    async def command(self, place: Place, line: str, by: str | None = None) -> Told:
        """Use `/mission {line}` in the way the place offers it; what the asker is told, and nobody else."""
        ...

    # What people see.

    def views(self, place: Place) -> list[View]:
        """The bot's messages in a place, the oldest first."""
        ...

    def harm(self) -> list[str]:
        """What the bot said so far that pinged, ran or commanded something."""
        ...

    # What befalls the platform.

    def fail(self, place: Place, operation: str, trouble: Trouble) -> None:
        """The next call that a reply's `operation` ("post", "grow", "ask", "edit", "finish") makes there fails so."""
        ...

    def lose(self, place: Place) -> None:
        """From now on nothing can be posted or changed there."""
        ...

    def forget_keys(self) -> None:
        """So much time passes that the platform itself recognises no repeated post any more."""
        ...

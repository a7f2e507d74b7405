"""Slack's part: a workspace with two channels and its people, or their direct messages."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bot.app import AttachedPlatform
from bot.platforms.files import FileLimits
from bot.platforms.slack.platform import SlackPlatform
from bot.platforms.slack.words import SPOKEN
from bot.platforms.slack_text import LIMIT
from storage.database import Database
from tests.contract.platforms import stage as people
from tests.contract.platforms.stage import Can, Place, Said, Told, Trouble, View
from tests.fakes.slack import ALICE, BOB, GENERAL, FakeSlack, Message
from tests.slack import settings_for
from tests.slack_scene import RATE, STOP, shows_button
from tests.waiting import until

PACE = 0.02
ADMIN = "U0ADMIN"
ELSEWHERE = "C0ELSEWHERE"
IDS = {people.ALICE: ALICE, people.BOB: BOB, people.ADMIN: ADMIN}
_FAULTS: Mapping[Trouble, Mapping[str, Any]] = {
    Trouble.LIMITED: {"status": 429, "retry_after": 1},
    Trouble.BROKEN: {"status": 503},
    Trouble.DROPPED: {"drop": True},
    Trouble.LOST: {"drop": True, "after_effect": True},
}
_UPDATE = "chat.update"
_CALLS = {
    False: {"post": "chat.postMessage", "grow": _UPDATE, "ask": _UPDATE, "edit": _UPDATE, "finish": _UPDATE},
    True: {
        "post": "chat.startStream",
        "grow": "chat.appendStream",
        "ask": _UPDATE,
        "edit": "chat.stopStream",
        "finish": _UPDATE,
    },
}


class SlackStage:
    """A place is a thread below its first question: of a channel, or of direct messages (`direct`)."""

    limit: int | None = LIMIT

    def __init__(self, slack: FakeSlack, *, direct: bool) -> None:
        self.name = "Slack in private" if direct else "Slack"
        alone = {Can.SHARE_PLACES: "direct messages are between the bot and one person"}
        self.cannot: Mapping[Can, str] = alone if direct else {}
        self._slack = slack
        self._team = slack.team
        self._team.add_user(ADMIN, "boss")
        for channel in (GENERAL, "G0SECRET"):
            self._team.channels[channel].members.add(ADMIN)
        self._team.add_channel(ELSEWHERE, "elsewhere")
        self._direct = direct
        self._ended: set[str] = set()
        """Threads whose mission has ended: there the bot speaks when it is spoken to."""
        self._settings = settings_for(slack)
        self.max_parts = self._settings.max_parts

    # The bot.

    def admins(self) -> list[str]:
        return [ADMIN]

    def platform(self, database: Database) -> AttachedPlatform:
        return SlackPlatform(self._settings, database, FileLimits(), pace=PACE)

    async def serve(self, platform: AttachedPlatform) -> None:
        await platform.run()

    async def ready(self) -> None:
        await self._slack.socket_mode.connected(1)

    # What people do.

    async def place(self, by: str = people.ALICE, *, elsewhere: bool = False) -> Place:
        channel = self._team.dm(IDS[by]) if self._direct else ELSEWHERE if elsewhere else GENERAL
        return Place(by, here=channel)

    async def say(self, place: Place, text: str, by: str | None = None) -> Said:
        user = IDS[by or place.by]
        named = not self._direct and (not place.thread or place.thread in self._ended)
        words = f"{self._team.mention} {text}" if named else text
        self._ended.discard(place.thread)
        message = self._team.say(place.here, user, words, thread_ts=place.thread or None)
        place.thread = place.thread or message.ts
        return Said(place, text, message)

    async def repeat(self, said: Said) -> None:
        assert isinstance(said.event, Message)
        for delivery in said.event.deliveries:
            number = len(delivery.attempts)
            self._slack.redeliver(delivery)
            attempts = delivery.attempts
            await until(lambda n=number, a=attempts: len(a) > n and a[n].seconds is not None)  # type: ignore[misc]

    async def after_crash(self, said: Said) -> None:
        await self.repeat(said)

    async def stop(self, place: Place) -> None:
        """Slack's own Stop in private, the button below the answer in channels."""
        user = IDS[place.by]
        if self._direct:
            self._team.press_stop(user, place.here, place.thread)
            return
        message = next(each for each in self._said_in(place) if shows_button(each, STOP))
        await self._team.click(user, message, STOP).acknowledged()

    async def decide(self, place: Place, act: str, by: str | None = None) -> str:
        message = next(each for each in self._said_in(place) if shows_button(each, act))
        (told,) = await self._team.click(IDS[by or place.by], message, act).answered()
        return str(told)

    async def command(self, place: Place, line: str, by: str | None = None) -> Told:
        """As words in threads, where Slack has no slash commands; else as one."""
        user = IDS[by or place.by]
        if place.thread and line.split(maxsplit=1)[0] in SPOKEN:
            count = len(self._team.ephemerals(user))
            self._team.say(place.here, user, f"!{line}", thread_ts=place.thread)
            await until(lambda: len(self._team.ephemerals(user)) > count)
            self._note(place, line)
            return Told(self._team.ephemerals(user)[-1].shown)
        before = len(self._team.bot_files(self._team.dm(user)))
        shown = await self._team.slash(user, place.here, "/mission", line).answered()
        files = self._team.bot_files(self._team.dm(user))[before:]
        return Told("\n".join(shown), tuple(file.content for file in files))

    def _note(self, place: Place, line: str) -> None:
        if line.startswith("end"):
            self._ended.add(place.thread)

    # What people see.

    def views(self, place: Place) -> list[View]:
        """While the session is processing, its last answer is not complete, whatever stands below it."""
        messages = self._said_in(place)
        session = self._team.sessions.get((place.here, place.thread))
        processing = session is not None and session.status == "processing"
        last = max(map(_rated_turn, messages), default=0) if processing else -1
        return [self._view(message, complete=_rated_turn(message) not in {0, last}) for message in messages]

    def harm(self) -> list[str]:
        said = [m for m in self._team.messages.values() if m.bot_id == self._team.bot_id]
        return [*self._slack.violations, *(f"pings: {m.shown}" for m in said if m.pings)]

    # What befalls it.

    def fail(self, place: Place, operation: str, trouble: Trouble) -> None:
        self._slack.fail_next(_CALLS[self._direct][operation], **_FAULTS[trouble])

    def lose(self, place: Place) -> None:
        """Somebody archives the channel; a person who has left the workspace archives their direct messages."""
        self._team.channels[place.here].archived = True

    def forget_keys(self) -> None:
        """Slack has none: messages are found by their metadata."""

    def _said_in(self, place: Place) -> list[Message]:
        return self._team.by_bot(place.here, place.thread) if place.thread else []

    def _view(self, message: Message, *, complete: bool) -> View:
        streaming = message.streaming(self._slack.clock.now())
        blocks = [block["text"] for block in message.blocks if block["type"] == "markdown"]
        notes = [part["text"] for block in message.blocks if block["type"] == "context" for part in block["elements"]]
        tasks = message.stream.tasks.values() if message.stream and streaming else []
        doing = [task["title"] for task in tasks if task["status"] == "in_progress"]
        working = streaming or shows_button(message, STOP)
        text, files = "".join([message.markdown or "", *blocks]), [file.content for file in message.files]
        asks = shows_button(message, "approve")
        return View(text, " ".join([*notes, *doing]), working, complete, files, asks)


def _rated_turn(message: Message) -> int:
    """The turn that the buttons below a message rate; 0 where there are none."""
    if not shows_button(message, RATE):
        return 0
    return int(str(message.action(RATE)[1]["positive_button"]["value"]).partition(":")[0])


@asynccontextmanager
async def slack_stage(*, direct: bool) -> AsyncIterator[SlackStage]:
    async with FakeSlack.running() as slack:
        yield SlackStage(slack, direct=direct)

"""The terminal's part: one person, a keyboard that prompt_toolkit reads, and a screen that only grows."""

import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from io import StringIO

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.app import AttachedPlatform
from bot.platforms.terminal import TerminalPlatform
from bot.platforms.terminal_screen import Screen
from bot.platforms.terminal_text import DIM, ERASE_LINE, PLAIN
from storage.database import Database
from tests.contract.platforms.stage import ALICE, Can, Place, Said, Told, Trouble, View
from tests.waiting import until

CANNOT: Mapping[Can, str] = {
    Can.HAVE_MANY_PLACES: "one person talks at one prompt; /mission new begins another conversation there",
    Can.SHARE_PLACES: "one person sits at it",
    Can.HAVE_STRANGERS: "who can start the program is its admin",
    Can.REPEAT: "a line that is typed is read once, and what was typed into a dead program is gone",
    Can.SHOW_WORK: "an empty line says nothing; its status line comes with the first status",
    Can.EDIT: "what is printed cannot be taken back; a text that changed is printed again below",
    Can.SPLIT: "it scrolls",
    Can.REMEMBER: "each start begins with an empty screen",
    Can.FAIL: "printing works, or nobody reads any more",
    Can.SEND_FILES: "`secret-agents export` writes files",
}


class Paper(StringIO):
    """What is on the screen: the answers that ended, the one that is being printed, and the status line below it."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[str] = []
        self.private: set[int] = set()
        """Which of them answer commands."""
        self.current = ""
        self.status = ""
        self.all = ""

    def write(self, text: str) -> int:
        if self.closed:
            raise ValueError("nobody reads any more")
        if text == "\n\n":  # no piece of an answer ends in white space
            self.ended.append(self.current)
            self.current = ""
        elif text.startswith(ERASE_LINE):
            self.status = text.removeprefix(ERASE_LINE).removeprefix(DIM).removesuffix(PLAIN)
        else:
            self.current += text
        self.all += text
        return len(text)


class TerminalStage:
    """There is one place."""

    name = "the terminal"
    cannot: Mapping[Can, str] = CANNOT
    limit: int | None = None
    max_parts = 1

    def __init__(self, keyboard: PipeInput) -> None:
        self._keyboard = keyboard
        self._papers: list[Paper] = []

    # The bot.

    def admins(self) -> list[str]:
        return []

    def platform(self, database: Database) -> AttachedPlatform:
        self._papers.append(Paper())
        screen = Screen(self._papers[-1], StringIO(), live=True)
        return TerminalPlatform(database, screen, user=ALICE, descriptor=-1, wanted=None, greeting="At your service.")

    async def serve(self, platform: AttachedPlatform) -> None:
        with create_app_session(input=self._keyboard, output=DummyOutput()):
            await platform.run()

    async def ready(self) -> None:
        """What is typed before the prompt is there is read by it."""

    # What people do.

    async def place(self, by: str = ALICE, *, elsewhere: bool = False) -> Place:
        assert by == ALICE
        assert not elsewhere
        return Place(by)

    async def say(self, place: Place, text: str, by: str | None = None) -> Said:
        self._keyboard.send_text(f"{text}\r")
        return Said(place, text, None)

    async def repeat(self, said: Said) -> None:
        raise AssertionError(CANNOT[Can.REPEAT])

    async def after_crash(self, said: Said) -> None:
        raise AssertionError(CANNOT[Can.REPEAT])

    async def stop(self, place: Place) -> None:
        """Ctrl-C, which is a signal while no prompt is there."""
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        signal.raise_signal(signal.SIGINT)

    async def decide(self, place: Place, act: str, by: str | None = None) -> str:
        return (await self.command(place, act, by)).text

    async def command(self, place: Place, line: str, by: str | None = None) -> Told:
        number = len(self._paper.ended)
        self._keyboard.send_text(f"/mission {line}\r")
        self._paper.private.add(number)
        await until(lambda: len(self._paper.ended) > number)
        return Told(self._paper.ended[number])

    # What people see.

    def views(self, place: Place) -> list[View]:
        paper = self._paper
        ended = [_view(text) for n, text in enumerate(paper.ended) if n not in paper.private]
        running = len(paper.ended) not in paper.private and (paper.current or paper.status)
        return [*ended, View(paper.current, paper.status, working=True)] if running else ended

    def harm(self) -> list[str]:
        """Escape sequences that are not the screen's own."""
        known = (ERASE_LINE, DIM, PLAIN)
        texts = [paper.all for paper in self._papers]
        for sequence in known:
            texts = [text.replace(sequence, "") for text in texts]
        return [text for text in texts if "\x1b" in text or "\r" in text]

    # What befalls it.

    def fail(self, place: Place, operation: str, trouble: Trouble) -> None:
        raise AssertionError(CANNOT[Can.FAIL])

    def lose(self, place: Place) -> None:
        self._paper.close()

    def forget_keys(self) -> None:
        """It has none."""

    @property
    def _paper(self) -> Paper:
        return self._papers[-1]


def _view(text: str) -> View:
    """A question was printed like an answer, and stays where it is."""
    asks = text.rpartition("\n")[2].startswith(("Answer with /mission approve", "Answer with `/mission approve"))
    return View(text, complete=not asks, asks=asks)


@asynccontextmanager
async def terminal_stage() -> AsyncIterator[TerminalStage]:
    with create_pipe_input() as keyboard:
        yield TerminalStage(keyboard)

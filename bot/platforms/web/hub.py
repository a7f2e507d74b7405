"""Who is connected, what is being answered, and which frame goes to whom.

Nothing here waits: a page that is slow or gone never holds up an answer. What a running answer says so far is kept
until it is finished, for pages that come (back) in the middle.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass

from bot.platforms.platform import ApprovalRef, Final, TurnRef
from bot.platforms.web.frames import (
    ApprovalAsked,
    ResponseChunk,
    ResponseComplete,
    ResponseStart,
    ServerFrame,
    Status,
    encode,
)
from bot.platforms.web.outbox import Outbox
from bot.platforms.web.rendering import render

MAX_PAGES = 32
"""Open pages of one browser."""
REMEMBERED = 64
"""Answers that ended last: a history that was being read meanwhile does not know their end."""


@dataclass(slots=True)
class Running:
    """An answer that is being made: Markdown so far, its HTML unless nobody watches, and what is being done. With an
    `approval` the text is a question that waits for a decision.
    """

    turn: int
    message_id: str
    text: str = ""
    html: str = ""
    status: str = ""
    approval: ApprovalRef | None = None

    def lay_out(self) -> str:
        self.html = self.html or render(self.text)
        return self.html


class TooManyPages(Exception):
    """This browser has too many open pages."""


def event_prefix(browser: str) -> str:
    """What every event key of this browser's messages begins with; the client's message id follows."""
    return f"web:{browser}:"


class Hub:
    """Pages (outboxes) by browser, and running answers by browser and conversation."""

    def __init__(self) -> None:
        self._pages: dict[str, set[Outbox]] = {}
        # One per conversation, so that an answer that another process took over is forgotten with the next one.
        self._running: dict[str, dict[str, Running]] = {}
        self._ended: dict[int, ResponseComplete] = {}
        self._model: bytes | None = None
        self.occupied = asyncio.Event()
        """Set while any page is open."""

    def join(self, browser: str, page: Outbox) -> None:
        """Connect a page and tell it what is going on. Raises TooManyPages."""
        pages = self._pages.setdefault(browser, set())
        if len(pages) >= MAX_PAGES:
            raise TooManyPages
        pages.add(page)
        self.occupied.set()
        if self._model is not None:
            page.put(self._model, "model")
        for conversation, running in self._running.get(browser, {}).items():
            running.lay_out()
            page.put(encode(_start(conversation, running)))
            page.put(encode(_working(conversation, running)), ("working", running.turn))
            if running.approval is not None:
                page.put(encode(_asked(conversation, running, running.approval)))

    def leave(self, browser: str, page: Outbox) -> None:
        pages = self._pages.get(browser, set())
        pages.discard(page)
        if not pages:
            self._pages.pop(browser, None)
        if not self._pages:
            self.occupied.clear()

    def watches(self, browser: str) -> bool:
        """Whether any page of this browser is open."""
        return browser in self._pages

    def running(self, browser: str, conversation: str) -> Running | None:
        return self._running.get(browser, {}).get(conversation)

    def ended(self, turn: int) -> ResponseComplete | None:
        """How a turn ended, if that was a moment ago."""
        return self._ended.get(turn)

    def send(self, browser: str, frame: ServerFrame, slot: Hashable = None) -> None:
        """To all pages of a browser."""
        if pages := self._pages.get(browser):
            data = encode(frame)
            for page in tuple(pages):
                page.put(data, slot)

    def tell_model(self, status: Status) -> None:
        """To everybody, and to whoever comes later; the same again is not repeated."""
        data = encode(status)
        if data == self._model:
            return
        self._model = data
        for pages in tuple(self._pages.values()):
            for page in tuple(pages):
                page.put(data, "model")

    # One answer.

    def begin(self, turn: TurnRef) -> None:
        """Idempotent."""
        browser, conversation = turn.key.channel, turn.conversation
        known = self.running(browser, conversation)
        if known is None or known.turn != turn.turn:
            running = Running(turn.turn, message_id_of(turn.event_key, browser))
            self._running.setdefault(browser, {})[conversation] = running
            self.send(browser, _start(conversation, running))

    def grow(self, turn: TurnRef, text: str, html: str) -> None:
        """`html` may be empty while nobody watches."""
        self.begin(turn)
        running = self._running[turn.key.channel][turn.conversation]
        running.text, running.html, running.approval = text, html, None
        self.send(turn.key.channel, _chunk(turn.conversation, running), ("response", turn.turn))

    def ask(self, turn: TurnRef, text: str, html: str, approval: ApprovalRef) -> None:
        """`html` may be empty while nobody watches."""
        self.work(turn, "")
        running = self._running[turn.key.channel][turn.conversation]
        running.text, running.html, running.approval = text, html, approval
        self.send(turn.key.channel, _asked(turn.conversation, running, approval), ("response", turn.turn))

    def work(self, turn: TurnRef, status: str) -> None:
        self.begin(turn)
        running = self._running[turn.key.channel][turn.conversation]
        if running.approval is not None:  # the turn goes on
            self.grow(turn, "", "")
        if running.status != status:
            running.status = status
            self.send(turn.key.channel, _working(turn.conversation, running), ("working", turn.turn))

    def end(self, turn: TurnRef, final: Final, html: str) -> None:
        """Takes the place of the answer's chunks that were not sent yet."""
        browser, conversation = turn.key.channel, turn.conversation
        answers = self._running.get(browser, {})
        answers.pop(conversation, None)
        if not answers:
            self._running.pop(browser, None)
        frame = ResponseComplete(
            conversation_id=conversation,
            message_id=message_id_of(turn.event_key, browser),
            turn=turn.turn,
            text=final.text,
            html=html,
            outcome=final.outcome,
            model=final.model,
            tools=final.tools,
        )
        self._ended[turn.turn] = frame
        if len(self._ended) > REMEMBERED:
            del self._ended[next(iter(self._ended))]
        self.send(browser, frame, ("response", turn.turn))


def message_id_of(event_key: str, browser: str) -> str:
    return event_key.removeprefix(event_prefix(browser))


def _start(conversation: str, running: Running) -> ResponseStart:
    return ResponseStart(
        conversation_id=conversation,
        message_id=running.message_id,
        turn=running.turn,
        text=running.text,
        html=running.html,
    )


def _chunk(conversation: str, running: Running) -> ResponseChunk:
    return ResponseChunk(
        conversation_id=conversation,
        message_id=running.message_id,
        turn=running.turn,
        text=running.text,
        html=running.html,
    )


def _asked(conversation: str, running: Running, approval: ApprovalRef) -> ApprovalAsked:
    return ApprovalAsked(
        conversation_id=conversation,
        message_id=running.message_id,
        turn=running.turn,
        text=running.text,
        html=running.html,
        approval=approval.id,
        expires_at=approval.expires_at,
    )


def _working(conversation: str, running: Running) -> Status:
    return Status(state="working", conversation_id=conversation, turn=running.turn, text=running.status)

"""A chat platform as a server that outlives the bot.

It repeats, shuffles and duplicates events until they are acknowledged, deduplicates sends by key, and remembers
everything that was ever visible or executed.

    GET  /events            → {"events": [{"key", "thread", "text"}, …]}   waits a moment when there is nothing
    POST /ack      {"key"}
    POST /send     {"turn", "part", "thread", "text", "key"}  → {"id"}
    POST /edit     {"id", "text"}
    POST /finish   {"turn", "ids", "text"}
    POST /executed {"what"}                                     a model call or a gadget begins
"""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

REPEAT_AFTER = 0.3
"""Seconds after which an event that was not acknowledged is delivered again."""
DUPLICATES = 0.2
"""Chance that a delivery also repeats an event that was acknowledged long ago."""


@dataclass(slots=True)
class Event:
    key: str
    thread: str
    text: str
    delivered_at: float = -1.0
    acknowledged: bool = False


@dataclass(slots=True)
class Visible:
    """A message people see."""

    turn: int
    part: int
    thread: str
    text: str


@dataclass(slots=True)
class ChatServer:
    """The server's whole memory. `seed` decides the order of deliveries and what is duplicated."""

    seed: int
    events: dict[str, Event] = field(default_factory=dict)
    messages: dict[str, Visible] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    finished: dict[int, str] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)
    url: str = ""
    _random: random.Random = field(init=False)
    _runner: web.AppRunner = field(init=False)

    async def __aenter__(self) -> Self:
        self._random = random.Random(self.seed)
        app = web.Application()
        app.add_routes([web.get("/events", self._deliver), web.post("/{method}", self._call)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._runner.cleanup()

    def say(self, thread: str, text: str) -> None:
        """Somebody writes a message."""
        key = f"stub:{len(self.events)}"
        self.events[key] = Event(key, thread, text)

    @property
    def unanswered(self) -> int:
        return len(self.events) - len(self.finished)

    async def _deliver(self, _request: web.Request) -> web.Response:
        now = asyncio.get_running_loop().time()
        due = [e for e in self.events.values() if not e.acknowledged and now - e.delivered_at > REPEAT_AFTER]
        if self._random.random() < DUPLICATES:
            due += self._random.choices(list(self.events.values()), k=2) if self.events else []
        if not due:
            await asyncio.sleep(0.02)
        self._random.shuffle(due)
        for event in due:
            event.delivered_at = now
        return web.json_response({"events": [{"key": e.key, "thread": e.thread, "text": e.text} for e in due]})

    async def _call(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        match request.match_info["method"]:
            case "ack":
                self.events[body["key"]].acknowledged = True
            case "send":
                return web.json_response({"id": self._send(**body)})
            case "edit":
                self.messages[body["id"]].text = body["text"]
            case "finish":
                assert all(remote_id in self.messages for remote_id in body["ids"])
                self.finished[body["turn"]] = body["text"]
            case "executed":
                self.executed.append(body["what"])
            case _:
                raise web.HTTPNotFound
        return web.json_response({})

    def _send(self, *, turn: int, part: int, thread: str, text: str, key: str) -> str:
        if key not in self.by_key:
            self.by_key[key] = f"m{len(self.messages)}"
            self.messages[self.by_key[key]] = Visible(turn, part, thread, text)
        return self.by_key[key]

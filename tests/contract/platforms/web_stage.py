"""The web page's part: browsers, each with one open page that shows what its frames tell."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from bot.app import AttachedPlatform
from bot.platforms.web.server import WebPlatform
from storage.database import Database
from tests.contract.platforms.stage import ADMIN, ALICE, Can, Place, Said, Told, Trouble, View
from tests.core import PLAIN, PROFILE
from tests.fakes.scripted_model import ScriptedModel
from tests.waiting import until
from tests.web import Browser, Frame, cookie_of

CANNOT: Mapping[Can, str] = {
    Can.SHARE_PLACES: "a browser is one person, and its conversations are nobody else's",
    Can.SPLIT: "a page has room for everything",
    Can.FAIL: "frames are pushed to pages, and a page that is away reads the history when it is back",
    Can.LOSE_PLACES: "a page that is closed finds its answers when it comes back",
}
_ADMIN_ID = "browser-of-the-admin"
_RUNS = re.compile(r"<(?:script|img|iframe|form)|<[^<>]*(?:\son\w+=|javascript:)", re.IGNORECASE)


@dataclass(slots=True)
class Entry:
    conversation: str
    view: View
    approval: int | None = None


@dataclass(eq=False, slots=True)
class Tab:
    """A browser's page, across its connections."""

    browser: Browser
    socket: aiohttp.ClientWebSocketResponse | None = None
    entries: dict[int, Entry] = field(default_factory=dict)
    received: list[Frame] = field(default_factory=list)
    replies: list[Frame] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    """All HTML that was to be shown."""

    async def send(self, kind: str, **fields: object) -> None:
        assert self.socket is not None
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def serve(self, url: str) -> None:
        """Connect, look at what happened meanwhile, then show what comes, until the server goes."""
        async with self.browser.http.ws_connect(f"{url}ws", max_msg_size=0) as socket:
            self.socket = socket
            for conversation in {entry.conversation for entry in self.entries.values()}:
                await self.send("get_conversations", conversation_id=conversation)
            async for message in socket:
                self._show(json.loads(message.data))

    def _show(self, frame: Frame) -> None:
        kind = frame["type"]
        self.pages.append(frame.get("html", ""))
        if kind in {"response_start", "response_chunk", "response_complete"}:
            complete = kind == "response_complete"
            self._entry(frame["conversation_id"], frame["turn"], frame["text"], complete=complete)
        elif kind == "approval":
            self._ask(frame["conversation_id"], frame["turn"], frame["text"], frame["approval"])
        elif kind == "conversations":
            for turn in frame.get("messages", []):
                self._remember(frame["conversations"][0]["conversation_id"], turn)
        elif (
            kind == "error"
            or frame.get("state") in {"note", "new", "stopping", "idle", "decided"}
            or (frame.get("state") == "forgotten" and "text" in frame)
        ):
            self.replies.append(frame)
        elif frame.get("state") == "received":
            self.received.append(frame)
        elif frame.get("state") == "working" and (entry := self.entries.get(frame["turn"])):
            entry.view.status = frame.get("text", "")

    def _entry(self, conversation: str, turn: int, text: str, *, complete: bool) -> None:
        known = self.entries.get(turn)
        status = known.view.status if known and not complete else ""
        self.entries[turn] = Entry(conversation, View(text, status, working=not complete, complete=complete))

    def _ask(self, conversation: str, turn: int, text: str, approval: int) -> None:
        self.entries[turn] = Entry(conversation, View(text, working=True, asks=True), approval)

    def _remember(self, conversation: str, turn: Frame) -> None:
        if "approval" in turn:
            self._ask(conversation, turn["turn"], turn["answer"], turn["approval"])
        elif turn["status"] != "queued":
            self._entry(conversation, turn["turn"], turn["answer"], complete=turn["status"] != "running")


class WebStage:
    """A place is a conversation of one browser, and what it is called after the bot has taken its first message."""

    name = "the web"
    cannot: Mapping[Can, str] = CANNOT
    limit: int | None = None
    max_parts = 1

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._tabs: dict[str, Tab] = {}
        self._begun: dict[Place, list[str]] = {}
        """The conversations that the page began by a command."""
        self._places: dict[str, Place] = {}
        """Where each message was said."""
        self._serving: list[asyncio.Task[None]] = []
        self._platform: WebPlatform
        self._database: Database

    # The bot.

    def admins(self) -> list[str]:
        return [_ADMIN_ID]

    def platform(self, database: Database) -> AttachedPlatform:
        agents = {profile.name: profile.description for profile in (PROFILE, PLAIN)}
        self._database = database
        self._platform = WebPlatform(host="127.0.0.1", port=0, database=database, model=ScriptedModel(), agents=agents)
        return self._platform

    async def serve(self, platform: AttachedPlatform) -> None:
        await platform.run()

    async def ready(self) -> None:
        await self._platform.opened.wait()
        for tab in self._tabs.values():
            await self._connected(tab)

    async def _connected(self, tab: Tab) -> None:
        tab.socket = None
        self._serving.append(asyncio.create_task(tab.serve(self._platform.url)))
        await until(lambda: tab.socket is not None)

    # What people do.

    async def place(self, by: str = ALICE, *, elsewhere: bool = False) -> Place:
        if by not in self._tabs:
            browser = await self._stack.enter_async_context(Browser(self._platform.url))
            if by == ADMIN:
                browser.http.cookie_jar.update_cookies(await cookie_of(self._database, _ADMIN_ID))
            self._tabs[by] = Tab(browser)
            await self._connected(self._tabs[by])
        place = Place(by)
        self._begun[place] = []
        return place

    async def say(self, place: Place, text: str, by: str | None = None) -> Said:
        message_id = secrets.token_hex(8)
        said = Said(place, text, message_id)
        if place in self._places.values():  # the page knows the conversation when its first message is received
            await until(lambda: self._conversations(place))
        self._places[message_id] = place
        await self._send(said)
        return said

    async def repeat(self, said: Said) -> None:
        tab = self._tabs[said.place.by]
        count = len(self._receipts(said)) + len(tab.replies)
        await self._send(said)
        await until(lambda: len(self._receipts(said)) + len(tab.replies) > count)

    async def after_crash(self, said: Said) -> None:
        await self.repeat(said)

    async def stop(self, place: Place) -> None:
        await self._tabs[place.by].send("stop", conversation_id=self._conversations(place)[-1])

    async def decide(self, place: Place, act: str, by: str | None = None) -> str:
        """A stranger's page knows the question's number, somehow."""
        asked = next(entry for entry in self._tabs[place.by].entries.values() if entry.approval is not None)
        tab = self._tabs[by or place.by]
        count = len(tab.replies)
        await tab.send("decide", approval=asked.approval, decision=act)
        await until(lambda: len(tab.replies) > count)
        return str(tab.replies[count]["text"])

    async def command(self, place: Place, line: str, by: str | None = None) -> Told:
        tab = self._tabs[by or place.by]
        count = len(tab.replies)
        await tab.send("message", text=f"/mission {line}", **self._address(place))
        await until(lambda: len(tab.replies) > count)
        reply = tab.replies[count]
        if reply.get("state") == "new":
            self._begun[place].append(reply["conversation_id"])
        files = [await tab.browser.fetch(file["url"]) for file in [reply.get("file")] if file]
        return Told(reply["text"], tuple(file.body for file in files))

    async def _send(self, said: Said) -> None:
        fields = self._address(said.place)
        await self._tabs[said.place.by].send("message", text=said.text, message_id=said.event, **fields)

    def _address(self, place: Place) -> dict[str, str]:
        return {"conversation_id": found[-1]} if (found := self._conversations(place)) else {}

    def _receipts(self, said: Said) -> list[Frame]:
        return [frame for frame in self._tabs[said.place.by].received if frame["message_id"] == said.event]

    def _conversations(self, place: Place) -> list[str]:
        """A message to a mission that has ended begins another one, which the page shows below it."""
        received = [frame for frame in self._tabs[place.by].received if self._places[frame["message_id"]] is place]
        return list(dict.fromkeys([*(frame["conversation_id"] for frame in received), *self._begun[place]]))

    # What people see.

    def views(self, place: Place) -> list[View]:
        here, shown = self._conversations(place), sorted(self._tabs[place.by].entries.items())
        return [entry.view for _, entry in shown if entry.conversation in here]

    def harm(self) -> list[str]:
        """Elements and attributes that run something."""
        pages = [html for tab in self._tabs.values() for html in tab.pages]
        return [html for html in pages if _RUNS.search(html)]

    # What befalls it.

    def fail(self, place: Place, operation: str, trouble: Trouble) -> None:
        raise AssertionError(CANNOT[Can.FAIL])

    def lose(self, place: Place) -> None:
        raise AssertionError(CANNOT[Can.LOSE_PLACES])

    def forget_keys(self) -> None:
        """It has none: an answer belongs to its turn."""

    async def close(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


@asynccontextmanager
async def web_stage() -> AsyncIterator[WebStage]:
    async with AsyncExitStack() as stack:
        stage = WebStage(stack)
        stack.push_async_callback(stage.close)
        yield stage

"""The bot that is killed: the real core on a SQLite file, between the chat server and a model that answers from rules.

Run as a program it is a zygote: it reads one JSON configuration per line, forks a bot for each and tells how it ended,
`{"pid": …}` then `{"exit": status}`, so that a bot starts in milliseconds with everything imported.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import ClientSession

from bot.agent.agent import Agent
from bot.agent.calls import CallGadget
from bot.agent.roster import Roster
from bot.engines.local import LocalEngine
from bot.inbox import Inbox
from bot.models.model import Capabilities, Delta, Finished, Health, Request, TextDelta, ToolCall, ToolMessage
from bot.platforms.platform import ApprovalRef, Author, ConversationKey, Final, Inbound, TurnRef
from bot.recollection import Recollection
from bot.worker import TurnLimits, Worker
from gadgets.context import Occasion
from gadgets.toolbox import Outcome, Toolbox
from storage.database import P, R, Unit
from storage.sqlite import SQLiteDatabase
from tests.core import LIMITS, OPTIONS, PROFILE, shout

PART_LENGTH = 40
NEVER_GIVE_UP = TurnLimits(seconds=20, attempts=1_000_000, window=10)
"""A turn that is interrupted for the twentieth time is given up in real life; here somebody pulls the plug all day."""


@dataclass(frozen=True, slots=True)
class Config:
    """`kill_at`: the how-manieth boundary is the last (0: none); `boundary`: count only boundaries of this name."""

    database: str
    server: str
    kill_at: int = 0
    boundary: str = ""


class KillSwitch:
    """Ends the process, as `kill -9` would, at one boundary of its work."""

    def __init__(self, config: Config) -> None:
        self._left = config.kill_at
        self._name = config.boundary

    def __call__(self, boundary: str) -> None:
        if self._name in {"", boundary}:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class WatchedDatabase:
    """The real database; a boundary before and after every write."""

    def __init__(self, database: SQLiteDatabase, tick: KillSwitch) -> None:
        self._database = database
        self._tick = tick

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._database.__aexit__(*exc_info)

    async def write(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        name = getattr(unit, "__name__", "unit")
        self._tick(f"before {name}")
        result = await self._database.write(unit, *args, **kwargs)
        self._tick(f"after {name}")
        return result

    async def read(self, unit: Unit[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._database.read(unit, *args, **kwargs)


class Client:
    """The chat server as the bot reaches it; a boundary before and after every call."""

    def __init__(self, http: ClientSession, url: str, tick: KillSwitch) -> None:
        self._http = http
        self._url = url
        self._tick = tick

    async def post(self, method: str, **body: Any) -> Any:
        self._tick(f"before {method}")
        async with self._http.post(f"{self._url}/{method}", json=body) as response:
            response.raise_for_status()
            answer = await response.json()
        self._tick(f"after {method}")
        return answer

    async def events(self) -> list[dict[str, str]]:
        async with self._http.get(f"{self._url}/events") as response:
            found: list[dict[str, str]] = (await response.json())["events"]
            return found


class ServerPlatform:
    """Shows answers on the chat server, growing, in parts of 40 characters."""

    name = "stub"
    pace = 0.005

    def __init__(self, client: Client) -> None:
        self._client = client

    def reply(self, turn: TurnRef) -> "ServerReply":
        return ServerReply(self._client, turn)

    def split(self, text: str) -> list[str]:
        return [text[start : start + PART_LENGTH] for start in range(0, len(text), PART_LENGTH)] or [""]

    def preview(self, text: str) -> str:
        return text[:PART_LENGTH]

    async def run(self) -> None:
        raise NotImplementedError  # the process below takes the events itself


class ServerReply:
    def __init__(self, client: Client, turn: TurnRef) -> None:
        self._client = client
        self._turn = turn

    async def post(self, part: int, text: str, *, key: str) -> str:
        place = {"turn": self._turn.turn, "part": part, "thread": self._turn.key.thread}
        remote_id: str = (await self._client.post("send", **place, text=text, key=key))["id"]
        return remote_id

    async def grow(self, remote_id: str, text: str, status: str) -> bool:
        await self.edit(0, remote_id, text)
        return True

    async def ask(self, remote_id: str, text: str, approval: ApprovalRef) -> None:
        await self.edit(0, remote_id, text)

    async def edit(self, part: int, remote_id: str, text: str) -> None:
        await self._client.post("edit", id=remote_id, text=text)

    async def finish(self, remote_ids: Sequence[str], final: Final) -> None:
        await self._client.post("finish", turn=self._turn.turn, ids=list(remote_ids), text=final.text)


class RuleModel:
    """Asks for the gadget first when the question has an even number, then answers in several pieces."""

    provider, name = "rules", "rules-1"

    def __init__(self, client: Client, tick: KillSwitch) -> None:
        self._client = client
        self._tick = tick

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def capabilities(self) -> Capabilities:
        return Capabilities(tools=True)

    async def health(self) -> Health:
        return Health("ready", "rules")

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        results = [m.text for m in request.messages if isinstance(m, ToolMessage)]
        question = next(m.text for m in reversed(request.messages) if m.text.startswith("question"))
        await self._client.post("executed", what=f"model {question} {len(results)}")
        if int(question.split()[1]) % 2 == 0 and not results:
            yield ToolCall("c1", "shout", {"text": question})
            yield Finished("tool_calls")
            return
        for piece in answer_to(question).split(" "):
            self._tick("model piece")
            await asyncio.sleep(0.002)
            yield TextDelta(f"{piece} ")
        yield Finished("stop")


def answer_to(question: str) -> str:
    """What people must see in the end: three parts long."""
    return f"The answer to {question} is what you think it is, only rather more so, as everybody here well knows."


def gadget_caller(client: Client) -> CallGadget:
    toolbox = Toolbox([shout])

    async def call(name: str, arguments: Mapping[str, Any], occasion: Occasion) -> Outcome:
        await client.post("executed", what=f"gadget {arguments['text']}")
        return await toolbox.call(name, arguments, http=None, occasion=occasion, settings={})  # type: ignore[arg-type]  # unused

    return call


async def run_bot(config: Config) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tick = KillSwitch(config)
    async with (
        ClientSession() as http,
        WatchedDatabase(SQLiteDatabase(config.database), tick) as database,
        Recollection(database, NEVER_GIVE_UP.window, stories=False) as kept,
    ):
        client = Client(http, config.server, tick)
        platform = ServerPlatform(client)
        agent = Agent(RuleModel(client, tick), Toolbox([shout]), gadget_caller(client), OPTIONS, LIMITS)
        roster = Roster({PROFILE.name: PROFILE}, PROFILE.name)
        worker = Worker(database, agent, roster, {"stub": platform}, NEVER_GIVE_UP, recollection=kept)
        engine = LocalEngine(database, worker, ("stub",), concurrency=50)
        inbox = Inbox(database, engine, roster)
        async with engine:
            taking = asyncio.create_task(_take(client, inbox, tick))
            await asyncio.wait([taking, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
            taking.cancel()


async def _take(client: Client, inbox: Inbox, tick: KillSwitch) -> None:
    while True:
        for event in await client.events():
            key = ConversationKey("stub", "w", "c", event["thread"])
            await inbox.admit(Inbound(key, Author("u1", "Alice"), event["text"], event["key"]))
            tick("admitted")
            await client.post("ack", key=event["key"])


def zygote() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            sys.stdin.close()
            asyncio.run(run_bot(Config(**json.loads(line))))
            os._exit(0)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"exit": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    zygote()

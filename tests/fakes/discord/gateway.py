"""The gateway, version 10: `{"op", "d", "s", "t"}` as JSON text, or deflated in one zlib stream per connection.

    ← {"op": 10, "d": {"heartbeat_interval": 41250}}
    → {"op": 2, "d": {"token": …, "intents": …, "shard": [0, 1], "properties": {…}}}
    ← {"op": 0, "t": "READY", "s": 1, "d": {…}}
    → {"op": 6, "d": {"token": …, "session_id": …, "seq": 7}}   on a new connection
    ← the dispatches after 7, then {"op": 0, "t": "RESUMED", …}

Source: https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from tests.fakes.discord.connection import Connection
from tests.fakes.discord.encoding import channel_json, guild_json, member_json, user_json
from tests.fakes.discord.intents import PRIVILEGED, Intent, needed
from tests.fakes.discord.permissions import P
from tests.fakes.discord.sessions import Session
from tests.fakes.discord.state import Guild, Json
from tests.fakes.discord.validation import Validation
from tests.fakes.discord.world import World

HEARTBEAT_MS = 41_250
GOODBYES = {1000, 1001}
"""With these a client ends its session."""
FATAL = {4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014}
"""With these the server ends it."""


@dataclass(slots=True)
class Portal:
    """What an operator sets in the developer portal."""

    token: str = "fake-token"
    allowed_intents: Intent = PRIVILEGED
    shards: int = 1


@dataclass(slots=True)
class Counts:
    """What clients did on the gateway."""

    identifies: int = 0
    resumes: int = 0
    refused_resumes: int = 0
    heartbeats: int = 0
    close_codes: list[int] = field(default_factory=list)


class Closing(Exception):
    """The server closes the connection with this code."""

    def __init__(self, code: int) -> None:
        self.code = code


class Gateway:
    def __init__(self, world: World, portal: Portal, validation: Validation, changed: Callable[[], None]) -> None:
        self.url = ""
        self.counts = Counts()
        self.sessions: list[Session] = []
        self.connections: set[Connection] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._world = world
        self._portal = portal
        self._validation = validation
        self._changed = changed

    @property
    def connected(self) -> list[Session]:
        return [session for session in self.sessions if session.line is not None]

    def dispatch(self, event: str, guild: int | None, data: Any, withheld: Any = None, *, dm: bool = False) -> None:
        """To every session that serves this guild and pays for the event; also to those that are away.

        `withheld` is what sessions without the message-content intent get instead.
        """
        for session in self.sessions:
            intent = needed(event, dm=dm)
            if session.ended or not session.serves(guild) or session.intents & intent != intent:
                continue
            blind = withheld is not None and not session.intents & Intent.MESSAGE_CONTENT
            session.dispatch(event, withheld if blind else data)
        self._changed()

    def pause(self, *, forget: bool) -> None:
        """Break every connection; new ones hear nothing until `unpause`. `forget` also ends the sessions."""
        self._open.clear()
        for connection in list(self.connections):
            connection.abort()
        for session in self.sessions if forget else []:
            session.ended = True

    def unpause(self) -> None:
        self._open.set()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=4096)
        await socket.prepare(request)
        connection = Connection(socket, request, compressed=request.query.get("compress") == "zlib-stream")
        self.connections.add(connection)
        try:
            await self._talk(connection, request)
        finally:
            self.connections.discard(connection)
            await connection.close(1001)
            self._hung_up(connection)
        return socket

    async def _talk(self, connection: Connection, request: web.Request) -> None:
        await self._open.wait()
        try:
            _check_query(request)
            connection.say(10, {"heartbeat_interval": HEARTBEAT_MS})
            async for message in connection.socket:
                self._received(connection, message)
                self._changed()
        except Closing as closing:
            await connection.close(closing.code)

    def _hung_up(self, connection: Connection) -> None:
        code = connection.code
        self.counts.close_codes.append(code)
        session = connection.session
        if session is not None and session.line is connection:
            session.line = None
            session.ended = session.ended or code in (FATAL if connection.cut_by_server else GOODBYES)
        self._changed()

    def _received(self, connection: Connection, message: WSMessage) -> None:
        """Raises Closing; 4002 for what cannot be decoded or lacks a key."""
        if message.type is not WSMsgType.TEXT:
            raise Closing(4002)
        try:
            payload = json.loads(message.data)
            self._obey(connection, payload["op"], payload.get("d"))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Closing(4002) from None

    def _obey(self, connection: Connection, op: int, data: Any) -> None:
        if op == 1:
            self.counts.heartbeats += 1
            connection.say(11, None)
        elif op == 2:
            self._identify(connection, data)
        elif op == 6:
            self._resume(connection, data)
        elif connection.session is None:
            raise Closing(4003)
        elif op == 8:
            self._members_asked(connection.session, data)
        elif op not in {3, 4}:
            raise Closing(4001)

    def _identify(self, connection: Connection, data: Json) -> None:
        if connection.session is not None:
            raise Closing(4005)
        if data["token"] != self._portal.token:
            raise Closing(4004)
        intents = Intent(data["intents"])
        if intents & PRIVILEGED & ~self._portal.allowed_intents:
            raise Closing(4014)
        number, count = data.get("shard", [0, 1])
        if not 0 <= number < count:
            raise Closing(4010)
        if count < self._portal.shards:
            raise Closing(4011)
        if not {"os", "browser", "device"} <= data["properties"].keys():
            raise Closing(4002)
        self.counts.identifies += 1
        self._begin(connection, Session(intents, (number, count)))

    def _begin(self, connection: Connection, session: Session) -> None:
        for other in self.sessions:
            if other.shard == session.shard and other.line is None:
                other.ended = True
        self.sessions = [each for each in self.sessions if not each.ended] + [session]
        connection.session = session
        session.line = connection
        guilds = [guild for guild in self._world.guilds.values() if session.serves(guild.id)]
        session.dispatch("READY", self._ready(session, guilds))
        for guild in guilds if session.intents & Intent.GUILDS else []:
            session.dispatch("GUILD_CREATE", self.guild_created(guild, session))

    def _ready(self, session: Session, guilds: list[Guild]) -> Json:
        return {
            "v": 10,
            "user": user_json(self._world.bot) | {"mfa_enabled": True, "verified": True, "email": None},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(self._world.application_id), "flags": 0},
            "private_channels": [],
            "session_type": "normal",
            "_trace": ["fake"],
        }

    def guild_created(self, guild: Guild, session: Session) -> Json:
        """Members only with their intent, but always the bot; threads only where the bot may look and active."""
        bot = self._world.bot
        seen = [each for each in guild.channels.values() if self._world.allowed(bot, each) & P.VIEW_CHANNEL]
        threads = [each for each in seen if each.thread is not None and not each.thread.archived]
        everybody = bool(session.intents & Intent.GUILD_MEMBERS)
        members = [each for each in guild.members.values() if everybody or each.user is bot]
        nothing = ("voice_states", "presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds")
        created = guild_json(guild) | {name: [] for name in nothing}
        created |= {
            "joined_at": member_json(guild.members[bot.id])["joined_at"],
            "large": False,
            "unavailable": False,
            "member_count": len(guild.members),
            "members": [member_json(member) for member in members],
            "channels": [channel_json(each, bot) for each in guild.channels.values() if not each.is_thread],
            "threads": [channel_json(each, bot) for each in threads],
        }
        self._validation.guild(created)
        return created

    def _resume(self, connection: Connection, data: Json) -> None:
        if data["token"] != self._portal.token:
            raise Closing(4004)
        session = next((each for each in self.sessions if each.id == data["session_id"]), None)
        if session is None or data["seq"] is None or not session.can_resume(data["seq"]):
            self.counts.refused_resumes += 1
            connection.say(9, data=False)
            return
        self.counts.resumes += 1
        connection.session = session
        session.replay(connection, data["seq"])
        session.dispatch("RESUMED", {"_trace": ["fake"]})

    def _members_asked(self, session: Session, data: Json) -> None:
        guild = self._world.guild(int(data["guild_id"]))
        wanted = {int(each) for each in data.get("user_ids") or []}
        query = data.get("query")
        found = [
            member
            for member in guild.members.values()
            if member.user.id in wanted or (query is not None and member.user.name.startswith(query))
        ][: data.get("limit") or None]
        chunk = {"guild_id": str(guild.id), "members": [member_json(each) for each in found], "not_found": []}
        session.dispatch(
            "GUILD_MEMBERS_CHUNK",
            chunk | {"chunk_index": 0, "chunk_count": 1, "nonce": data.get("nonce"), "presences": []},
        )


def _check_query(request: web.Request) -> None:
    if request.query.get("v") != "10":
        raise Closing(4012)
    if request.query.get("encoding") != "json" or request.query.get("compress", "zlib-stream") != "zlib-stream":
        raise Closing(4002)

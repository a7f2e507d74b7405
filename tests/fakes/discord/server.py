"""The fake Discord: REST v10, the gateway and attachments on one server of 127.0.0.1.

    async with FakeDiscord.running() as discord:
        hq = discord.make_guild("HQ")
        channel, alice = discord.make_text_channel(hq, "general"), discord.make_user("alice", hq)
        …start a client with discord.token, discord.api_url, discord.gateway_url…
        await discord.connected()
        discord.say(channel, alice, f"{discord.bot.mention} hello")
        await discord.wait_for(lambda: discord.messages(channel, by=discord.bot))

Everything that comes in and goes out is held against Discord's OpenAPI description; `running` ends with an
AssertionError if `violations` is not empty.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, Self

from aiohttp import web

from tests.fakes.discord.calls import Route
from tests.fakes.discord.cdn import Cdn
from tests.fakes.discord.changes import Changes
from tests.fakes.discord.commands import Commands
from tests.fakes.discord.controls import Controls
from tests.fakes.discord.drafts import Drafts
from tests.fakes.discord.encoding_messages import MessageEncoder
from tests.fakes.discord.faults import Faults
from tests.fakes.discord.gateway import Gateway, Portal
from tests.fakes.discord.intents import PRIVILEGED, Intent
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.people import People
from tests.fakes.discord.pulse import Pulse
from tests.fakes.discord.rate_limits import RateLimits
from tests.fakes.discord.rest import Rest
from tests.fakes.discord.rest_application import ApplicationRoutes
from tests.fakes.discord.rest_channels import ChannelRoutes
from tests.fakes.discord.rest_interactions import InteractionRoutes
from tests.fakes.discord.rest_messages import MessageRoutes
from tests.fakes.discord.rest_threads import ThreadRoutes
from tests.fakes.discord.validation import Validation
from tests.fakes.discord.world import Limits, World


class Subject(Protocol):
    """A group of routes."""

    def routes(self) -> list[Route]: ...


class FakeDiscord(People, Controls):
    """What people do is in `people.py`, what the test does to the server in `controls.py`."""

    def __init__(
        self,
        *,
        token: str = "fake-token",
        allowed_intents: Intent = PRIVILEGED,
        shards: int = 1,
        limits: Limits | None = None,
        port: int = 0,
    ) -> None:
        self.pulse = Pulse()
        self.world = World(limits or Limits())
        self.portal = Portal(token, allowed_intents, shards)
        self.validation = Validation()
        self.faults = Faults()
        self.rate_limits = RateLimits()
        self.cdn = Cdn(self.world)
        self.commands = Commands(self.world.ids, self.world.application_id)
        self.interactions: dict[int, Interaction] = {}
        self.gateway = Gateway(self.world, self.portal, self.validation, self.pulse.beat)
        encoder = MessageEncoder(self.world, self.cdn)
        self.changes = Changes(self.world, self.gateway, encoder, Drafts(self.world), self.validation)
        self.rest = Rest(self.portal, self.rate_limits, self.faults, self.validation, self.pulse.beat)
        self._port = port
        self._runner: web.AppRunner | None = None

    @classmethod
    @asynccontextmanager
    async def running(cls, **options: Any) -> AsyncIterator[Self]:
        """Options are those of the class. Raises AssertionError at a clean end if anybody broke the protocol."""
        discord = cls(**options)
        await discord.start()
        try:
            yield discord
        finally:
            await discord.stop()
        assert not discord.violations, "\n".join(discord.violations)

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/attachments/{channel}/{attachment}/{name}", self.cdn.serve)
        self.rest.install(app, self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, self._port = self._runner.addresses[0][:2]
        self.cdn.base = f"http://{host}:{self._port}"
        self.gateway.url = f"ws://{host}:{self._port}/gateway"

    async def stop(self) -> None:
        self.faults.release_all()
        self.gateway.unpause()
        await asyncio.gather(*[connection.close(1001) for connection in list(self.gateway.connections)])
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """For `[discord] api_url`."""
        return f"{self.cdn.base}/api/v10"

    @property
    def gateway_url(self) -> str:
        """For `[discord] gateway_url`."""
        return self.gateway.url

    def _routes(self) -> list[Route]:
        subjects: list[Subject] = [
            ApplicationRoutes(self.world, self.gateway, self.portal, self.commands),
            MessageRoutes(self.changes, self.portal),
            ThreadRoutes(self.changes),
            ChannelRoutes(self.changes),
            InteractionRoutes(self.changes, self.interactions),
        ]
        return [route for subject in subjects for route in subject.routes()]

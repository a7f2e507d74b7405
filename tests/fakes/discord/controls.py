"""What a test does to the server itself: time, failures, rate limits, the gateway's connections."""

from collections.abc import Callable

from tests.fakes.discord.cdn import Cdn
from tests.fakes.discord.changes import Changes
from tests.fakes.discord.commands import Commands
from tests.fakes.discord.faults import Fault, Faults, Hold
from tests.fakes.discord.gateway import Counts, Gateway, Portal
from tests.fakes.discord.pulse import Pulse
from tests.fakes.discord.rate_limits import Bucket, Limit, RateLimits
from tests.fakes.discord.rest import Recorded, Rest
from tests.fakes.discord.state import Channel, Message
from tests.fakes.discord.validation import Validation
from tests.fakes.discord.world import World

PATIENCE = 10.0


class Controls:
    world: World
    gateway: Gateway
    portal: Portal
    rest: Rest
    rate_limits: RateLimits
    faults: Faults
    validation: Validation
    pulse: Pulse
    cdn: Cdn
    changes: Changes
    commands: Commands

    @property
    def token(self) -> str:
        return self.portal.token

    @property
    def violations(self) -> list[str]:
        """What broke the protocol; a test that provokes it takes its entries out."""
        return self.validation.violations

    @property
    def validates(self) -> bool:
        """False where Discord's description is not at hand: then everything passes."""
        return self.validation.active

    @property
    def counts(self) -> Counts:
        return self.gateway.counts

    async def wait_for(self, condition: Callable[[], object], *, seconds: float = PATIENCE) -> None:
        """Until it is true of this server; looked at whenever something happens. Raises TimeoutError."""
        await self.pulse.until(condition, seconds)

    async def connected(self, sessions: int = 1, *, seconds: float = PATIENCE) -> None:
        """Until so many sessions are connected and were told of their guilds."""
        await self.wait_for(lambda: len(self.gateway.connected) >= sessions, seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass: interactions, tokens, nonces and attachment addresses grow old."""
        self.world.clock.advance(seconds)

    def expire_attachments(self) -> None:
        self.cdn.expire()

    # REST

    def requests(self, method: str, route: str) -> list[Recorded]:
        """What came in on this route so far."""
        key = self.rest.checked(method, route)
        return [each for each in self.rest.requests if (each.method, each.route) == key]

    def limit(self, method: str, route: str, *, count: int, per: float, hidden: bool = False) -> None:
        """From now on `count` requests in `per` seconds. A hidden limit is only met as a 429, never announced."""
        self.rate_limits.set(method, self.rest.checked(method, route)[1], Limit(count, per, hidden))

    def limit_globally(self, *, count: int, per: float) -> None:
        self.rate_limits.everywhere = Bucket(Limit(count, per))

    def fail_next(
        self,
        method: str,
        route: str,
        *,
        status: int | None = 503,
        code: int = 0,
        times: int = 1,
        after_effect: bool = False,
        retry_after: float = 0.1,
    ) -> None:
        """The next `times` requests of the route fail so; status None breaks their connection.

        With `after_effect` the call is carried out first: the client does not know that it was. discord.py itself
        repeats 500, 502 and 504 after 1, 3, 5, 7 s, and 429 after `retry_after` s; nothing else.
        """
        fault = Fault(status, code, times, after_effect, retry_after)
        self.faults.plan(*self.rest.checked(method, route), fault)

    def hold_next(self, method: str, route: str, *, channel: Channel | None = None) -> Hold:
        """The next request of the route, or only the next about a channel, waits, not carried out, until `release()`;
        `reached` tells it is there.
        """
        return self.faults.hold(*self.rest.checked(method, route), str(channel.id) if channel else "")

    # Gateway

    def kick(self, *, op: int | None = None, code: int | None = None, resumable: bool = True) -> None:
        """Every connection: op 7 (reconnect), op 9 (invalid session), a close code, or without any a broken line."""
        for connection in list(self.gateway.connections):
            session = connection.session
            if op == 9 and not resumable and session is not None:
                session.ended = True
            if op is not None:
                connection.say(op, resumable if op == 9 else None)
            elif code is not None:
                connection.hang_up(code)
            else:
                connection.abort()

    def pause_gateway(self, *, forget: bool = True) -> None:
        """Nobody is connected until `unpause_gateway`; clients that come wait for HELLO.

        With `forget` the sessions end too: what happens meanwhile is found in histories only. Without, it is replayed.
        """
        self.gateway.pause(forget=forget)

    def unpause_gateway(self) -> None:
        self.gateway.unpause()

    def redeliver(self, message: Message) -> None:
        """The same message is told again, as after a RESUME that replays too much."""
        self.changes.tell_message("MESSAGE_CREATE", message)

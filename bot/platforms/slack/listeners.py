"""The Bolt app: which of our parts hears which of Slack's events."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.platforms.slack.intake import Intake, NotStoredYet
from bot.platforms.slack.interactions import Interactions
from bot.platforms.slack.manifest import COMMAND, PROMPTS, SHORTCUT
from bot.platforms.slack.places import Team
from bot.platforms.slack.surface import Surface

_log = logging.getLogger(__name__)
_bolt_log = logging.getLogger(f"{__name__}.bolt")

Body = dict[str, Any]


class Listeners:
    """Of one workspace. Commands and buttons are acknowledged at once and carried out in tasks of their own."""

    def __init__(self, team: Team, intake: Intake, interactions: Interactions, surface: Surface) -> None:
        self._team = team
        self._intake = intake
        self._interactions = interactions
        self._surface = surface
        self._foreign_told = False
        self._tasks: set[asyncio.Task[None]] = set()

    def app(self, client: AsyncWebClient) -> AsyncApp:
        """Bolt asks listeners in their order: the busiest first. An event is acknowledged when its listener is done."""
        _bolt_log.setLevel(logging.ERROR)  # its warnings are about a token in the environment
        app = AsyncApp(
            logger=_bolt_log,
            client=client,
            signing_secret="",
            authorize=_authorizing(self._team),
            process_before_response=True,
            request_verification_enabled=False,  # done before Bolt sees a request; a socket needs none
            ssl_check_enabled=False,
            ignoring_self_events_enabled=False,  # done by the intake
        )
        app.middleware(self._ours)
        app.event("message")(self._message)
        app.event("app_mention")(self._message)
        app.action(re.compile(".*"))(self._action)
        app.command(COMMAND)(self._command)
        app.shortcut(SHORTCUT)(self._shortcut)
        app.event("app_home_opened")(self._home_opened)
        app.event("agent_session_stopped")(self._stopped)
        app.event(re.compile(".*"))(_ignored)
        app.error(_failed)
        return app

    async def close(self) -> None:
        """Commands that are being carried out are short: they may end."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._intake.lanes.close()

    async def _ours(self, context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        """An app that is installed in several workspaces hears of all of them. Ids are unique in one only."""
        if context.team_id != self._team.id:
            if not self._foreign_told:
                _log.warning("the app is installed in %s, too; this bot is that of %s", context.team_id, self._team.id)
            self._foreign_told = True
            return BoltResponse(status=200)
        await next_()
        return None

    async def _message(self, event: Body) -> None:
        await self._intake.message(event)

    async def _command(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        self._spawn(self._interactions.slash(body))

    async def _action(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        self._spawn(self._interactions.pressed(body))

    async def _shortcut(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        self._spawn(self._interactions.shortcut(body))

    async def _home_opened(self, event: Body) -> None:
        if event.get("tab") == "messages":
            self._spawn(self._surface.suggest(event["channel"], PROMPTS))

    async def _stopped(self, event: Body) -> None:
        self._spawn(self._interactions.native_stop(event))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _authorizing(team: Team) -> Callable[..., Awaitable[AuthorizeResult]]:
    """What Bolt would ask Slack for. A function, as Bolt looks at the names of its arguments, `self` among them."""

    async def authorize(client: AsyncWebClient) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=team.id,
            bot_user_id=team.bot_user,
            bot_id=team.bot_id,
            bot_token=client.token,
        )

    return authorize


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:  # noqa: BLE001 - nobody awaits it
        _log.exception("an interaction could not be carried out")


async def _ignored() -> None:
    """Acknowledges what the app is subscribed to without need."""


async def _failed(error: Exception) -> BoltResponse:
    """No acknowledgement: Slack repeats the event."""
    if isinstance(error, NotStoredYet):
        _log.warning("%s", error)
    else:
        _log.error("an event could not be handled", exc_info=error)
    return BoltResponse(status=503)

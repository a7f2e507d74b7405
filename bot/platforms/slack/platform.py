"""The Slack platform: logs in, connects, and ties together what takes events and what answers."""

import asyncio
import logging
from contextlib import AsyncExitStack

import aiohttp
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import Commands
from bot.errors import ConfigurationError, PlatformError, PlatformGone
from bot.inbox import Inbox
from bot.platforms import slack_text
from bot.platforms.files import FileLimits
from bot.platforms.platform import TurnRef
from bot.platforms.slack.answers import Answers
from bot.platforms.slack.api import Api, Refused, TokenRefused
from bot.platforms.slack.intake import Intake
from bot.platforms.slack.interactions import Interactions
from bot.platforms.slack.listeners import Listeners
from bot.platforms.slack.manifest import PATH
from bot.platforms.slack.people import People
from bot.platforms.slack.places import NAME, Team, team_of
from bot.platforms.slack.questions import Questions
from bot.platforms.slack.reply import FILE_NOTE, LateReply, SlackReply
from bot.platforms.slack.signed import SignedRequests
from bot.platforms.slack.socket import Socket
from bot.platforms.slack.surface import Surface
from bot.platforms.slack.words import Words
from bot.settings.sections import Slack
from storage.database import Database

_log = logging.getLogger(__name__)

PACE = 1.2
"""Seconds between two looks at a growing answer; how many of them are shown, Slack's limits decide (see `api`)."""
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0
REFUSED = "[slack] bot_token: Slack does not accept it ({}); copy it anew from your app's page"


class SlackPlatform:
    """See bot.platforms.platform.Platform. `serve` is where to listen for Slack's requests when no other part of the
    program does: with mode = "http" it is that, or `requests` is mounted elsewhere. `trace` is told of the requests to
    Slack's Web API.
    """

    name = NAME

    def __init__(
        self,
        settings: Slack,
        database: Database,
        files: FileLimits,
        *,
        pace: float = PACE,
        serve: tuple[str, int] | None = None,
        trace: aiohttp.TraceConfig | None = None,
    ) -> None:
        self.pace = pace
        self._traces = [trace] if trace else []
        self._settings = settings
        self._database = database
        self._files = files
        self._serve = serve
        secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
        self.requests = SignedRequests(secret) if settings.mode == "http" else None
        self._connected = asyncio.Event()
        self._socket: Socket | None = None
        self.url = ""

    @property
    def connected(self) -> bool:
        """Whether it is logged in and, where it has a socket, that is open."""
        listens = self.requests is not None or (self._socket is not None and self._socket.connected)
        return self._connected.is_set() and listens

    def attach(self, inbox: Inbox, commands: Commands) -> None:
        self._inbox = inbox
        self._commands = commands

    def reply(self, turn: TurnRef) -> LateReply:
        return LateReply(lambda: self._reply(turn))

    def split(self, text: str) -> list[str]:
        """Where there would be too many parts, the first one; `SlackReply.finish` adds the file."""
        parts = slack_text.split(text)
        if len(parts) <= self._settings.max_parts:
            return parts
        return [slack_text.first(text, slack_text.LIMIT - len(FILE_NOTE)) + FILE_NOTE]

    def preview(self, text: str) -> str:
        """As it is: a stream can only be added to."""
        room = slack_text.LIMIT - len(FILE_NOTE)  # in UTF-16 units, as all lengths
        return text[:room].encode("utf-16-le", "surrogatepass")[: 2 * room].decode("utf-16-le", "ignore")

    async def run(self) -> None:
        """Stay connected until cancelled. Raises ConfigurationError when Slack does not accept a token."""
        async with AsyncExitStack() as stack:
            if self.requests is not None and self._serve is not None:
                await self._listen(stack, *self._serve)
            connector = aiohttp.TCPConnector(limit=0)  # with a limit, calls beyond it would wait in silence
            session = aiohttp.ClientSession(connector=connector, trace_configs=self._traces)
            await stack.enter_async_context(session)
            api = self._api(session, self._settings.bot_token)
            team = await self._logged_in(api)
            _log.info("Slack: connected to %s", team.url)
            listeners, app = self._listeners(api, team)
            stack.push_async_callback(listeners.close)
            if self.requests is None:
                self._socket = Socket(app, self._api(session, self._settings.app_token), session)
                await self._socket.run()
            else:
                self.requests.connect(app)
                stack.callback(self.requests.disconnect)
                await asyncio.Event().wait()

    def _api(self, session: aiohttp.ClientSession, token: SecretStr | None) -> Api:
        """Repeats nothing by itself: a call that broke off may have had its effect."""
        assert token is not None
        url = f"{self._settings.api_url.rstrip('/')}/" if self._settings.api_url else AsyncWebClient.BASE_URL
        return Api(AsyncWebClient(token.get_secret_value(), url, session=session, retry_handlers=[]))

    def _listeners(self, api: Api, team: Team) -> tuple[Listeners, AsyncApp]:
        people, answers, surface = People(api), Answers(team, api), Surface(api)
        questions = Questions(team, api, people, self._files)
        words = Words(team, self._commands, people, answers)
        intake = Intake(
            team, api, self._inbox, self._database, questions, words, answer_bots=self._settings.answer_bots
        )
        interactions = Interactions(team, api, self._commands, people, answers)
        listeners = Listeners(team, intake, interactions, surface)
        self._parts = (api, surface, team)
        self._connected.set()
        return listeners, listeners.app(api.client)

    async def _logged_in(self, api: Api) -> Team:
        """Slack being away is waited for."""
        wait = FIRST_RETRY_SECONDS
        while True:
            try:
                found = await api.call("auth.test")
            except (Refused, TokenRefused) as refused:
                raise ConfigurationError(REFUSED.format(refused)) from refused
            except PlatformError as error:
                _log.error("Slack: not there, trying again in %.0f s: %s", wait, error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LAST_RETRY_SECONDS)
            else:
                return Team(found["team_id"], found["user_id"], found.get("bot_id", ""), found["url"])

    async def _listen(self, stack: AsyncExitStack, host: str, port: int) -> None:
        assert self.requests is not None
        app = web.Application()
        app.router.add_post(PATH, self.requests.receive)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigurationError(f"[web] port: {port} cannot be listened on: {error.strerror}") from error
        address = runner.addresses[0]
        self.url = f"http://{address[0]}:{address[1]}{PATH}"
        _log.info("Slack's requests are expected at %s", self.url)

    async def _reply(self, turn: TurnRef) -> SlackReply:
        await self._connected.wait()
        api, surface, team = self._parts
        if team_of(turn.key) != team.id:
            raise PlatformGone("the bot is not installed in this turn's workspace any more")
        return SlackReply(api, surface, team, turn, self._settings.max_parts)

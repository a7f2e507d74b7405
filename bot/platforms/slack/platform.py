"""The Slack platform: logs in, connects, and ties together what takes events and what answers."""

import asyncio
import logging
from contextlib import AsyncExitStack

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import Commands
from bot.errors import ConfigurationError, PlatformError, PlatformGone
from bot.inbox import Inbox
from bot.platforms import slack_text
from bot.platforms.files import FileLimits
from bot.platforms.platform import TurnRef
from bot.platforms.slack.answers import Answers
from bot.platforms.slack.api import REVOKED, Api, Refused
from bot.platforms.slack.intake import Intake
from bot.platforms.slack.interactions import Interactions
from bot.platforms.slack.listeners import Listeners
from bot.platforms.slack.people import People
from bot.platforms.slack.places import NAME, Team, team_of
from bot.platforms.slack.questions import Questions
from bot.platforms.slack.reply import LateReply, SlackReply
from bot.platforms.slack.signed import PATH, SignedRequests
from bot.platforms.slack.surface import Surface
from bot.platforms.slack.words import Words
from bot.settings.sections import Slack
from storage.database import Database

_log = logging.getLogger(__name__)

PACE = 1.2
"""Seconds between two looks at a growing answer; how many of them are shown, Slack's limits decide (see `api`)."""
FILE_NOTE = "\n\n_The whole answer is in the file below._"
HTTP_SECONDS = 30
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0
REFUSED = "[slack] {key}: Slack does not accept it; copy it anew from your app's page, or install the app again"


class SlackPlatform:
    """See bot.platforms.platform.Platform. `serve` is where to listen for Slack's requests when no other part of the
    program does: with mode = "http" it is that, or `requests` is mounted elsewhere.
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
    ) -> None:
        assert settings.bot_token is not None
        self.pace = pace
        self._settings = settings
        self._token = settings.bot_token.get_secret_value()
        self._database = database
        self._files = files
        self._serve = serve
        secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
        self.requests = SignedRequests(secret) if settings.mode == "http" else None
        self._connected = asyncio.Event()
        self.url = ""

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
        return text[: slack_text.LIMIT - len(FILE_NOTE)]

    async def run(self) -> None:
        """Stay connected until cancelled. Raises ConfigurationError when Slack does not accept a token."""
        async with AsyncExitStack() as stack:
            if self.requests is not None and self._serve is not None:
                await self._listen(stack, *self._serve)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            client = self._client(session)
            api = Api(client)
            team = await self._logged_in(api)
            listeners, app = self._listeners(api, team)
            stack.push_async_callback(listeners.close)
            if self.requests is not None:
                self.requests.app = app
            else:
                await self._open_socket(app, stack)
            _log.info("Slack: connected to %s", team.url)
            await asyncio.Event().wait()

    def _client(self, session: aiohttp.ClientSession) -> AsyncWebClient:
        """Repeats nothing by itself: a call that broke off may have had its effect."""
        url = f"{self._settings.api_url.rstrip('/')}/" if self._settings.api_url else AsyncWebClient.BASE_URL
        return AsyncWebClient(self._token, url, session=session, retry_handlers=[], timeout=HTTP_SECONDS)

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
            except Refused as refused:
                raise ConfigurationError(REFUSED.format(key="bot_token")) from refused
            except PlatformError as error:
                if any(word in str(error) for word in REVOKED):
                    raise ConfigurationError(REFUSED.format(key="bot_token")) from error
                _log.error("Slack: not there, trying again in %.0f s: %s", wait, error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LAST_RETRY_SECONDS)
            else:
                return Team(found["team_id"], found["user_id"], found.get("bot_id", ""), found["url"])

    async def _open_socket(self, app: AsyncApp, stack: AsyncExitStack) -> None:
        assert self._settings.app_token is not None
        token = self._settings.app_token.get_secret_value()
        handler = AsyncSocketModeHandler(app, token, logger=logging.getLogger("slack_bolt"))
        handler.client.wss_uri = await self._ticket(app.client, token)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        stack.push_async_callback(handler.close_async)

    async def _ticket(self, client: AsyncWebClient, token: str) -> str:
        """The first socket's address. The SDK gets later ones itself, and would try for ever with a wrong token."""
        wait = FIRST_RETRY_SECONDS
        while True:
            try:
                return str((await client.apps_connections_open(app_token=token))["url"])
            except SlackApiError as error:
                if error.response.get("error") in REVOKED | {"not_allowed_token_type"}:
                    raise ConfigurationError(REFUSED.format(key="app_token")) from error
                _log.error("Slack: no socket, trying again in %.0f s: %s", wait, error.response.get("error"))
            except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
                _log.error("Slack: no socket, trying again in %.0f s: %r", wait, error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LAST_RETRY_SECONDS)

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

"""Slack's part of `secret-agents check`: the tokens, the scopes, and the way on which events come. A bot that runs
meanwhile is not disturbed: a socket's ticket is asked for, and not used.
"""

import asyncio
import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.finding import Finding
from bot.platforms.slack.api import REVOKED
from bot.platforms.slack.manifest import APP_SCOPE, PATH, app_page, missing, request_url
from bot.platforms.slack.places import NAME
from bot.ports import address, try_port
from bot.settings.sections import Slack

SECONDS = 20.0
"""For all of it."""
ASK_SECONDS = 3.0
"""For a look at who listens on the port."""
SCOPES_HEADER = "x-oauth-scopes"
"""Of every answer: what the token is good for."""
UNSIGNED = "not signed by Slack"
"""How this program's own door refuses; see `signed`."""
State = Literal["ok", "warning", "failed"]
_WORST: Sequence[State] = ("failed", "warning", "ok")


@dataclass(frozen=True, slots=True)
class _Told:
    """One thing that was found out, with what to do about it."""

    why: str
    todo: str = ""
    state: State = "ok"


async def check_slack(settings: Slack, listen: tuple[str, int] | None = None, seconds: float = SECONDS) -> Finding:
    """`settings` is on; `listen` is host and port for Slack's requests where no page is served that takes them.

    Never raises for what it looks for.
    """
    try:
        async with asyncio.timeout(seconds), aiohttp.ClientSession() as http:
            client = AsyncWebClient(_text(settings.bot_token), _api_url(settings), session=http, retry_handlers=[])
            told = await _bot(client, settings)
            if settings.mode == "socket":
                return _summed_up([*told, *await _socket(client, settings)])
            return _summed_up([*told, *await _http(http, settings, listen)])
    except SlackApiError as error:
        return _trouble(settings, error)
    except TimeoutError:
        return _unreachable(settings, f"no answer within {seconds:g} seconds")
    except (SlackClientError, aiohttp.ClientError, OSError) as error:
        return _unreachable(settings, str(error) or type(error).__name__)
    except (AttributeError, TypeError, LookupError, ValueError):  # what slack_sdk makes of some other server's words
        return _unreachable(settings, "what answers there is not Slack")


def _api_url(settings: Slack) -> str:
    return f"{settings.api_url}/" if settings.api_url else AsyncWebClient.BASE_URL


async def _bot(client: AsyncWebClient, settings: Slack) -> list[_Told]:
    page = _page(settings)
    where = f"{page} > OAuth & Permissions > Bot User OAuth Token"
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        word = _word(error)
        if word == "not_allowed_token_type":
            return [_failed("SLACK_BOT_TOKEN is not a bot's token", f"copy the one that begins with xoxb-: {where}")]
        if word not in REVOKED:
            raise
        todo = f"copy it anew into SLACK_BOT_TOKEN, or install the app again: {where}"
        return [_failed(f"Slack does not accept the bot's token ({word})", todo)]
    found = dict[str, Any](answer.data) if isinstance(answer.data, dict) else {}
    told = [_Told(f"logged in as {found['user']} in {found['team']} ({found['url']})")]
    if not found.get("bot_id"):
        return [_failed("SLACK_BOT_TOKEN is a person's token", f"copy the one that begins with xoxb-: {where}")]
    scopes = answer.headers.get(SCOPES_HEADER)
    return told + (_lacking(missing(scopes), page) if scopes is not None else [])


def _lacking(scopes: list[str], page: str) -> list[_Told]:
    if not scopes:
        return []
    todo = (
        f"put what `secret-agents manifest slack` prints in the place of the manifest: {page} > App Manifest; then"
        " Install App > Reinstall"
    )
    return [_Told(f"it lacks {', '.join(scopes)}", todo, "warning")]


async def _socket(client: AsyncWebClient, settings: Slack) -> list[_Told]:
    page = _page(settings)
    where = f"{page} > Basic Information > App-Level Tokens"
    try:
        await client.apps_connections_open(app_token=_text(settings.app_token))
    except SlackApiError as error:
        word = _word(error)
        if word == "not_allowed_token_type":
            return [_failed("SLACK_APP_TOKEN is not an app's token", f"copy the one that begins with xapp-: {where}")]
        if word == "missing_scope":
            return [_failed(f"the app's token lacks {APP_SCOPE}", f"generate one that has it: {where}")]
        if word in REVOKED:
            todo = f"generate one and copy it into SLACK_APP_TOKEN: {where}"
            return [_failed(f"Slack does not accept the app's token ({word})", todo)]
        if not word or word == "ratelimited":
            raise
        return [_failed(f"Slack opens no socket ({word})", f"see whether it is switched on: {page} > Socket Mode")]
    return [_Told("a socket can be opened")]


async def _http(http: aiohttp.ClientSession, settings: Slack, listen: tuple[str, int] | None) -> list[_Told]:
    told = [] if listen is None else [await _port(http, *listen)]
    if not _text(settings.signing_secret).strip():
        todo = f"copy it into SLACK_SIGNING_SECRET: {_page(settings)} > Basic Information > Signing Secret"
        told.append(_failed("the signing secret is empty", todo))
    if url := request_url(settings):
        return [*told, _Told(f"Slack has to reach {url}")]
    why = f"[slack] public_url is not set, so where Slack has to reach {PATH} is not known here"
    return [*told, _Told(why, 'set it to your server\'s address, such as "https://bot.example.org"')]


async def _port(http: aiohttp.ClientSession, host: str, port: int) -> _Told:
    url = f"{address(host, port)}{PATH}"
    try:
        await asyncio.to_thread(try_port, host, port)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        if taken and await _is_ours(http, url):
            return _Told(f"{url} is served by a running secret-agents")
        todo = "set another [web] port" if taken else "set another [web] host or port"
        return _failed(f"{url} cannot be served: {error.strerror or error}", todo)
    return _Told(f"{url} is free to be served by `secret-agents run`")


async def _is_ours(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.post(url, timeout=aiohttp.ClientTimeout(total=ASK_SECONDS)) as response:
            return response.status == 401 and UNSIGNED in await response.text()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False


def _summed_up(told: Sequence[_Told]) -> Finding:
    state = next(state for state in _WORST if any(each.state == state for each in told))
    return Finding(
        NAME, state, "; ".join(each.why for each in told), "; ".join(each.todo for each in told if each.todo)
    )


def _trouble(settings: Slack, error: SlackApiError) -> Finding:
    """Slack's, or that of whatever answers in its place."""
    status, word = error.response.status_code, _word(error)
    if not word and status < 500:
        return _unreachable(settings, "what answers there is not Slack")
    todo = "try again later; https://slack-status.com tells of its troubles"
    return Finding(NAME, "failed", f"Slack answered with an error: {word or status}", todo)


def _unreachable(settings: Slack, why: str) -> Finding:
    todo = "look at [slack] api_url" if settings.api_url else "look at this machine's network and its proxies"
    return Finding(NAME, "failed", f"Slack cannot be reached: {why}", todo)


def _failed(why: str, todo: str) -> _Told:
    return _Told(why, todo, "failed")


def _word(error: SlackApiError) -> str:
    """Slack's own word for what is wrong, empty where it has said none."""
    data = error.response.data
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def _page(settings: Slack) -> str:
    return app_page(_text(settings.app_token))


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""

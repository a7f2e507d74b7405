"""Slack's HTTP requests: who sent them is proved before anything in them is looked at.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import asyncio
import hashlib
import hmac
import logging
import re
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.request.internals import parse_body

from bot.errors import ConfigurationError

_log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
WINDOW_SECONDS = 300
UNSIGNED = "[slack] signing_secret: is empty; set SLACK_SIGNING_SECRET in .env, from your app's page"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignedRequests:
    """Handler of `POST /slack/events`. Answers 401 to what Slack did not sign just now, 413 to what is too large.

    Raises ConfigurationError where there is nothing to sign with.
    """

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        if not secret.strip():
            raise ConfigurationError(UNSIGNED)
        self._secret = secret.strip().encode()
        self._now = now
        self._app: AsyncApp | None = None
        self.connected = asyncio.Event()
        """While it is not set there is no connection to Slack; it tries again."""

    def connect(self, app: AsyncApp) -> None:
        self._app = app
        self.connected.set()

    def disconnect(self) -> None:
        self._app = None
        self.connected.clear()

    async def receive(self, request: web.Request) -> web.Response:
        body = await _bounded(request)
        if body is None:
            return _refused(413, "too large")
        if not self._is_signed(request, body):
            return _refused(401, "not signed by Slack, or not just now")
        sent = _parsed(body, request.content_type)
        if sent is None:
            return _refused(400, "neither an object in JSON nor a form")
        if sent.get("type") == "url_verification":  # when somebody enters the address, and to be seen again
            return web.Response(text=str(sent.get("challenge", "")))
        if self._app is None:
            return _refused(503, "not connected yet")
        try:
            asked = AsyncBoltRequest(body=body.decode(), headers={"content-type": [request.content_type]})
            return await to_aiohttp_response(await self._app.async_dispatch(asked))
        except Exception:  # noqa: BLE001 - Bolt stumbles over what lacks its usual parts; it is logged
            _log.exception("a request of Slack's is not what it should be")
            return _refused(400, "not what Slack sends")

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        """Never raises, whatever the headers are."""
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not _TIMESTAMP.fullmatch(stamp) or abs(self._now() - int(stamp)) > WINDOW_SECONDS:
            return False
        signed = b"v0:" + stamp.encode() + b":" + body
        expected = "v0=" + hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))


async def _bounded(request: web.Request) -> bytes | None:
    """The body; None when it is longer than Slack's ever are."""
    if (request.content_length or 0) > MAX_BODY:
        return None
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _parsed(body: bytes, content_type: str) -> dict[str, Any] | None:
    """What Bolt will make of it; None where it would stumble."""
    try:
        sent: object = parse_body(body.decode(), content_type)
    except (ValueError, RecursionError):
        return None
    return sent if isinstance(sent, dict) and sent else None


def _refused(status: int, why: str) -> web.Response:
    return web.Response(status=status, text=why)

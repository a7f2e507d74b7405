"""Slack's HTTP requests: who sent them is proved before anything in them is looked at.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

_log = logging.getLogger(__name__)

PATH = "/slack/events"
MAX_BODY = 1024 * 1024
WINDOW_SECONDS = 300
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignedRequests:
    """Handler of `POST /slack/events`. Answers 401 to what Slack did not sign just now, 413 to what is too large."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        if not secret.strip():
            raise ValueError("an empty secret signs nothing")
        self._secret = secret.encode()
        self._now = now
        self.app: AsyncApp | None = None
        """None while there is no connection to Slack; it tries again."""

    async def receive(self, request: web.Request) -> web.Response:
        body = await _bounded(request)
        if body is None:
            return web.Response(status=413, text="too large")
        if not self._is_signed(request, body):
            return web.Response(status=401, text="not signed by Slack, or not just now")
        if challenge := _challenge(body):
            return web.Response(text=challenge)
        if self.app is None:
            return web.Response(status=503, text="not connected yet")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return web.Response(status=400, text="not UTF-8")
        headers = dict(request.headers.items())
        asked = AsyncBoltRequest(body=text, query=request.query_string, headers=headers)
        return await to_aiohttp_response(await self.app.async_dispatch(asked))

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
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _challenge(body: bytes) -> str:
    """What Slack sends when somebody enters the address, and wants to see again."""
    if b"url_verification" not in body:
        return ""
    try:
        sent = json.loads(body)
    except ValueError:
        return ""
    return str(sent.get("challenge", "")) if isinstance(sent, dict) and sent.get("type") == "url_verification" else ""

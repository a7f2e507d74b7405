"""Slack's side of the Request URL: signed POSTs of events, commands and clicks, and what the app answered.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack and …/apis/events-api/#retries
"""

import hashlib
import hmac
import io
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack.delivery import Attempt, Delivery, Unacknowledged
from tests.fakes.slack.refusals import Json

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Received:
    """What the app answered, and after how many seconds."""

    status: int
    body: str
    headers: Mapping[str, str]
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it was sent."""

    body: bytes
    headers: Mapping[str, str]


class HttpEvents:
    """The transport of an app in HTTP mode. `extra_headers` go with every delivery and override Slack's own."""

    def __init__(self, url: str, signing_secret: str) -> None:
        self.url = url
        self.signing_secret = signing_secret
        self.ack_seconds = 3.0
        self.late = "http_timeout"
        self.extra_headers: dict[str, str] = {}
        self.sent: list[Signed] = []
        self.received: list[Received] = []
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        await self._session.close()

    async def send(self, delivery: Delivery, attempt: Attempt) -> None:
        headers = dict(self.extra_headers)
        if attempt.number:
            headers = {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": attempt.reason} | headers
        body, kind = encoded(delivery)
        try:
            answer = await self.request(body, kind, headers=headers)
        except TimeoutError:
            raise Unacknowledged(self.late) from None
        except aiohttp.ClientError:
            raise Unacknowledged("connection_failed") from None
        attempt.status, attempt.body = answer.status, answer.body
        if not 200 <= answer.status < 300:
            raise Unacknowledged("http_error", final=answer.headers.get("X-Slack-No-Retry") == "1")

    async def request(
        self,
        body: bytes,
        content_type: str = JSON_TYPE,
        *,
        timestamp: str | None = None,
        signature: str | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Received:
        """One signed POST. Any part may be wrong on purpose; a header set to None is left out."""
        stamp = timestamp if timestamp is not None else str(int(time.time()))
        proof = signature if signature is not None else sign(self.signing_secret, stamp, body)
        sent: dict[str, Any] = {
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": proof,
            **(headers or {}),
        }
        signed = Signed(body, {name: value for name, value in sent.items() if value is not None})
        self.sent.append(signed)
        return await self.replay(signed)

    async def replay(self, signed: Signed) -> Received:
        """Send the very same bytes, time and signature (again), as somebody who overheard them would."""
        began = time.monotonic()
        timeout = aiohttp.ClientTimeout(total=self.ack_seconds)
        data = io.BytesIO(signed.body)  # aiohttp warns of large bodies as bytes
        async with self._session.post(self.url, data=data, headers=signed.headers, timeout=timeout) as response:
            text = await response.text()
            answer = Received(response.status, text, response.headers, time.monotonic() - began)
        self.received.append(answer)
        return answer

    async def verify_url(self) -> bool:
        """Whether the app answers Slack's url_verification with the challenge."""
        challenge = uuid.uuid4().hex
        body = json.dumps({"token": "unused", "challenge": challenge, "type": "url_verification"}).encode()
        answer = await self.request(body)
        return answer.status == 200 and challenge in answer.body


def sign(secret: str, timestamp: str, body: bytes) -> str:
    mac = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return f"v0={mac.hexdigest()}"


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """(body, content type): events are JSON, commands a form, clicks a form of one JSON field."""
    if delivery.kind == "events_api":
        return json.dumps(delivery.payload).encode(), JSON_TYPE
    form: Json = delivery.payload if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.payload)}
    return urlencode(form).encode(), FORM_TYPE

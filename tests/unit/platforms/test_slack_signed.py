"""Slack's signature: what is signed, and until when."""

from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import web

from bot.platforms.slack.manifest import PATH
from bot.platforms.slack.signed import WINDOW_SECONDS, SignedRequests
from tests.fakes.slack.http_events import sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_700_000_000
BODY = b'{"type": "url_verification", "challenge": "hello"}'


async def status(headers: dict[str, str], body: bytes = BODY, *, secret: str = SECRET) -> int:
    """What a request gets at NOW."""
    app = web.Application()
    app.router.add_post(PATH, SignedRequests(secret, lambda: NOW).receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as response:
        found = response.status
    await runner.cleanup()
    return found


def signed(stamp: str, body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(secret, stamp, body)}


@pytest.mark.parametrize("seconds", [-WINDOW_SECONDS, -1, 0, 1, WINDOW_SECONDS])
async def test_the_window_is_five_minutes_either_way(seconds: int) -> None:
    assert await status(signed(str(NOW + seconds))) == 200


@pytest.mark.parametrize("seconds", [-WINDOW_SECONDS - 1, WINDOW_SECONDS + 1])
async def test_beyond_the_window_nothing_is_signed(seconds: int) -> None:
    assert await status(signed(str(NOW + seconds))) == 401


async def test_the_body_is_what_is_signed() -> None:
    assert await status(signed(str(NOW)), BODY + b" ") == 401


async def test_the_time_is_what_is_signed() -> None:
    assert await status(signed(str(NOW)) | {"X-Slack-Request-Timestamp": str(NOW + 1)}) == 401


async def test_a_secret_that_was_copied_with_its_line_end_signs_all_the_same() -> None:
    assert await status(signed(str(NOW)), secret=f"{SECRET}\n") == 200


@pytest.mark.parametrize("change", [str.upper, lambda text: text[:-1], lambda text: text[3:], lambda _: "v0="])
async def test_a_signature_that_looks_alike_is_none(change: Callable[[str], str]) -> None:
    headers = signed(str(NOW))
    headers["X-Slack-Signature"] = change(headers["X-Slack-Signature"])
    assert await status(headers) == 401

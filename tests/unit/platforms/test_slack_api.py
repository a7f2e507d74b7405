"""Calls of Slack's Web API: how long they wait, and what their failures mean."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import PlatformError, PlatformGone
from bot.platforms.slack.api import PER_MINUTE, REVOKED, SHARE, Api, Refused, TokenRefused

UPDATE, POST = "chat.update", "chat.postMessage"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Time:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def calling(answer: Handler, time: Time | None = None) -> AsyncIterator[Api]:
    """An Api whose Slack answers so."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        client = AsyncWebClient("xoxb-secret", url, session=session, retry_handlers=[])
        yield Api(client, time) if time is not None else Api(client)
    await runner.cleanup()


def always(text: str, *, status: int = 200, kind: str = "application/json") -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type=kind)

    return answer


def limited_once(retry_after: str | None) -> tuple[Handler, list[str]]:
    """The first call is one too many; the methods called so far."""
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path.rpartition("/")[2])
        if len(calls) > 1:
            return web.json_response({"ok": True})
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)

    return answer, calls


async def test_growing_answers_leave_room_for_finished_ones() -> None:
    time = Time()
    async with calling(always('{"ok": true}'), time) as api:
        for _ in range(int(SHARE * PER_MINUTE[UPDATE])):
            assert api.has_room(UPDATE)
            await api.call(UPDATE)
        assert not api.has_room(UPDATE)
        assert api.has_room("chat.appendStream")
        await api.call(UPDATE)  # a finished one
        time.now += 61
        assert api.has_room(UPDATE)


@pytest.mark.parametrize("told", ["1", None, "soon", "1.5"])
async def test_a_limit_is_waited_for_whatever_slack_says_of_its_length(told: str | None) -> None:
    answer, calls = limited_once(told)
    async with calling(answer) as api:
        began = asyncio.get_running_loop().time()
        first = asyncio.create_task(api.call(UPDATE))
        while not calls or api.has_room(UPDATE):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        await api.call("chat.stopStream")
        assert asyncio.get_running_loop().time() - began < 0.9
        await first
        assert asyncio.get_running_loop().time() - began >= 0.99
        assert calls == [UPDATE, "chat.stopStream", UPDATE]


async def test_a_channels_limit_is_no_other_channels() -> None:
    answer, calls = limited_once("30")
    async with calling(answer) as api:
        held = asyncio.create_task(api.call(POST, channel="C1"))
        while not calls:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        await api.call(POST, channel="C2")
        assert not held.done()
        held.cancel()


async def test_calls_that_wait_go_on_one_after_another() -> None:
    """All at once would be too many again."""
    under_way = most = 0
    answer, calls = limited_once("1")

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal under_way, most
        limited = not calls
        under_way += 1
        if not limited:
            most = max(most, under_way)
            await asyncio.sleep(0.01)
        under_way -= 1
        return await answer(request)

    async with calling(slow) as api:
        first = asyncio.create_task(api.call(UPDATE))
        while api.has_room(UPDATE):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        await asyncio.gather(first, *(api.call(UPDATE) for _ in range(8)))
    assert (most, len(calls)) == (1, 10)


@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "msg_too_long", "missing_scope", "anything"])
async def test_a_refusal_is_for_good(error: str) -> None:
    async with calling(always(f'{{"ok": false, "error": "{error}"}}')) as api:
        with pytest.raises(Refused, match=f"^chat.update: {error}") as refused:
            await api.call(UPDATE)
        assert refused.value.error == error
        assert isinstance(refused.value, PlatformGone)


@pytest.mark.parametrize("error", sorted(REVOKED))
async def test_a_token_that_is_not_accepted_may_be_later_and_the_log_is_told_what_to_do(error: str) -> None:
    async with calling(always(f'{{"ok": false, "error": "{error}"}}')) as api:
        with pytest.raises(TokenRefused, match=f"{error} .*set SLACK_BOT_TOKEN") as refused:
            await api.call(UPDATE)
        assert not isinstance(refused.value, PlatformGone)
        assert "xoxb-secret" not in str(refused.value)
        with pytest.raises(TokenRefused, match="set SLACK_APP_TOKEN"):
            await api.call("apps.connections.open")


@pytest.mark.parametrize(
    "answer",
    [
        always('{"ok": false, "error": "internal_error"}'),
        always('{"ok": false, "error": "fatal_error"}'),
        always('{"ok": false}'),
        always("{}"),
        always("[]"),
        always("[1]"),
        always("null"),
        always('"text"'),
        always("{"),
        always(""),
        always("<html>Down for maintenance</html>", kind="text/html"),
        always("<html>Bad gateway</html>", status=502, kind="text/html"),
        always('{"ok": false, "error": "channel_not_found"}', status=500),
        always("ok", kind="text/plain"),
    ],
)
async def test_what_is_not_slacks_answer_may_be_so_later(answer: Handler) -> None:
    async with calling(answer) as api:
        for method in (UPDATE, "users.info"):
            with pytest.raises(PlatformError) as failed:
                await api.call(method)
            assert not isinstance(failed.value, PlatformGone)


async def test_a_server_that_is_not_there_may_be_so_later() -> None:
    async with aiohttp.ClientSession() as session:
        api = Api(AsyncWebClient("xoxb-secret", "http://127.0.0.1:9/api/", session=session, retry_handlers=[]))
        with pytest.raises(PlatformError, match=r"^chat\.update: Slack cannot be reached") as failed:
            await api.call(UPDATE)
        assert not isinstance(failed.value, PlatformGone)

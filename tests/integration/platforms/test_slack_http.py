"""Slack's requests over HTTP: nothing is looked at that Slack did not sign just now, and nothing breaks the door."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

from bot.errors import ConfigurationError
from bot.platforms.files import FileLimits
from bot.platforms.slack.manifest import PATH
from bot.platforms.slack.platform import SlackPlatform
from bot.platforms.slack.signed import MAX_BODY
from bot.platforms.web.server import WebPlatform
from bot.settings.sections import Slack
from storage.sqlite import SQLiteDatabase
from tests.core import core_around
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.slack import ALICE, GENERAL, FakeSlack, HttpEvents, Message, Received
from tests.fakes.slack.http_events import FORM_TYPE, JSON_TYPE, encoded, sign
from tests.slack import SIGNING_SECRET, running_bot, settings_for
from tests.slack_scene import Scene, scene, stage


def door(at: Scene) -> HttpEvents:
    assert at.slack.http is not None
    return at.slack.http


def body_of(message: Message) -> bytes:
    return encoded(message.deliveries[0])[0]


async def asked_and_stored(at: Scene) -> bytes:
    """The body of a message's event, once it is answered."""
    private = at.tell("one")
    await at.answer(private)
    await at.slack.settled()
    return body_of(private)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"X-Slack-Signature": None}, "no signature"),
        ({"X-Slack-Signature": ""}, "an empty one"),
        ({"X-Slack-Signature": "v0="}, "nothing in it"),
        ({"X-Slack-Signature": f"v0={'0' * 64}"}, "a wrong one"),
        ({"X-Slack-Signature": "v0=ümläut"}, "not ASCII"),
        ({"X-Slack-Signature": "v0=\udcff\udcfe"}, "not even UTF-8"),
        ({"X-Slack-Request-Timestamp": None}, "no timestamp"),
        ({"X-Slack-Request-Timestamp": ""}, "an empty one"),
        ({"X-Slack-Request-Timestamp": "abc"}, "no number"),
        ({"X-Slack-Request-Timestamp": "nan"}, "not a number"),
        ({"X-Slack-Request-Timestamp": "inf"}, "endless"),
        ({"X-Slack-Request-Timestamp": "-1"}, "before the beginning"),
        ({"X-Slack-Request-Timestamp": "9" * 400}, "beyond the end"),
        ({"X-Slack-Request-Timestamp": "1e9"}, "another notation"),
        ({"X-Slack-Request-Timestamp": "١٢٣٤٥٦٧٨٩٠"}, "other digits"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_slack_did_not_sign_is_turned_away(tmp_path: Path, headers: dict[str, str | None], why: str) -> None:
    async with scene(tmp_path, mode="http") as at:
        body = json.dumps({"type": "url_verification", "challenge": "open sesame"}).encode()
        answer = await door(at).request(body, headers=headers)
        assert answer.status == 401, why
        assert "open sesame" not in answer.body


@pytest.mark.parametrize("odd", ["abc", "", "nan", "-5", "1e9", "9" * 400, " "])
async def test_an_odd_timestamp_is_turned_away_even_when_it_is_signed(tmp_path: Path, odd: str) -> None:
    async with scene(tmp_path, mode="http") as at:
        answer = await door(at).request(b"{}", timestamp=odd, signature=sign(SIGNING_SECRET, odd, b"{}"))
        assert answer.status == 401


@pytest.mark.parametrize("seconds", [-301, 302, -100_000, 100_000])
async def test_what_was_signed_at_another_time_is_turned_away(tmp_path: Path, seconds: int) -> None:
    async with scene(tmp_path, mode="http") as at:
        answer = await door(at).request(b'{"type": "url_verification"}', timestamp=str(int(time.time()) + seconds))
        assert answer.status == 401


@pytest.mark.parametrize("seconds", [-295, 295])
async def test_five_minutes_either_way_are_allowed(tmp_path: Path, seconds: int) -> None:
    async with scene(tmp_path, mode="http") as at:
        challenge = b'{"type": "url_verification", "challenge": "hello"}'
        answer = await door(at).request(challenge, timestamp=str(int(time.time()) + seconds))
        assert (answer.status, answer.body) == (200, "hello")


async def test_another_secret_signs_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, mode="http") as at:
        body = await asked_and_stored(at)
        door(at).signing_secret = "another"
        other = json.loads(body)
        other["event"] |= {"ts": "1700000000.000100", "event_ts": "1700000000.000100"}
        answer = await door(at).request(json.dumps(other).encode())
        assert answer.status == 401
        assert await at.stored() == ["one"]


async def test_the_url_is_verified_only_when_slack_signed_the_question(tmp_path: Path) -> None:
    async with scene(tmp_path, mode="http") as at:
        assert await door(at).verify_url()
        door(at).signing_secret = "another"
        assert not await door(at).verify_url()


@pytest.mark.parametrize("secret", ["", "  ", "\n"])
async def test_an_empty_signing_secret_refuses_to_start(tmp_path: Path, secret: str) -> None:
    async with stage() as slack, SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        empty = settings_for(slack, mode="http").model_copy(update={"signing_secret": SecretStr(secret)})
        with pytest.raises(ConfigurationError, match=r"\[slack\] signing_secret: .*SLACK_SIGNING_SECRET"):
            SlackPlatform(empty, database, FileLimits())


def test_a_missing_signing_secret_is_no_setting() -> None:
    with pytest.raises(ValidationError) as refused:
        Slack(mode="http", bot_token=SecretStr("xoxb-1"))
    assert "SLACK_SIGNING_SECRET" in refused.value.errors()[0]["ctx"]["problems"]["signing_secret"]


async def test_a_replay_within_the_window_is_one_turn(tmp_path: Path) -> None:
    async with scene(tmp_path, mode="http") as at:
        await asked_and_stored(at)
        for signed in list(door(at).sent):
            assert (await door(at).replay(signed)).status == 200
        assert await at.stored() == ["one"]
        assert len(at.model.requests) == 1


async def chunks(size: int, sent: list[int]) -> AsyncIterator[bytes]:
    for _ in range(size // 4096):
        sent.append(4096)
        yield b"x" * 4096


async def test_a_body_beyond_one_mebibyte_is_refused_unread(tmp_path: Path) -> None:
    async with scene(tmp_path, mode="http") as at:
        just, over = b"x" * MAX_BODY, b"x" * (MAX_BODY + 1)
        assert (await door(at).request(over)).status == 413
        assert (await door(at).request(just, signature="v0=0")).status == 401


async def test_a_body_without_a_length_is_read_up_to_one_mebibyte(tmp_path: Path) -> None:
    """However much is sent: it is refused long before its end."""
    async with scene(tmp_path, mode="http") as at, aiohttp.ClientSession() as http:
        sent: list[int] = []
        status = 0
        try:
            async with http.post(door(at).url, data=chunks(200 * MAX_BODY, sent)) as response:
                status = response.status
        except aiohttp.ClientError:  # the line is closed while we still send
            status = 413
        assert status == 413
        assert sum(sent) < 100 * MAX_BODY


async def test_a_large_event_is_taken(tmp_path: Path) -> None:
    async with scene(tmp_path, mode="http") as at:
        private = at.tell("word " * 7_000)
        await at.slack.settled()
        assert private.deliveries[0].acknowledged
        assert len(body_of(private)) > 35_000


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", JSON_TYPE),
        (b"{", JSON_TYPE),
        (b"[]", JSON_TYPE),
        (b"null", JSON_TYPE),
        (b'"text"', JSON_TYPE),
        (b"[" * 100_000, JSON_TYPE),
        (b'{"type": "url_verification", "a": ' + b"[" * 100_000, JSON_TYPE),
        (b"\xff\xfe", JSON_TYPE),
        (b"payload=", FORM_TYPE),
        (b"payload={", FORM_TYPE),
        (b"payload=[]", FORM_TYPE),
        (b"payload=%7B%22type", FORM_TYPE),
        (b"payload=%ff%fe", FORM_TYPE),
        (b"", FORM_TYPE),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else "",
)
async def test_nonsense_that_is_signed_is_a_bad_request(tmp_path: Path, body: bytes, kind: str) -> None:
    async with scene(tmp_path, mode="http") as at:
        assert (await door(at).request(body, kind)).status == 400


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "event_callback"},
        {"type": "event_callback", "team_id": "T0HOME", "event": {}},
        {"type": "event_callback", "team_id": "T0HOME", "event": []},
        {"type": "event_callback", "team_id": "T0HOME", "event": {"type": "message"}},
        {"type": "event_callback", "team_id": "T0HOME", "event": {"type": "message", "subtype": "message_changed"}},
        {"type": "event_callback", "team_id": "T0HOME", "event": {"type": "reaction_added"}},
        {"type": "event_callback", "team_id": 7, "event": {"type": "message", "channel": 7, "ts": None}},
        {"type": "event_callback", "team_id": "T0HOME", "authorizations": 7, "event": {"type": "message"}},
        {"type": "block_actions", "team": {"id": "T0HOME"}, "user": {"id": ALICE}, "actions": []},
        {"command": "/mission", "team_id": "T0HOME"},
        {"type": "view_submission", "team": {"id": "T0HOME"}},
    ],
    ids=lambda value: json.dumps(value)[:70],
)
async def test_an_event_that_lacks_something_breaks_nothing(tmp_path: Path, payload: dict[str, Any]) -> None:
    """Slack never sends it; it is not acknowledged, or not for us."""
    async with scene(tmp_path, mode="http") as at:
        answer = await door(at).request(json.dumps(payload).encode())
        assert answer.status in {200, 400, 404, 503}
        await asked_and_stored(at)


async def test_only_posts_are_answered(tmp_path: Path) -> None:
    async with scene(tmp_path, mode="http") as at, aiohttp.ClientSession() as http:
        async with http.get(door(at).url) as response:
            assert response.status == 405
        async with http.post(door(at).url.replace(PATH, "/elsewhere")) as response:
            assert response.status == 404


async def test_before_slack_is_there_its_requests_are_to_be_sent_again(tmp_path: Path) -> None:
    async with stage() as slack:
        slack.fail_next("auth.test", status=503, times=2)
        async with running_bot(tmp_path / "bot.db", slack, ScriptedModel(), connected=False, mode="http") as bot:
            platform = bot.core.platform
            await slack.until(lambda: platform.url)
            http = slack.deliver_over_http(platform.url, SIGNING_SECRET)
            assert await http.verify_url()
            assert (await http.request(b'{"type": "event_callback", "event": {}}')).status == 503


async def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    async with stage() as slack, SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        platform = SlackPlatform(settings_for(slack, mode="http"), database, FileLimits(), serve=("127.0.0.1", port))
        with pytest.raises(ConfigurationError, match=rf"\[web\] port: {port} "):
            await platform.run()
        server.close()


# In the page's server


@asynccontextmanager
async def in_the_page(path: Path, slack: FakeSlack) -> AsyncIterator[tuple[str, HttpEvents]]:
    """The page's address, with Slack's door in it."""
    model = ScriptedModel(answer=echo)
    async with SQLiteDatabase(str(path / "bot.db")) as database:
        platform = SlackPlatform(settings_for(slack, mode="http"), database, FileLimits(), pace=0.02)
        assert platform.requests is not None
        doors = {PATH: platform.requests.receive}
        page = WebPlatform(host="127.0.0.1", port=0, database=database, model=model, agents={}, doors=doors)
        async with core_around(database, model, platform) as core, core.engine:
            page.attach(core.inbox, core.commands)
            tasks = [asyncio.create_task(platform.run()), asyncio.create_task(page.run())]
            await page.opened.wait()
            await platform.requests.connected.wait()
            yield page.url, slack.deliver_over_http(f"{page.url.rstrip('/')}{PATH}", SIGNING_SECRET)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def test_slack_is_answered_at_the_page_under_any_name(tmp_path: Path) -> None:
    """A proxy passes the name on under which Slack knows it."""
    async with stage() as slack, in_the_page(tmp_path, slack) as (_, http):
        http.extra_headers = {"Host": "bot.example.org", "Origin": "https://elsewhere.example"}
        question = slack.team.say(GENERAL, ALICE, f"{slack.team.mention} hello")
        await slack.team.answered(GENERAL, "hello", thread_ts=question.ts)
        large = slack.team.say(slack.team.dm(ALICE), ALICE, "word " * 6_000)
        await slack.settled()
        assert large.deliveries[0].acknowledged, "the page's own bound of a body does not hold here"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", PATH, 401),
        ("GET", PATH, 405),
        ("GET", "/", 403),
        ("GET", f"{PATH}/", 403),
        ("GET", "/healthz", 403),
        ("POST", "/login", 403),
        ("GET", "/ws", 403),
        ("GET", "//slack/events", 403),
    ],
)
async def test_all_else_stays_guarded_against_foreign_names(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    async with stage() as slack, in_the_page(tmp_path, slack) as (url, _), aiohttp.ClientSession() as client:
        address = f"{url.rstrip('/')}{path}"
        async with client.request(method, address, headers={"Host": "evil.example"}) as response:
            assert response.status == status


async def test_slacks_door_is_closed_to_what_is_too_large_in_the_page_too(tmp_path: Path) -> None:
    async with stage() as slack, in_the_page(tmp_path, slack) as (_, http):
        refused: Received = await http.request(b"x" * (MAX_BODY + 1))
        assert refused.status == 413

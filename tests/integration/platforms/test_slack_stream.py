"""A stream that grows, as far as Slack lets it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import PlatformError
from bot.platforms.platform import TurnRef
from bot.platforms.slack.api import PER_MINUTE, SHARE, Api
from bot.platforms.slack.places import event_key, key_of
from bot.platforms.slack.stream import APPEND, LIFETIME, START, Stream
from tests.fakes.slack import ALICE, FakeSlack, Message
from tests.slack_scene import stage


class Time:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A question in a direct message, and what answers it."""

    def __init__(self, slack: FakeSlack, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.time = Time()
        team = slack.team
        self.api = Api(AsyncWebClient(team.bot_token, slack.api_url, session=session, retry_handlers=[]), self.time)
        self._question = team.say(team.dm(ALICE), ALICE, "talk")

    def stream(self) -> Stream:
        where, ts = self._question.channel, self._question.ts
        key = key_of(self.slack.team.id, where, ts)
        turn = TurnRef(1, "abcd", key, event_key(self.slack.team.id, where, ts), ALICE)
        return Stream(self.api, turn, self.time)

    def messages(self) -> list[Message]:
        return self.slack.team.by_bot(self._question.channel, self._question.ts)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with stage() as slack, aiohttp.ClientSession() as session:
        yield Place(slack, session)


async def test_only_what_is_new_is_appended(place: Place) -> None:
    stream = place.stream()
    assert await stream.begin() is not None
    assert await stream.show("One", "")
    assert await stream.show("One, two", "")
    assert await stream.show("One, two", "")
    assert await stream.end("One, two, three.", blocks=[])
    assert [m.shown for m in place.messages()] == ["One, two, three."]
    assert [call.args["chunks"][0]["text"] for call in place.slack.called(APPEND)] == ["One", ", two"]


async def test_what_is_being_done_is_ticked_off(place: Place) -> None:
    stream = place.stream()
    await stream.begin()
    await stream.show("", "using weather…")
    await stream.show("", "using clock…")
    await stream.show("It rains.", "")
    await stream.end("It rains.", blocks=[])
    [message] = place.messages()
    assert message.stream is not None
    assert [(t["title"], t["status"]) for t in message.stream.tasks.values()] == [
        ("using weather…", "complete"),
        ("using clock…", "complete"),
    ]


async def test_it_is_given_up_before_slack_lets_it_die(place: Place) -> None:
    stream = place.stream()
    await stream.begin()
    place.time.now += LIFETIME - 1
    assert await stream.show("One", "")
    place.time.now += 2
    assert not await stream.show("One, two", "")
    assert stream.ts is None
    assert not place.messages()[0].streaming(place.slack.clock.now())


async def test_another_text_than_was_begun_is_not_appended(place: Place) -> None:
    stream = place.stream()
    await stream.begin()
    await stream.show("One", "")
    assert not await stream.end("Two", blocks=[])
    assert [m.shown for m in place.messages()] == ["One"]


async def test_after_a_call_that_broke_off_nothing_is_appended_any_more(place: Place) -> None:
    stream = place.stream()
    await stream.begin()
    place.slack.fail_next(APPEND, drop=True, after_effect=True)
    with pytest.raises(PlatformError):
        await stream.show("One", "")
    assert not await stream.show("One, two", "")
    assert [m.shown for m in place.messages()] == ["One"]


async def test_without_room_for_more_streams_there_is_none(place: Place) -> None:
    for _ in range(int(SHARE * PER_MINUTE[START])):
        assert await place.stream().begin() is not None
    assert await place.stream().begin() is None


async def test_without_room_what_is_new_waits(place: Place) -> None:
    stream = place.stream()
    await stream.begin()
    text = ""
    while await stream.show(text := f"{text}x", ""):
        pass
    assert len(text) - 1 == int(SHARE * PER_MINUTE[APPEND])
    assert stream.ts is not None
    place.time.now += 61
    assert await stream.show(text, "")
    assert place.messages()[0].shown == text

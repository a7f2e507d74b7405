"""Who somebody is in Slack, and what the agent surface is asked, with a clock of the test's own."""

from bot.platforms.slack.api import Api
from bot.platforms.slack.people import KEPT_SECONDS, People
from bot.platforms.slack.places import key_of
from bot.platforms.slack.surface import MISSING_SECONDS, SESSION, STATUS, Surface
from tests.bolt import web_client
from tests.fakes.slack import ALICE, CAROL, GENERAL, FakeSlack


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time


async def test_slack_is_asked_once_in_a_while_for_each_person() -> None:
    clock = Clock()
    async with FakeSlack.running() as slack, web_client(slack) as client:
        people = People(Api(client), clock.now)
        for _ in range(3):
            assert await people.name(ALICE) == "alice"
        assert len(slack.called("users.info")) == 1
        clock.time = KEPT_SECONDS
        slack.team.users[ALICE].name = "alicia"
        assert await people.name(ALICE) == "alicia"


async def test_for_what_only_admins_may_slack_is_asked_anew() -> None:
    async with FakeSlack.running() as slack, web_client(slack) as client:
        people = People(Api(client))
        assert (await people.vouched(CAROL, direct=False)).admin
        slack.team.users[CAROL].is_admin = False
        assert (await people.author(CAROL, direct=False)).admin
        assert not (await people.vouched(CAROL, direct=False)).admin
        assert not (await people.author(CAROL, direct=False)).admin


async def test_an_owner_is_an_admin_and_nobody_is_one_by_role_in_private() -> None:
    async with FakeSlack.running() as slack, web_client(slack) as client:
        slack.team.users[ALICE].is_owner = True
        people = People(Api(client))
        assert (await people.author(ALICE, direct=False)).admin
        for user in (ALICE, CAROL):
            assert not (await people.vouched(user, direct=True)).admin


async def test_a_method_that_the_workspace_does_not_have_is_tried_again_after_a_while() -> None:
    clock = Clock()
    async with FakeSlack.running() as slack, web_client(slack) as client:
        surface = Surface(Api(client), clock.now)
        key = key_of(slack.team.id, GENERAL, slack.team.say(GENERAL, ALICE, "hello").ts)
        slack.refuse(SESSION, "unknown_method")
        await surface.working(key, "hello")
        await surface.done(key)
        assert [call.method for call in slack.calls] == [SESSION, STATUS, STATUS]
        slack.allow(SESSION)
        clock.time = MISSING_SECONDS
        await surface.working(key, "hello")
        assert slack.team.sessions[GENERAL, key.thread].status == "processing"


async def test_that_a_place_is_gone_does_not_mean_that_the_method_is() -> None:
    async with FakeSlack.running() as slack, web_client(slack) as client:
        surface = Surface(Api(client))
        thread = slack.team.say(GENERAL, ALICE, "hello").ts
        await surface.working(key_of(slack.team.id, "C0GONE", thread), "hello")
        await surface.working(key_of(slack.team.id, GENERAL, thread), "hello")
        assert [call.error for call in slack.calls] == ["channel_not_found", None]


async def test_what_is_begun_is_always_ended_and_nothing_is_begun_that_slack_would_refuse() -> None:
    async with FakeSlack.running() as slack, web_client(slack) as client:
        slack.limit_realistically()
        surface = Surface(Api(client))
        keys = [key_of(slack.team.id, GENERAL, slack.team.say(GENERAL, ALICE, "hello").ts) for _ in range(60)]
        for _ in range(2):
            for key in keys:
                await surface.working(key, "hello")
                await surface.done(key)
        assert {session.status for session in slack.team.sessions.values()} == {"active"}
        assert slack.limits.refused == {}


async def test_what_a_crashed_process_shows_is_taken_away_also_when_slack_is_busy_or_stumbles() -> None:
    async with FakeSlack.running() as slack, web_client(slack) as client:
        keys = [key_of(slack.team.id, GENERAL, slack.team.say(GENERAL, ALICE, "hello").ts) for _ in range(40)]
        await Surface(Api(client)).working(keys[0], "hello")
        api = Api(client)
        surface = Surface(api)
        for key in keys[1:]:
            await surface.working(key, "hello")
        assert not api.has_room(SESSION)
        slack.fail_next(SESSION, status=503)
        await surface.done(keys[0], resumed=True)
        assert slack.team.sessions[GENERAL, keys[0].thread].status == "active"

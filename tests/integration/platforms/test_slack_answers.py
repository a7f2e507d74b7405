"""How an answer looks in the fake Slack: streamed to one person, edited in front of several, with what is around it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.models.model import Request, ToolCall
from bot.platforms.platform import ConversationKey, Final, TurnRef
from bot.platforms.slack.api import Api
from bot.platforms.slack.places import Team, event_key, key_of
from bot.platforms.slack.reply import SlackReply
from bot.platforms.slack.surface import Surface
from gadgets.gadget import Gadget, gadget
from tests.bolt import web_client
from tests.core import LIMITS
from tests.fakes.scripted_model import Item, ScriptedModel, echo
from tests.fakes.slack import ALICE, BOB, FakeSlack, Message
from tests.slack_scene import RATE, STOP, bot_on, scene, shows_button, stage

MANY = replace(LIMITS, answer_characters=100_000)
LONG = "\n\n".join(f"{number}: {'word ' * 1_000}".strip() for number in range(6))
HOSTILE = (
    "<!channel> <!here|here> <!everyone> &lt;!channel&gt; @channel @here @everyone <@U0BOB> <@U0BOB|bob> "
    "<!subteam^S012|@ops> `<!channel>` [x](<@U0BOB>) https://example.com "
)


def waiting_gadget(go_on: asyncio.Event) -> list[Gadget]:
    @gadget()
    async def shout(text: str) -> str:
        """Say something loudly.

        Args:
            text: what to say
        """
        await go_on.wait()
        return text.upper()

    return [shout]


def texts(message: Message) -> list[str]:
    assert message.stream is not None
    return [chunk["text"] for chunk in message.stream.chunks if chunk["type"] == "markdown_text"]


async def test_a_direct_answer_is_streamed(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["Eagle one ", go_on, "has landed."]), mode=mode) as at:
        question = at.tell("one")
        growing = await at.shows(question, "Eagle one")
        assert growing.streaming(at.slack.clock.now())
        go_on.set()
        answer = await at.answer(question)
        assert (answer, answer.shown, texts(answer)) == (
            growing,
            "Eagle one has landed.",
            ["Eagle one ", "has landed."],
        )
        assert at.said(question) == [answer]
        assert at.slack.called("chat.update", ok=False) == []


async def test_a_gadgets_step_is_a_task_of_the_stream(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    model = ScriptedModel(["I shall shout.", ToolCall("1", "shout", {"text": "hey"})], ["HEY it is."])
    async with scene(tmp_path, model, mode=mode, gadgets=waiting_gadget(go_on)) as at:
        question = at.tell("shout hey")
        growing = await at.shows(question, "I shall shout.")
        stream = growing.stream
        assert stream is not None
        await at.slack.until(lambda: [task["title"] for task in stream.tasks.values()] == ["using shout…"])
        assert [task["status"] for task in stream.tasks.values()] == ["in_progress"]
        go_on.set()
        assert (await at.answer(question)).shown == "I shall shout.\n\nHEY it is."
        assert [task["status"] for task in stream.tasks.values()] == ["complete"]


async def test_a_thousand_changes_are_few_calls(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, ScriptedModel(answer=lambda _: ["word "] * 300), mode=mode, pace=0.5) as at:
        for question in (at.tell("one"), at.ask("two")):
            assert (await at.answer(question)).shown == ("word " * 300).strip()
        assert len(at.slack.called("chat.appendStream")) + len(at.slack.called("chat.update")) < 10


async def test_a_stream_that_died_is_edited_to_the_end(tmp_path: Path, mode: str) -> None:
    go_on, more = asyncio.Event(), asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["one ", go_on, "two ", more, "three"]), mode=mode) as at:
        question = at.tell("one")
        growing = await at.shows(question, "one")
        at.slack.clock.advance(301)
        go_on.set()
        await at.shows(question, "one two")
        assert shows_button(growing, STOP)
        more.set()
        assert (await at.answer(question)).shown == "one two three"
        assert at.said(question) == [growing]


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time


def turn_of(slack: FakeSlack, question: Message) -> TurnRef:
    key: ConversationKey = key_of(slack.team.id, question.channel, question.root)
    event = event_key(slack.team.id, question.channel, question.ts)
    return TurnRef(1, "abcdefghjk", key, event, question.user, "one")


async def test_a_stream_is_ended_before_slack_lets_it_die() -> None:
    clock = Clock()
    async with stage() as slack, web_client(slack) as client:
        question = slack.team.say(slack.team.dm(ALICE), ALICE, "one")
        api, team = Api(client), Team(slack.team.id, slack.team.bot_user, slack.team.bot_id, "https://home.slack.com/")
        reply = SlackReply(api, Surface(api), team, turn_of(slack, question), 3, clock.now)
        ts = await reply.post(0, "", key="1.0")
        (message,) = slack.team.by_bot(question.channel)
        assert await reply.grow(ts, "one ", "")
        clock.time = 239.0
        assert await reply.grow(ts, "one two ", "")
        assert message.streaming(slack.clock.now())
        clock.time = 241.0
        assert not await reply.grow(ts, "one two three ", "")
        assert not message.streaming(slack.clock.now())
        assert await reply.grow(ts, "one two three ", "")
        await reply.edit(0, ts, "one two three four")
        await reply.finish([ts], Final("one two three four", "answered"))
        assert (message.shown, slack.team.by_bot(question.channel)) == ("one two three four", [message])
        assert {call.error for call in slack.calls} == {None}


@pytest.mark.parametrize("error", ["unknown_method", "feature_not_enabled", "missing_scope"])
async def test_where_there_are_no_streams_a_message_is_edited(tmp_path: Path, mode: str, error: str) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["Eagle one ", go_on, "has landed."]), mode=mode) as at:
        at.slack.refuse("chat.startStream", error)
        question = at.tell("one")
        growing = await at.shows(question, "Eagle one")
        assert (growing.stream, shows_button(growing, STOP)) == (None, True)
        go_on.set()
        assert (await at.answer(question)).shown == "Eagle one has landed."
        assert at.said(question) == [growing]


async def test_in_a_channel_one_message_grows_with_a_stop_button_and_the_step(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    model = ScriptedModel(["I shall shout.", ToolCall("1", "shout", {"text": "hey"})], ["HEY it is."])
    async with scene(tmp_path, model, mode=mode, gadgets=waiting_gadget(go_on)) as at:
        question = at.ask("shout hey")
        growing = await at.shows(question, "using shout…")
        assert (growing.shown, growing.stream) == ("I shall shout.\nusing shout…", None)
        assert shows_button(growing, STOP)
        assert not shows_button(growing, RATE)
        go_on.set()
        assert (await at.answer(question)).shown == "I shall shout.\n\nHEY it is."
        assert at.said(question) == [growing]
        assert not shows_button(growing, STOP)


async def test_before_the_model_says_anything_something_is_shown(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel([go_on, "Well."]), mode=mode) as at:
        question = at.ask("one")
        growing = await at.shows(question, "thinking…")
        assert shows_button(growing, STOP)
        go_on.set()
        assert (await at.answer(question)).shown == "Well."


async def test_many_conversations_stay_within_slacks_limits_and_all_get_their_answer(tmp_path: Path, mode: str) -> None:
    """What cannot be shown in between is left out."""
    steps = [asyncio.Event() for _ in range(4)]

    def answer(request: Request) -> Sequence[Item]:
        pieces = [item for number, step in enumerate(steps) for item in (f"part {number}, ", step)]
        return [*pieces, f"the end of {request.messages[-1].text}"]

    async with stage() as slack:
        slack.limit_realistically()
        places = [slack.team.add_channel(f"C0ROOM{number}", f"room-{number}").id for number in range(14)]
        async with bot_on(slack, tmp_path, ScriptedModel(answer=answer), mode=mode) as at:
            questions = [at.ask(place, channel=place) for place in places]
            for number, step in enumerate(steps):
                if number < 2:  # behind that there is no room for all of them
                    await asyncio.gather(*(at.shows(question, f"part {number}") for question in questions))
                step.set()
            for question in questions:
                shown = (await at.answer(question)).shown
                assert shown.endswith(f"part 3, the end of alice: {question.channel}")
                assert len(at.said(question)) == 1
            assert (slack.limits.refused, slack.limits.early) == ({}, [])
            assert 3 * len(places) <= len(slack.called("chat.update")) <= 50


@pytest.mark.parametrize("direct", [False, True], ids=["channel", "direct"])
async def test_a_long_answer_is_cut_at_paragraphs_and_rated_below_its_last_part(
    tmp_path: Path, mode: str, *, direct: bool
) -> None:
    async with scene(tmp_path, ScriptedModel([LONG]), mode=mode, limits=MANY) as at:
        question = at.tell("one") if direct else at.ask("one")
        await at.answer(question)
        await at.slack.until(lambda: [shows_button(m, RATE) for m in at.said(question)] == [False, False, True])
        parts = [message.shown for message in at.said(question)]
        assert all(len(part) <= 12_000 for part in parts)
        assert "\n\n".join(parts) == LONG
        assert not any(shows_button(message, STOP) for message in at.said(question))


@pytest.mark.parametrize("direct", [False, True], ids=["channel", "direct"])
async def test_a_very_long_answer_is_its_beginning_and_a_file(tmp_path: Path, mode: str, *, direct: bool) -> None:
    async with scene(tmp_path, ScriptedModel([LONG]), mode=mode, limits=MANY, max_parts=2) as at:
        question = at.tell("one") if direct else at.ask("one")
        await at.slack.until(lambda: at.team.bot_files(question.channel))
        answer, shared = at.said(question)
        assert answer.shown.startswith("0: word")
        assert answer.shown.endswith("\n\n_The whole answer is in the file below._")
        assert len(answer.shown) <= 12_000
        assert shows_button(answer, RATE)
        (file,) = shared.files
        assert (file.name, file.content.decode()) == ("answer-1.md", LONG)


@pytest.mark.parametrize("chunks", [1, 7], ids=["at once", "in pieces"])
async def test_nobody_is_pinged_by_the_models_words(tmp_path: Path, mode: str, chunks: int) -> None:
    """The stage looks at everything that was written, on every way that there is."""
    steps = [asyncio.Event() for _ in range(len(HOSTILE) // chunks + 1)] if chunks > 1 else []

    def answer(_: Request) -> Sequence[Item]:
        if not steps:
            return [HOSTILE]
        return [item for number, step in enumerate(steps) for item in (HOSTILE[number * 7 : number * 7 + 7], step)]

    async with scene(tmp_path, ScriptedModel(answer=answer), mode=mode, pace=0.0, limits=MANY) as at:
        questions = [at.tell("one"), at.ask(f"&lt;!channel&gt; <@{BOB}> <!here>")]
        for step in steps:
            step.set()
            await asyncio.sleep(0)
        for question in questions:
            shown = (await at.answer(question)).shown
            assert "channel" in shown
            assert "https://example.com" in shown
        at.follow(questions[1], "!show")
        assert "example.com" in (await at.whispered(ALICE)).shown
        assert "example.com" in (await at.mission("show")).shown[0]
        assert "here" in (await at.mission("list")).shown[0]


async def test_an_answer_of_nothing_but_mentions_fits(tmp_path: Path, mode: str) -> None:
    """What makes them harmless makes the text longer."""
    text = "@here " * 1_990
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel([text, go_on, "end"]), mode=mode, limits=MANY) as at:
        question = at.tell("one")
        await at.shows(question, "here")
        go_on.set()
        await at.slack.until(lambda: "".join(m.shown for m in at.said(question)).count("here") == 1_990)


async def test_a_failed_answer_is_a_sentence(tmp_path: Path, mode: str) -> None:
    script: list[Item] = ["Half of ", RuntimeError("secret detail")]
    async with scene(tmp_path, ScriptedModel(answer=lambda _: script), mode=mode) as at:
        for question in (at.tell("one"), at.ask("two")):
            shown = (await at.answer(question)).shown
            assert "Something went wrong on my side." in shown
            assert "secret detail" not in shown


async def test_a_question_behind_another_one_gets_a_message_of_its_own(tmp_path: Path, mode: str) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["One ", go_on, "done"], answer=echo), mode=mode) as at:
        question = at.tell("one")
        await at.shows(question, "One")
        at.follow(question, "two")
        await at.until_stored("status", "running", "queued")
        go_on.set()
        await at.answer(question, 2)
        assert [message.shown for message in at.said(question)] == ["One done", "You said: two"]

"""The /mission commands, buttons and the message shortcut in the fake Slack."""

import asyncio
from pathlib import Path

import pytest

from bot.platforms.slack_text import JOINER
from tests.fakes.scripted_model import ScriptedModel
from tests.fakes.slack import ALICE, BOB, GENERAL, SECRET
from tests.slack_scene import RATE, STOP, bot_on, scene, shows_button, stage

SHOW, END, OLDER, FORGET = "mission_show", "mission_end", "mission_older", "mission_forget"


async def test_help_says_what_there_is(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for asked in ("help", ""):
            (shown,) = (await at.mission(asked)).shown
            assert "`/mission end [id]`" in shown
            assert "**plain**: Uses nothing" in shown


async def test_an_answer_to_a_command_is_for_the_asker_only(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        asked = await at.mission("help")
        assert [message.ephemeral_to for message in asked.messages] == [ALICE]
        assert at.team.by_bot(GENERAL) == []


async def test_an_unknown_command_names_the_known_ones(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for word, safe in (("dance", "dance"), ("<!here>", f"@{JOINER}here")):
            (shown,) = (await at.mission(word)).shown
            assert shown.startswith(f"I do not know /mission {safe}. Try `/mission new`")


async def test_new_opens_a_thread_in_which_no_mention_is_needed(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        (shown,) = (await at.mission("new plain")).shown
        (opening,) = at.team.by_bot(GENERAL)
        mission = await at.latest()
        assert opening.shown == "A new mission with plain. Go on in this message's thread."
        assert shown == f"New mission `{mission.id}` [open]({at.permalink(opening)}) with plain. Go ahead."
        await at.answer(at.follow(opening, "hello"))
        assert at.model.requests[-1].messages[0].text.startswith("You are plain.")


async def test_new_with_an_unknown_agent_lists_the_known_ones_and_opens_nothing(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        (shown,) = (await at.mission("new <@U0BOB>")).shown
        assert shown.endswith("The agents are: quartermaster, plain.")
        assert (at.team.by_bot(GENERAL), await at.missions()) == ([], [])


async def test_where_the_bot_is_not_new_says_so(tmp_path: Path, mode: str) -> None:
    async with stage() as slack:
        slack.team.add_channel("C0OTHER", "other", bot=False)
        async with bot_on(slack, tmp_path, mode=mode) as at:
            asked = await at.mission("new", channel="C0OTHER")
            assert asked.shown == ["I am not in this channel. Invite me first."]
            assert await at.missions() == []


async def test_list_shows_ones_own_missions_with_links(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        first, second = at.ask("one *star* <https://a.b>"), at.ask("two", channel=SECRET)
        for question in (first, second, at.ask("not hers", by=BOB)):
            await at.answer(question)
        (shown,) = (await at.mission("list")).shown
        found = {mission.thread: mission for mission in await at.missions()}
        assert shown.startswith("Your latest missions:\n")
        for question in (first, second):
            assert f"`{found[question.ts].id}` active, quartermaster" in shown
            assert f"<{at.permalink(question)}|open>" in shown
        assert "not hers" not in shown


async def test_a_mission_of_the_list_is_shown_by_its_button(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        (listed,) = (await at.mission("list")).messages
        (shown,) = (await at.click(ALICE, listed, SHOW)).shown
        assert "**alice:** one\nYou said: alice: one" in shown


async def test_a_long_list_has_an_older_page(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for number in range(12):
            await at.answer(at.ask(f"question {number:02}"))
        (listed,) = (await at.mission("list")).messages
        assert "question 11" in listed.shown
        assert "question 01" not in listed.shown
        (older,) = (await at.click(ALICE, listed, OLDER)).messages
        assert "question 01" in older.shown
        assert "question 11" not in older.shown
        assert not shows_button(older, OLDER)


async def test_a_long_mission_is_paged_to_its_beginning(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("question 00")
        await at.answer(question)
        for number in range(1, 12):
            await at.answer(at.follow(question, f"question {number:02}"), number + 1)
        (shown,) = (await at.mission("show")).messages
        assert "question 11" in shown.shown
        assert "question 01" not in shown.shown
        (older,) = (await at.click(ALICE, shown, OLDER)).messages
        assert "question 01" in older.shown
        assert "question 11" not in older.shown


async def test_a_long_answer_is_shown_whole(tmp_path: Path, mode: str) -> None:
    model = ScriptedModel(
        ["word " * 900 + "end of first"], ["word " * 900 + "middle"], ["more " * 900 + "the very end"]
    )
    async with scene(tmp_path, model, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        for count in (2, 3):
            await at.answer(at.follow(question, "go on"), count)
        asked = await at.mission("show")
        await at.slack.until(lambda: any("the very end" in shown for shown in asked.shown))
        assert shows_button(asked.messages[-1], END)


@pytest.mark.parametrize("command", ["end", "show", "stop"])
async def test_without_an_id_the_latest_active_mission_of_the_asker_in_the_channel_is_meant(
    tmp_path: Path, mode: str, command: str
) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for text, by, channel in (
            ("older", ALICE, GENERAL),
            ("latest", ALICE, GENERAL),
            ("Bob's", BOB, GENERAL),
            ("elsewhere", ALICE, SECRET),
        ):
            await at.answered(text, by=by, channel=channel)
        (shown,) = (await at.mission(command)).shown
        found = {mission.title: mission for mission in await at.missions()}
        assert f"`{found['latest'].id}`" in shown
        assert "latest" in shown
        ended = [mission.title for mission in await at.missions() if mission.status == "completed"]
        assert ended == (["latest"] if command == "end" else [])


async def test_without_any_mission_there_is_none_to_end(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        assert (await at.mission("end")).shown == ["There is no active mission here."]


async def test_a_mission_is_ended_by_the_beginning_of_its_id(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        mission = await at.latest()
        (shown,) = (await at.mission(f"end {mission.id[:5]}")).shown
        assert shown.endswith("ended.")
        assert (await at.latest()).status == "completed"


async def test_what_comes_in_the_thread_of_an_ended_mission_needs_a_mention_again(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        await at.mission("end")
        at.follow(question, "among ourselves")
        await at.answer(at.ask("come back", thread_ts=question.ts), 2)
        assert await at.stored() == ["one", "come back"]


async def test_stop_ends_the_running_answer_and_keeps_its_text(tmp_path: Path, mode: str) -> None:
    never = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["Well, ", never]), mode=mode) as at:
        question = at.ask("one")
        await at.shows(question, "Well")
        (shown,) = (await at.mission("stop")).shown
        assert shown.startswith("Stopping in mission `")
        assert (await at.answer(question)).shown == "Well,\n\n*(stopped)*"


async def test_a_command_in_direct_messages_means_the_latest_mission_there(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.tell("one")
        await at.answer(question)
        (shown,) = (await at.mission("show", channel=question.channel)).shown
        assert "You said: one" in shown
        assert at.permalink(question) in shown


async def test_the_shortcut_shows_the_mission_of_a_message(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        answer = await at.answer(question)
        for message in (question, answer):
            asked = at.team.shortcut(BOB, message, "mission")
            assert await asked.acknowledged() < 3.0
            (shown,) = await asked.answered()
            assert "You said: alice: one" in shown
            assert (asked.messages[0].ephemeral_to, asked.messages[0].thread_ts) == (BOB, question.ts)


async def test_the_shortcut_on_a_message_of_no_mission_says_so(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        asked = at.team.shortcut(ALICE, at.team.say(GENERAL, ALICE, "nothing"), "mission")
        assert await asked.answered() == ["No mission is going on in this thread. `/mission list` shows yours."]


async def test_the_end_button_asks_before_it_ends(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        (shown,) = (await at.mission("show")).messages
        assert shown.action(END)[1]["confirm"]["confirm"]["text"] == "End it"
        assert (await at.click(ALICE, shown, END)).shown[0].endswith("ended.")
        assert (await at.click(ALICE, shown, END)).shown[0].endswith("had ended already.")
        assert (await at.latest()).status == "completed"


async def test_the_stop_button_stops(tmp_path: Path, mode: str) -> None:
    never = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["Well, ", never]), mode=mode) as at:
        question = at.ask("one")
        growing = await at.shows(question, "Well")
        pressed = at.team.click(BOB, growing, STOP)
        assert await pressed.acknowledged() < 3.0
        assert (await at.answer(question)).shown == "Well,\n\n*(stopped)*"
        assert not shows_button(growing, STOP)


@pytest.mark.parametrize(("thumb", "rating"), [("1", 1), ("-1", -1)])
async def test_a_thumb_is_the_answers_rating(tmp_path: Path, mode: str, thumb: str, rating: int) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for question in (at.ask("one"), at.tell("two")):
            answer = await at.answer(question)
            turn = answer.action(RATE)[1]["positive_button"]["value"].partition(":")[0]
            rated = await at.click(ALICE, answer, RATE, f"{turn}:{thumb}")
            assert rated.shown == ["Thank you, noted."]
        assert await at.stored("rating") == [rating, rating]


async def test_a_signed_command_that_is_sent_again_does_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, mode="http") as at:
        await at.mission("new")
        assert at.slack.http is not None
        (command,) = [sent for sent in at.slack.http.sent if b"command=" in sent.body]
        again = await at.slack.http.replay(command)
        assert again.status == 200
        await at.bot.stop()  # what is being carried out may end before
        assert len(await at.missions()) == 1
        assert len(at.team.by_bot(GENERAL)) == 1


async def test_being_forgotten_is_asked_about_before_it_is_done(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        told = await at.mission("forget")
        (asked,) = told.messages
        assert told.shown[0].startswith("Of yours I have 1 mission and 1 message with its answer.")
        confirm = asked.action(FORGET)[1]["confirm"]
        assert (confirm["confirm"]["text"], confirm["deny"]["text"]) == ("Erase it", "Keep it")
        assert len(await at.missions()) == 1
        done = await at.click(ALICE, asked, FORGET)
        assert done.shown[0].startswith("Forgotten. Receipt `")
        assert await at.missions() == []


async def test_in_a_thread_forget_it_is_said_to_the_agent(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = await at.answered("one")
        at.follow(question, "forget it")
        await at.answer(question, 2)
        assert await at.stored() == ["one", "forget it"]

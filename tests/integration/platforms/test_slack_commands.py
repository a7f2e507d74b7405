"""Commands in the fake Slack: /mission, words in a thread, buttons and the shortcut; who may do what, and where."""

import asyncio
import json
from pathlib import Path

import pytest

from bot.platforms.slack_text import JOINER
from storage.conversations import Conversation, Place
from tests.fakes.scripted_model import ScriptedModel
from tests.fakes.slack import ALICE, BOB, CAROL, GENERAL, SECRET, Message
from tests.slack_scene import RATE, STOP, Scene, bot_on, scene, shows_button, stage

SHOW, END, OLDER = "mission_show", "mission_end", "mission_older"
NO_SUCH = "I know no such mission. `/mission list` shows yours."


async def missions(at: Scene) -> list[Conversation]:
    """All there are, the latest first."""
    return await at.bot.core.commands.listing(Place("slack"), limit=50)


async def latest(at: Scene) -> Conversation:
    return (await missions(at))[0]


def permalink(at: Scene, question: Message) -> str:
    return f"https://{at.team.domain}.slack.com/archives/{question.channel}/p{question.root.replace('.', '')}"


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
        mission = await latest(at)
        assert opening.shown == "A new mission with plain. Go on in this message's thread."
        assert shown == f"New mission `{mission.id}` [open]({permalink(at, opening)}) with plain. Go ahead."
        await at.answer(at.follow(opening, "hello"))
        assert at.model.requests[-1].messages[0].text.startswith("You are plain.")


async def test_new_with_an_unknown_agent_lists_the_known_ones_and_opens_nothing(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        (shown,) = (await at.mission("new <@U0BOB>")).shown
        assert shown.endswith("The agents are: quartermaster, plain.")
        assert (at.team.by_bot(GENERAL), await missions(at)) == ([], [])


async def test_where_the_bot_is_not_new_says_so(tmp_path: Path, mode: str) -> None:
    async with stage() as slack:
        slack.team.add_channel("C0OTHER", "other", bot=False)
        async with bot_on(slack, tmp_path, mode=mode) as at:
            asked = await at.mission("new", channel="C0OTHER")
            assert asked.shown == ["I am not in this channel. Invite me first."]
            assert await missions(at) == []


async def test_list_shows_ones_own_missions_with_links(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        first, second = at.ask("one *star* <https://a.b>"), at.ask("two", channel=SECRET)
        for question in (first, second, at.ask("not hers", by=BOB)):
            await at.answer(question)
        (shown,) = (await at.mission("list")).shown
        found = {mission.thread: mission for mission in await missions(at)}
        assert shown.startswith("Your latest missions:\n")
        for question in (first, second):
            assert f"`{found[question.ts].id}` active, quartermaster" in shown
            assert f"<{permalink(at, question)}|open>" in shown
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
        found = {mission.title: mission for mission in await missions(at)}
        assert f"`{found['latest'].id}`" in shown
        assert "latest" in shown
        ended = [mission.title for mission in await missions(at) if mission.status == "completed"]
        assert ended == (["latest"] if command == "end" else [])


async def test_without_any_mission_there_is_none_to_end(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        assert (await at.mission("end")).shown == ["There is no active mission here."]


async def test_a_mission_is_ended_by_the_beginning_of_its_id(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        mission = await latest(at)
        (shown,) = (await at.mission(f"end {mission.id[:5]}")).shown
        assert shown.endswith("ended.")
        assert (await latest(at)).status == "completed"


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
        assert permalink(at, question) in shown


@pytest.mark.parametrize("said", ["{me} end", "!end", "{me} !END", "{me}, end.", "!end {id}"])
async def test_a_mission_is_ended_by_a_word_in_its_thread(tmp_path: Path, mode: str, said: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        mission = await latest(at)
        at.follow(question, said.format(me=at.team.mention, id=mission.id))
        told = await at.whispered(ALICE)
        assert (told.shown, told.thread_ts) == (
            f"Mission `{mission.id}` [open]({permalink(at, question)}) ended.",
            question.ts,
        )
        await at.slack.settled()
        assert (await at.stored(), (await latest(at)).status) == (["one"], "completed")


@pytest.mark.parametrize("word", ["end", "stop", "show"])
async def test_a_word_in_a_thread_never_means_another_threads_mission(tmp_path: Path, mode: str, word: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        other, question = at.ask("other"), at.ask("one")
        await at.answer(other)
        await at.answer(question)
        for number in (1, 2):
            at.follow(question, f"{at.team.mention} end")
            await at.whispered(ALICE, number)
        at.follow(question, f"{at.team.mention} {word}")
        told = await at.whispered(ALICE, 3)
        assert told.shown == "No mission is going on in this thread. `/mission list` shows yours."
        status = {mission.title: mission.status for mission in await missions(at)}
        assert status == {"other": "active", "one": "completed"}


@pytest.mark.parametrize("order", ["mention_first", "message_first"])
async def test_a_word_is_carried_out_once_however_often_it_comes(tmp_path: Path, mode: str, order: str) -> None:
    async with stage() as slack:
        slack.hub.mention_order = order  # type: ignore[assignment]  # one of its values
        slack.dispatcher.duplicate_share = 1.0
        async with bot_on(slack, tmp_path, mode=mode) as at:
            question = at.ask("one")
            await at.answer(question)
            at.follow(question, f"{at.team.mention} new plain")
            await at.whispered(ALICE)
            await at.slack.settled()
            assert len(at.team.ephemerals(ALICE)) == 1
            assert [mission.agent for mission in await missions(at)] == ["plain", "quartermaster"]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("list", "Your latest missions:"),
        ("show", "**alice:** one"),
        ("stop", "I am not writing anything right now."),
        ("help", "Just talk to me."),
        ("new plain", "with plain. Go ahead."),
    ],
)
async def test_every_command_has_a_word(tmp_path: Path, mode: str, word: str, told: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        for number, mark in enumerate((f"{at.team.mention} ", "!"), 1):
            at.follow(question, f"{mark}{word}")
            assert told in (await at.whispered(ALICE, number)).shown
        assert await at.stored() == ["one"]


async def test_a_word_that_names_no_agent_says_which_there_are(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        at.follow(question, "!new nobody")
        assert (await at.whispered(ALICE)).shown.endswith("The agents are: quartermaster, plain.")


@pytest.mark.parametrize(
    "said",
    ["end of the world?", "show this", "list all my friends", "new idea", "stop it please", "helping", "End here"],
)
async def test_a_sentence_that_only_begins_like_a_command_is_a_question(tmp_path: Path, mode: str, said: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        await at.answer(at.ask(said, thread_ts=question.ts), 2)
        assert await at.stored() == ["one", said]


async def test_without_a_mark_a_word_in_a_thread_is_a_question(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        await at.answer(at.follow(question, "help"), 2)
        private = at.tell("help")
        await at.answer(private)
        assert await at.stored() == ["one", "help", "help"]


async def test_in_a_channel_a_word_behind_the_bots_name_is_a_question(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("help")
        assert await at.stored() == ["help"]


async def test_in_a_thread_of_direct_messages_words_do_the_same(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.tell("one")
        await at.answer(question)
        at.follow(question, "!end")
        assert (await at.whispered(ALICE)).shown.endswith("ended.")
        await at.answer(at.follow(question, "two"), 2)
        assert at.past() == ["two"]


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
        assert (await latest(at)).status == "completed"


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
        again = await at.slack.http.replay(at.slack.http.sent[-1])
        assert again.status == 200
        await at.bot.stop()  # what is being carried out may end before
        assert len(await missions(at)) == 1
        assert len(at.team.by_bot(GENERAL)) == 1


async def test_others_may_see_a_channels_mission_but_not_end_it(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        mission = await latest(at)
        assert "alice: one" in (await at.mission(f"show {mission.id}", by=BOB)).shown[0]
        refused = "You may not do that: it is not your mission."
        assert (await at.mission(f"end {mission.id}", by=BOB)).shown == [refused]
        at.follow(question, "!end", by=BOB)
        assert (await at.whispered(BOB, 3)).shown == refused
        assert (await latest(at)).status == "active"


async def test_a_workspaces_admin_may_end_everybodys_missions_in_channels(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        at.follow(question, "!end", by=CAROL)
        assert (await at.whispered(CAROL)).shown.endswith("ended.")


async def test_a_demoted_admin_is_none_any_more(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        await at.answer(at.follow(question, "hello", by=CAROL), 2)
        at.team.users[CAROL].is_admin = False
        at.follow(question, "!end", by=CAROL)
        assert (await at.whispered(CAROL)).shown == "You may not do that: it is not your mission."
        assert (await at.mission("export all", by=CAROL)).shown == ["Only admins may export missions."]


async def test_a_mission_of_another_channel_is_seen_by_its_owner_and_admins_only(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("psst", channel=SECRET)
        mission = await latest(at)
        assert (await at.mission(f"show {mission.id}", by=BOB)).shown == [NO_SUCH]
        for by in (ALICE, CAROL):
            assert "psst" in (await at.mission(f"show {mission.id}", by=by)).shown[0]


async def test_direct_messages_are_seen_by_nobody_else(tmp_path: Path, mode: str) -> None:
    """An admin of the workspace, who is one by role, among them."""
    async with scene(tmp_path, mode=mode) as at:
        private = at.tell("psst")
        answer = await at.answer(private)
        mission = await latest(at)
        for channel in (GENERAL, at.team.dm(CAROL)):
            for command in ("show", "end", "export"):
                asked = await at.mission(f"{command} {mission.id}", by=CAROL, channel=channel)
                assert asked.shown in ([NO_SUCH], ["Only admins may export missions."])
        turn = answer.action(RATE)[1]["positive_button"]["value"].partition(":")[0]
        forged = at.tell("one", by=CAROL)
        hers = await at.answer(forged)
        hers.blocks[-1]["elements"][0]["positive_button"]["value"] = f"{turn}:1"
        assert (await at.click(CAROL, hers, RATE, f"{turn}:1")).shown == ["I know no such answer."]
        assert await at.stored("rating") == [None, None]
        assert (await latest(at)).status == "active"


@pytest.mark.parametrize(("by", "admins"), [(CAROL, ()), (BOB, (BOB,))], ids=["of the workspace", "of the settings"])
@pytest.mark.parametrize(
    ("format_", "name"), [("", "json"), ("jsonl", "jsonl"), ("markdown", "md")], ids=["json", "jsonl", "markdown"]
)
async def test_admins_get_exports_in_private(
    tmp_path: Path, mode: str, *, by: str, admins: tuple[str, ...], format_: str, name: str
) -> None:
    async with scene(tmp_path, mode=mode, admins=admins) as at:
        await at.answered("one")
        await at.answered("two", channel=SECRET)
        await at.answer(at.tell("private"))
        asked = await at.mission(f"export all {format_}", by=by)
        assert asked.shown == [
            "All missions here: 2 missions with 2 messages.\n\nI sent it to you in our direct messages."
        ]
        (file,) = at.team.bot_files(at.team.dm(by))
        assert file.name == f"missions.{name}"
        assert file.channels == [at.team.dm(by)]
        assert b"You said: alice: two" in file.content
        assert b"private" not in file.content
        assert at.team.bot_files(GENERAL) == []


async def test_one_mission_is_exported_by_its_id(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        for text in ("one", "two"):
            await at.answered(text)
        mission = await latest(at)
        await at.mission(f"export {mission.id}", by=CAROL)
        (file,) = at.team.bot_files(at.team.dm(CAROL))
        (exported,) = json.loads(file.content)["conversations"]
        assert [message["user_message"] for message in exported["messages"]] == ["two"]


async def test_an_export_in_an_unknown_format_names_the_known_ones(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        (shown,) = (await at.mission("export all pdf", by=CAROL)).shown
        assert shown == "I do not know that format. The formats are: json, jsonl, markdown."


@pytest.mark.parametrize("what", ["all", "", "json"])
async def test_exports_are_refused_to_others(tmp_path: Path, mode: str, what: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        assert (await at.mission(f"export {what}")).shown == ["Only admins may export missions."]
        assert at.slack.called("files.getUploadURLExternal", ok=False) == []


async def test_an_export_that_cannot_be_sent_is_told(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        at.slack.refuse("files.completeUploadExternal", "missing_scope")
        (shown,) = (await at.mission("export all", by=CAROL)).shown
        assert shown.startswith("I could not send it to you.")


async def test_when_slack_does_not_say_who_somebody_is_they_are_no_admin(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one", by=CAROL)
        at.slack.refuse("users.info", "user_not_found")
        assert (await at.mission("export all", by=CAROL)).shown == ["Only admins may export missions."]


async def test_two_workspaces_with_the_same_ids_have_nothing_in_common(tmp_path: Path, mode: str) -> None:
    """One database, the same people and channels: only the workspace differs."""
    async with stage() as slack:
        other = slack.add_team("T0AWAY", "away")
        async with bot_on(slack, tmp_path, mode=mode, admins=[BOB]) as at:
            question = at.ask("the secret of home")
            await at.answer(question)
            await at.answer(at.tell("private at home"))
            found = await missions(at)
        async with bot_on(slack, tmp_path, mode=mode, admins=[BOB], team=other) as at:
            for mission in found:
                for by in (ALICE, BOB, CAROL):
                    for command in ("show", "end", "export"):
                        (shown,) = (await at.mission(f"{command} {mission.id}", by=by)).shown
                        assert shown in {NO_SUCH, "Only admins may export missions."}
            assert (await at.mission("list")).shown == ["You have no missions yet. Say something and one begins."]
            assert (await at.mission("end")).shown == ["There is no active mission here."]
            assert (await at.mission("export all", by=BOB)).shown == ["There is nothing to export yet."]
            await at.answered("away")
            assert at.past() == ["alice: away"]
            assert [mission.status for mission in await missions(at)] == ["active"] * 3

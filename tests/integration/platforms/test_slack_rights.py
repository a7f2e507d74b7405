"""Who may see, end and export which missions in the fake Slack, in channels, in private and across workspaces."""

import json
from pathlib import Path

import pytest

from tests.fakes.slack import ALICE, BOB, CAROL, GENERAL, SECRET
from tests.slack_scene import RATE, bot_on, scene, stage

NO_SUCH = "I know no such mission. `/mission list` shows yours."


async def test_others_may_see_a_channels_mission_but_not_end_it(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        question = at.ask("one")
        await at.answer(question)
        mission = await at.latest()
        assert "alice: one" in (await at.mission(f"show {mission.id}", by=BOB)).shown[0]
        refused = "You may not do that: it is not your mission."
        assert (await at.mission(f"end {mission.id}", by=BOB)).shown == [refused]
        at.follow(question, "!end", by=BOB)
        assert (await at.whispered(BOB, 3)).shown == refused
        assert (await at.latest()).status == "active"


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
        mission = await at.latest()
        assert (await at.mission(f"show {mission.id}", by=BOB)).shown == [NO_SUCH]
        for by in (ALICE, CAROL):
            assert "psst" in (await at.mission(f"show {mission.id}", by=by)).shown[0]


async def test_direct_messages_are_seen_by_nobody_else(tmp_path: Path, mode: str) -> None:
    """An admin of the workspace, who is one by role, among them."""
    async with scene(tmp_path, mode=mode) as at:
        private = at.tell("psst")
        answer = await at.answer(private)
        mission = await at.latest()
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
        assert (await at.latest()).status == "active"


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
        mission = await at.latest()
        await at.mission(f"export {mission.id}", by=CAROL)
        (file,) = at.team.bot_files(at.team.dm(CAROL))
        (exported,) = json.loads(file.content)["conversations"]
        assert [message["user_message"] for message in exported["messages"]] == ["two"]


async def test_an_export_in_an_unknown_format_names_the_known_ones(tmp_path: Path, mode: str) -> None:
    async with scene(tmp_path, mode=mode) as at:
        await at.answered("one")
        (shown,) = (await at.mission("export all pdf", by=CAROL)).shown
        assert shown == "I do not know that format. The formats are: json, jsonl, markdown, html, csv, finetune."


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
            found = await at.missions()
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
            assert [mission.status for mission in await at.missions()] == ["active"] * 3

"""The /mission commands: the same everywhere, answered to who asked, and only for those who may."""

import re
from pathlib import Path

import pytest

from tests.contract.platforms.running import Bot, bot_on, needs
from tests.contract.platforms.stage import ADMIN, BOB, Can, Place, Stage

UNKNOWN = "I know no such mission."


async def mission_in(bot: Bot, place: Place) -> str:
    """The id of the mission in a place."""
    shown = (await bot.stage.command(place, "show")).text
    found = re.search(r"`([a-z0-9]+)`", shown)
    assert found, shown
    return found[1]


async def test_help_tells_the_commands_and_the_agents(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        told = await stage.command(place, "help")
        assert "/mission end" in told.text
        assert "quartermaster" in told.text
        assert bot.texts(place) == ["Noted one."]


async def test_missions_are_listed_and_shown(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        mission = await mission_in(bot, place)
        assert mission in (await stage.command(place, "list")).text
        assert "Noted one." in (await stage.command(place, f"show {mission}")).text


async def test_an_ended_mission_is_followed_by_another_one_in_the_same_place(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        mission = await mission_in(bot, place)
        assert f"Mission `{mission}`" in (await stage.command(place, "end")).text
        assert await bot.ask(place, "two") == "Noted two."
        assert bot.past() == ["two"]


async def test_a_new_mission_knows_nothing_of_the_one_before(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        assert "New mission" in (await stage.command(place, "new plain")).text
        assert await bot.ask(place, "two") == "Noted two."
        assert bot.past() == ["two"]
        assert bot.model.requests[-1].messages[0].text.startswith("You are plain.")


async def test_stop_with_nothing_to_stop_says_so(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        assert "not writing anything" in (await stage.command(place, "stop")).text


async def test_a_mission_that_is_not_there_is_told_apart_from_nothing(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        assert UNKNOWN in (await stage.command(place, "show zzzzzzzzzz")).text


@pytest.mark.parametrize("command", ["show", "end"])
async def test_a_mission_elsewhere_is_as_unknown_as_one_that_is_not_there(
    stage: Stage, tmp_path: Path, command: str
) -> None:
    needs(stage, Can.HAVE_STRANGERS)
    async with bot_on(stage, tmp_path) as bot:
        place, other = await stage.place(), await stage.place(BOB, elsewhere=True)
        await bot.ask(place, "one")
        await bot.ask(other, "two")
        mission = await mission_in(bot, place)
        assert UNKNOWN in (await stage.command(other, f"{command} {mission}")).text
        assert mission not in (await stage.command(other, "list")).text
        await bot.ask(place, "three")
        assert bot.past() == ["one", "Noted one.", "three"]


async def test_in_a_shared_place_only_owners_and_admins_end_a_mission(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SHARE_PLACES)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        assert "not your mission" in (await stage.command(place, "end", BOB)).text
        await bot.ask(place, "two", BOB)
        assert bot.past() == ["one", "Noted one.", "two"]
        assert "ended" in (await stage.command(place, "end", ADMIN)).text


async def test_what_a_command_answers_is_shown_to_nobody_else(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        for command in ("list", "show", "help", "stop"):
            await stage.command(place, command)
        assert bot.texts(place) == ["Noted one."]


async def test_export_is_for_admins_only(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.HAVE_STRANGERS)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        for line in ("export", "export all", "export all json", f"export {await mission_in(bot, place)} markdown"):
            told = await stage.command(place, line)
            assert "Only admins may export missions." in told.text
            assert told.files == ()


async def test_an_admin_gets_an_export_as_a_file(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SEND_FILES)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place(ADMIN)
        await bot.ask(place, "one")
        told = await stage.command(place, "export all json", ADMIN)
        (file,) = told.files
        assert b"Noted one." in file
        assert bot.texts(place) == ["Noted one."]


async def test_what_there_is_of_somebody_is_told_and_erased_for_them_alone(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        await bot.ask(place, "two")
        told = (await stage.command(place, "forget")).text
        assert "1 mission and 2 messages with their answers" in told
        assert "/mission forget yes" in told
        assert await bot.stored() == ["one", "two"]
        assert "Forgotten. Receipt" in (await stage.command(place, "forget yes")).text
        assert await bot.stored() == []
        assert bot.texts(place)[:2] == ["Noted one.", "Noted two."]
        assert "I have nothing of yours." in (await stage.command(place, "forget")).text


async def test_who_was_forgotten_can_go_on_and_is_not_remembered(stage: Stage, tmp_path: Path) -> None:
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        await stage.command(place, "forget yes")
        await stage.say(await stage.place(), "two")
        await bot.until_stored("user_message", "two")
        await bot.until_stored("status", "answered")
        assert bot.past() == ["two"]


async def test_what_others_said_in_the_same_place_stays(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SHARE_PLACES)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        await bot.ask(place, "two", BOB)
        assert "1 part in a mission with others" in (await stage.command(place, "forget yes")).text
        assert await bot.stored() == ["two"]
        await bot.ask(place, "three", BOB)
        assert bot.past() == ["two", "Noted two.", "three"]


async def test_a_repetition_of_what_was_forgotten_is_not_answered(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.REPEAT)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        said = await stage.say(place, "one")
        await bot.answers(place, 1)
        await stage.command(place, "forget yes")
        await stage.repeat(said)
        assert "one" not in await bot.stored()
        assert bot.texts(place) == ["Noted one."]


async def test_nobody_has_somebody_else_forgotten_but_an_admin(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SHARE_PLACES)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        (alice,) = await bot.stored("author")
        assert "Only admins" in (await stage.command(place, f"forget yes {alice}", BOB)).text
        assert await bot.stored() == ["one"]
        assert "Forgotten." in (await stage.command(place, f"forget yes {alice}", ADMIN)).text
        assert await bot.stored() == []


async def test_they_get_what_there_is_of_them_as_a_file(stage: Stage, tmp_path: Path) -> None:
    needs(stage, Can.SEND_FILES)
    async with bot_on(stage, tmp_path) as bot:
        place = await stage.place()
        await bot.ask(place, "one")
        told = await stage.command(place, "forget export")
        (file,) = told.files
        assert b"Noted one." in file
        assert bot.texts(place) == ["Noted one."]

"""The /mission commands in the fake Discord: what each answers, to whom, and with which buttons."""

import asyncio
from pathlib import Path

from bot.platforms.platform import Author, ConversationKey
from storage.conversations import Conversation
from tests.discord_scene import Scene, bot_on, scene, stage
from tests.fakes.discord import P
from tests.fakes.scripted_model import ScriptedModel, echo

NO_SUCH = "I know no such mission. `/mission list` shows yours."


async def missions(at: Scene) -> list[Conversation]:
    """The latest first."""
    return await at.bot.core.commands.listing(at.place(), limit=20)


async def begin(at: Scene, count: int) -> None:
    """Missions of Alice."""
    for number in range(count):
        key = ConversationKey("discord", str(at.guild.id), str(at.general.id), str(number + 1))
        await at.bot.core.commands.start(key, Author(str(at.alice.id), "Alice"))


async def test_help_tells_the_commands_and_the_agents_to_the_asker_alone(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        answer = await at.mission(at.alice, at.general, "help")
        assert answer.ephemeral
        assert "`/mission new [agent]`" in answer.content
        assert "**quartermaster**" in answer.content
        assert at.discord.messages(at.general) == []


async def test_a_mission_begun_in_a_channel_gets_a_thread(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        answer = await at.mission(at.alice, at.general, "new", agent="plain")
        (thread,) = at.discord.threads(at.general)
        (mission,) = await missions(at)
        assert answer.content == f"New mission `{mission.id}` {thread.mention} with plain. Go ahead."
        assert (answer.ephemeral, thread.name, mission.thread) == (True, "Mission with plain", str(thread.id))
        at.discord.say(thread, at.alice, "hello")
        await at.answer(thread)
        (same,) = await missions(at)
        assert (same.id, same.title) == (mission.id, "hello")


async def test_a_mission_begun_in_a_thread_takes_the_place_of_the_one_there(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        await at.mission(at.alice, thread, "new")
        at.discord.say(thread, at.alice, "two")
        await at.answer(thread, 2)
        assert [(each.title, each.status) for each in await missions(at)] == [("two", "active"), ("one", "completed")]
        assert [message.text for message in at.model.requests[-1].messages[1:]] == ["Alice: two"]


async def test_a_mission_is_begun_in_a_direct_message(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        dm = at.discord.dm(at.alice)
        answer = await at.mission(at.alice, dm, "new", agent="plain")
        assert answer.content.endswith("with plain. Go ahead.")
        at.discord.say(dm, at.alice, "hello")
        await at.answer(dm)
        assert at.model.requests[-1].messages[0].text.startswith("You are plain.")


async def test_somebody_elses_mission_is_not_replaced(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        (mission,) = await missions(at)
        answer = await at.mission(at.bob, thread, "new")
        assert answer.content == f"Mission `{mission.id}` is active here, and it is not yours to end."


async def test_an_unknown_agent_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        answer = await at.mission(at.alice, at.general, "new", agent="moneypenny")
        assert "quartermaster, plain" in answer.content
        assert at.discord.threads(at.general) == []
        assert at.discord.messages(at.general) == []


async def test_where_no_thread_may_be_opened_no_mission_is_begun_and_nothing_is_left_behind(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.discord.permit(at.general, deny=P.CREATE_PUBLIC_THREADS)
        answer = await at.mission(at.alice, at.general, "new")
        assert answer.content == "I may not open a thread here. Ask an admin to let me."
        assert (await missions(at), at.discord.messages(at.general)) == ([], [])


async def test_where_the_bot_may_not_write_it_says_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.discord.permit(at.general, deny=P.SEND_MESSAGES)
        answer = await at.mission(at.alice, at.general, "new")
        assert answer.content == "I may not write here. Ask an admin to let me."


async def test_the_list_is_of_the_askers_missions_with_links_to_their_threads(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        mine = (await at.answered("mine")).channel
        await at.answered("his", by=at.bob)
        answer = await at.mission(at.alice, at.general, "list")
        assert f"{mine.mention} active, quartermaster" in answer.content
        assert "his" not in answer.content.splitlines()[1]
        assert answer.ephemeral


async def test_without_missions_the_list_says_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        answer = await at.mission(at.bob, at.general, "list")
        assert answer.content == "You have no missions yet. Say something and one begins."


async def test_a_long_list_is_paged_by_a_button(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await begin(at, 12)
        answer = await at.mission(at.alice, at.general, "list")
        assert answer.content.count("\n- `") == 10
        await at.turned(at.alice, answer, "list")
        assert (answer.content.count("\n- `"), list(answer.buttons)) == (2, [])


async def test_show_repeats_a_mission_and_pages_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        dm = at.discord.dm(at.alice)
        for number in range(12):
            at.discord.say(dm, at.alice, f"question {number}.")
        await at.answers(dm, 12)
        await at.until_stored("status", *["answered"] * 12)
        answer = await at.mission(at.alice, dm, "show")
        assert "question 11." in answer.content
        assert "question 1." not in answer.content
        await at.turned(at.alice, answer, "show")
        assert "question 1." in answer.content
        assert "question 2." not in answer.content
        assert list(answer.buttons) == []


async def test_a_mission_is_shown_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.answered("one")
        (mission,) = await missions(at)
        answer = await at.mission(at.alice, at.general, "show", id=mission.id[:5])
        assert "**Alice:** one\nYou said: Alice: one" in answer.content


async def test_a_long_mission_is_shown_in_several_messages_for_the_asker_alone(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(["word " * 700])) as at:
        thread = (await at.answered("one")).channel
        shown = await at.slash(at.bob, thread, "show")
        more = await shown.followup()
        assert more.ephemeral
        assert all(len(each.content) <= 2_000 for each in (await shown.answer(), more))


async def test_ending_is_asked_about_first(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        (mission,) = await missions(at)
        answer = await at.mission(at.alice, thread, "end")
        assert (answer.content, answer.ephemeral) == (f"End mission `{mission.id}` (one)?", True)
        assert (await missions(at))[0].status == "active"
        await at.turned(at.alice, answer, "end")
        assert (answer.content, list(answer.buttons)) == (f"Mission `{mission.id}` {thread.mention} ended.", [])
        assert (await missions(at))[0].status == "completed"


async def test_a_mission_can_be_kept(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        answer = await at.mission(at.alice, thread, "end")
        await at.turned(at.alice, answer, "keep")
        assert (answer.content, list(answer.buttons)) == ("It goes on.", [])
        assert (await missions(at))[0].status == "active"


async def test_somebody_elses_mission_is_not_ended(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        answer = await at.mission(at.bob, thread, "end")
        assert answer.content == "You may not do that: it is not your mission."
        assert not answer.buttons


async def test_stop_stops_the_answer_of_the_thread(tmp_path: Path) -> None:
    never = asyncio.Event()
    async with scene(tmp_path, ScriptedModel(["The eagle has landed. ", never])) as at:
        thread = await at.thread_of(at.ask("one"))
        await at.discord.wait_for(lambda: any("eagle" in m.content for m in at.discord.messages(thread)))
        assert (await at.mission(at.alice, thread, "stop")).content == "Stopping."
        assert (await at.answer(thread)).content == "The eagle has landed.\n\n*(stopped)*"
        assert (await at.mission(at.alice, thread, "stop")).content == "I am not writing anything right now."


async def test_what_is_typed_completes_to_ones_own_missions_and_to_agents(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(answer=echo)) as at:
        await at.answered("first question")
        await at.answered("second question")
        await at.answered("his question", by=at.bob)
        ids = [each.id for each in await missions(at)]
        lobby = at.discord.make_text_channel(at.guild, "lobby")
        await at.mission(at.alice, lobby, "help")

        async def offered(*path: str, **typed: str) -> list[str]:
            return await at.discord.autocomplete(at.alice, lobby, "mission", *path, **typed)

        assert await offered("show", id="") == ids[1:]
        assert await offered("end", id="second") == [ids[1]]
        assert await offered("show", id=ids[2][:6]) == [ids[2]]
        assert await offered("new", agent="pl") == ["plain"]
        assert await offered("export", id="al") == ["all"]


async def test_nothing_is_offered_to_who_may_not_use_the_bot(tmp_path: Path) -> None:
    async with stage() as set_, bot_on(set_, tmp_path, deny_users=[str(set_.bob.id)]) as at:
        await at.mission(at.alice, at.general, "help")
        assert await at.discord.autocomplete(at.bob, at.general, "mission", "new", agent="") == []


async def test_who_may_not_use_the_bot_is_told_so(tmp_path: Path) -> None:
    async with stage() as set_, bot_on(set_, tmp_path, deny_users=[str(set_.bob.id)]) as at:
        answer = await at.mission(at.bob, at.general, "new")
        assert (answer.content, answer.ephemeral) == ("You may not use me here.", True)
        assert await missions(at) == []


async def test_a_mission_is_known_only_where_it_is_and_to_its_owner(tmp_path: Path) -> None:
    async with stage() as set_:
        other = set_.discord.make_guild("Elsewhere")
        lobby = set_.discord.make_text_channel(other, "lobby")
        next_door = set_.discord.make_text_channel(set_.guild, "next-door")
        for person in (set_.alice, set_.bob):
            set_.discord.join(other, person)
        async with bot_on(set_, tmp_path) as at:
            await at.answered("one")
            (mission,) = await missions(at)
            for person, channel in (
                (at.bob, next_door),
                (at.bob, lobby),
                (at.alice, lobby),
                (at.bob, at.discord.dm(at.bob)),
            ):
                for command in ("show", "end"):
                    assert (await at.mission(person, channel, command, id=mission.id)).content == NO_SUCH
            assert "one" in (await at.mission(at.alice, next_door, "show", id=mission.id)).content
            assert "one" in (await at.mission(at.bob, at.general, "show", id=mission.id)).content


async def test_being_forgotten_is_asked_about_before_it_is_done(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        asked = await at.mission(at.alice, thread, "forget")
        assert asked.ephemeral
        assert asked.content.startswith("Of yours I have 1 mission and 1 message with its answer.")
        await at.turned(at.alice, asked, "keep")
        assert (asked.content, asked.buttons) == ("Nothing was erased.", {})
        assert len(await missions(at)) == 1
        again = await at.mission(at.alice, thread, "forget")
        await at.turned(at.alice, again, "forget")
        assert again.content.startswith("Forgotten. Receipt `")
        assert again.buttons == {}
        assert await missions(at) == []


async def test_an_admin_is_asked_about_whom_they_named(tmp_path: Path) -> None:
    async with stage() as set_, bot_on(set_, tmp_path, admins=[set_.bob]) as at:
        thread = (await at.answered("one")).channel
        asked = await at.mission(at.bob, thread, "forget", user=str(at.alice.id))
        assert f"Of `{at.alice.id}` I have 1 mission" in asked.content
        await at.turned(at.bob, asked, "forget")
        assert " UTC, of forgotten:" in asked.content
        assert await missions(at) == []

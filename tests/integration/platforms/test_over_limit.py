"""Who sends more than they may is told so once, where they wrote, and the event is done with."""

from pathlib import Path

from bot.allowances import Allowances
from storage.quotas import Quotas
from tests import discord_scene, slack_scene
from tests.fakes.slack import ALICE, BOB

REFUSAL = "You have sent 2 messages in the last minute; I can take the next one in"


def limited() -> Allowances:
    return Allowances(Quotas(messages_per_minute=2))


async def test_discord_is_told_once_in_reply_and_others_are_still_answered(tmp_path: Path) -> None:
    async with discord_scene.scene(tmp_path, allowances=limited()) as at:
        for number in range(2):
            await at.answered(f"question {number}")
        refused = [at.ask(f"too much {number}") for number in range(3)]
        bobs = await at.answered("and I?", by=at.bob)
        assert bobs.content == "You said: Bob: and I?"
        [reply] = [each for each in at.discord.messages(at.general, by=at.discord.bot) if REFUSAL in each.content]
        assert reply.reply_to is refused[0]
        assert await at.stored() == ["question 0", "question 1", "and I?"]
        assert not [each for each in refused if each.id in at.discord.world.channels], "no thread is opened for it"


async def test_slack_is_told_once_privately_and_the_event_is_acknowledged(tmp_path: Path, mode: str) -> None:
    async with slack_scene.scene(tmp_path, mode=mode, allowances=limited()) as at:
        for number in range(2):
            await at.answered(f"question {number}")
        refused = [at.ask(f"too much {number}") for number in range(3)]
        assert (await at.whispered(ALICE)).text.startswith(REFUSAL)
        assert (await at.answered("and I?", by=BOB)).shown == "You said: bob: and I?"
        [told] = at.team.ephemerals(ALICE)
        assert told.thread_ts == refused[0].ts
        assert await at.stored() == ["question 0", "question 1", "and I?"]


async def test_what_was_missed_comes_all_at_once_and_is_no_fault_of_its_author(tmp_path: Path) -> None:
    async with discord_scene.stage() as set_:
        async with discord_scene.bot_on(set_, tmp_path, allowances=limited()) as at:
            thread = (await at.answered("one")).channel
        for word in ("two", "three", "four"):
            set_.discord.say(thread, set_.alice, word)
        async with discord_scene.bot_on(set_, tmp_path, allowances=limited()) as at:
            await at.answers(thread, 4)
            assert await at.stored() == ["one", "two", "three", "four"]

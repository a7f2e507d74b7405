"""How an answer looks in the fake Discord: it grows in one message, then come its parts, its file and its buttons."""

import asyncio
from pathlib import Path

from bot.models.model import ToolCall
from gadgets.gadget import gadget
from tests.discord_scene import bot_on, scene, stage
from tests.fakes.discord import Channel, FakeDiscord
from tests.fakes.scripted_model import ScriptedModel, echo

STOP = ["turn:1:stop"]
DONE = ["turn:1:up", "turn:1:down", "turn:1:again"]


def shown(discord: FakeDiscord, channel: Channel) -> list[str]:
    return [message.content.strip() for message in discord.messages(channel, by=discord.bot)]


async def test_a_placeholder_with_a_stop_button_comes_before_the_model_says_anything(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, ScriptedModel([go_on, "Well."])) as at:
        thread = await at.thread_of(at.ask("one"))
        await at.discord.wait_for(lambda: at.general.typing and at.discord.messages(thread, by=at.discord.bot))
        (message,) = at.discord.messages(thread, by=at.discord.bot)
        assert (message.content, list(message.buttons)) == ("-# thinking…", STOP)
        go_on.set()
        await at.answer(thread)
        assert (message.content, list(message.buttons)) == ("Well.", DONE)


async def test_an_answer_grows_in_one_message(tmp_path: Path) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    texts = ["The eagle has landed. ", "It is well, and sends its best wishes. ", "More tomorrow."]
    async with scene(tmp_path, ScriptedModel([texts[0], first, texts[1], second, texts[2]])) as at:
        thread = await at.thread_of(at.ask("one"))
        await at.discord.wait_for(lambda: shown(at.discord, thread) == [texts[0].strip()])
        first.set()
        await at.discord.wait_for(lambda: shown(at.discord, thread) == ["".join(texts[:2]).strip()])
        second.set()
        answer = await at.answer(thread)
        assert [text.strip() for text in answer.contents[1:]] == ["".join(texts[:count]).strip() for count in (1, 2, 3)]


async def test_a_thousand_changes_are_few_edits(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(["word "] * 300), pace=0.5) as at:
        answer = await at.answered("one")
        assert answer.content == ("word " * 300).strip()
        assert answer.edits < 10


async def test_while_a_gadget_runs_its_name_is_shown_below_the_text(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    @gadget()
    async def shout(text: str) -> str:
        """Say something loudly.

        Args:
            text: what to say
        """
        await go_on.wait()
        return text.upper()

    model = ScriptedModel(["Let me shout that for you.", ToolCall("1", "shout", {"text": "hey"})], ["HEY it is."])
    async with scene(tmp_path, model, gadgets=[shout]) as at:
        thread = await at.thread_of(at.ask("shout hey"))
        status = "Let me shout that for you.\n-# using shout…"
        await at.discord.wait_for(lambda: shown(at.discord, thread) == [status])
        go_on.set()
        assert (await at.answer(thread)).content == "Let me shout that for you.\n\nHEY it is."


async def test_a_long_answer_is_cut_at_paragraphs_and_its_buttons_are_on_the_last_part(tmp_path: Path) -> None:
    paragraphs = [f"{number}: " + "word " * 150 for number in range(6)]
    async with scene(tmp_path, ScriptedModel(["\n\n".join(paragraphs)])) as at:
        thread = await at.thread_of(at.ask("one"))
        parts = await at.answers(thread)
        assert len(parts) == 3
        assert all(len(part.content) <= 2_000 for part in parts)
        assert [part.content[0] for part in parts] == ["0", "2", "4"]
        assert [list(part.buttons) for part in parts] == [[], [], DONE]


async def test_a_code_block_is_closed_and_opened_again_where_it_is_cut(tmp_path: Path) -> None:
    code = "\n".join(f"print({number})" for number in range(300))
    async with scene(tmp_path, ScriptedModel([f"Look:\n```python\n{code}\n```\nThat is all."])) as at:
        parts = await at.answers(await at.thread_of(at.ask("one")))
        assert len(parts) == 2
        assert parts[0].content.endswith("\n```")
        assert parts[1].content.startswith("```python\n")


async def test_a_very_long_answer_is_its_beginning_and_a_file(tmp_path: Path) -> None:
    text = "\n\n".join(f"{number}: " + "word " * 150 for number in range(6))
    async with scene(tmp_path, ScriptedModel([text]), max_parts=2) as at:
        (answer,) = await at.answers(await at.thread_of(at.ask("one")))
        assert len(answer.content) <= 2_000
        assert answer.content.startswith("0: word")
        assert answer.content.endswith("\n-# The whole answer is in the file below.")
        (file,) = answer.attachments
        assert (file.filename, file.data.decode()) == ("answer.md", text.strip())
        assert list(answer.buttons) == DONE


async def test_an_answer_of_as_many_parts_as_are_allowed_is_no_file(tmp_path: Path) -> None:
    text = "\n\n".join(f"{number}: " + "word " * 150 for number in range(6))
    async with scene(tmp_path, ScriptedModel([text]), max_parts=3) as at:
        parts = await at.answers(await at.thread_of(at.ask("one")))
        assert [part.attachments for part in parts] == [[], [], []]


async def test_an_answer_pings_nobody(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(answer=echo)) as at:
        role = next(iter(at.guild.roles))
        answer = await at.answered(f"say @everyone @here {at.bob.mention} <@&{role}>")
        assert "@everyone @here" in answer.content
        said = at.discord.messages(answer.channel, by=at.discord.bot)
        assert not any(message.mentions or message.mention_roles or message.mention_everyone for message in said)


async def test_an_answer_that_mentions_people_by_their_ids_pings_nobody(tmp_path: Path) -> None:
    async with stage() as set_:
        said = f"{set_.bob.mention} @everyone, see https://example.org"
        async with bot_on(set_, tmp_path, ScriptedModel([said])) as at:
            answer = await at.answered("one")
            assert (answer.content, answer.mentions, answer.mention_everyone) == (said, [], False)


async def test_in_a_direct_message_the_answer_is_a_reply_that_pings_nobody(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        dm = at.discord.dm(at.alice)
        question = at.discord.say(dm, at.alice, "hello")
        answer = await at.answer(dm)
        assert (answer.reply_to, answer.mentions) == (question, [])


async def test_a_failed_answer_is_a_sentence_with_buttons(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(["Half of ", RuntimeError("secret detail")])) as at:
        answer = await at.answered("one")
        assert "Something went wrong on my side." in answer.content
        assert "secret detail" not in answer.content
        assert list(answer.buttons) == DONE

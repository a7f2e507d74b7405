"""What of a Discord message reaches the model: names, replied-to and forwarded messages, files."""

from pathlib import Path

from bot.models.model import Capabilities
from tests.discord_scene import bot_on, scene, stage
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.pictures import png

SEEING = Capabilities(tools=True, vision=True, context_length=8192)


async def test_people_channels_and_roles_are_told_by_their_names(tmp_path: Path) -> None:
    async with stage() as set_:
        role = set_.discord.make_role(set_.guild, "agents")
        async with bot_on(set_, tmp_path) as at:
            await at.answered(f"ask {at.bob.mention} of <@&{role.id}> in {at.general.mention}, not {at.me} or `<@1>`")
            assert at.heard().text == "Alice: ask @Bob of @agents in #general, not @secret-agents or `<@1>`"


async def test_a_reply_that_mentions_the_bot_brings_the_message_along(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        said = at.discord.say(at.general, at.bob, f"The eagle has landed, {at.alice.mention}")
        question = at.ask("what does he mean?", reply_to=said)
        thread = await at.thread_of(question)
        await at.answer(thread)
        assert thread.name == "what does he mean?"
        assert at.heard().text == "Alice: In reply to Bob:\n> The eagle has landed, @Alice\n\nwhat does he mean?"


async def test_a_bare_mention_in_a_reply_is_about_the_message(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        said = at.discord.say(at.general, at.bob, "The eagle has landed")
        question = at.discord.say(at.general, at.alice, at.me, reply_to=said)
        thread = await at.thread_of(question)
        await at.answer(thread)
        assert (thread.name, at.heard().text) == (
            "The eagle has landed",
            "Alice: In reply to Bob:\n> The eagle has landed",
        )


async def test_a_reply_to_a_picture_shows_the_picture(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(answer=echo, capabilities=SEEING)) as at:
        said = at.discord.say(at.general, at.bob, attachments={"cat.png": png()})
        await at.answered("what is this?", reply_to=said)
        assert at.heard().images == (png(),)
        assert "In reply to Bob:\n> [cat.png]\n\nwhat is this?" in at.heard().text


async def test_a_reply_to_the_bot_needs_no_mention_in_its_text(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        dm = at.discord.dm(at.alice)
        at.discord.say(dm, at.alice, "one")
        answer = await at.answer(dm)
        at.discord.say(dm, at.alice, "why?", reply_to=answer)
        await at.answer(dm, 2)
        assert at.heard().text == "In reply to you:\n> You said: one\n\nwhy?"


async def test_a_reply_to_a_deleted_message_is_still_a_question(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        said = at.discord.say(at.general, at.bob, "gone soon")
        at.discord.delete(said)
        await at.answered("what was it?", reply_to=said)
        assert at.heard().text == "Alice: what was it?"


async def test_a_forwarded_message_is_read_with_its_files(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        said = at.discord.say(at.general, at.bob, "The eagle has landed", attachments={"map.txt": b"turn left"})
        thread = await at.thread_of(at.ask("wait for it"))
        await at.answer(thread)
        at.discord.forward(thread, at.alice, said)
        await at.answer(thread, 2)
        assert "a forwarded message:\n> The eagle has landed" in at.heard().text
        assert "turn left" in at.heard().text


async def test_text_files_are_read(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.answered("summarise", attachments={"plan.md": "Meet at nöön".encode(), "empty.txt": b""})
        text = at.heard().text
        assert "[Attached file 'plan.md':]\nMeet at nöön" in text
        assert "[Attached file 'empty.txt': it is empty.]" in text


async def test_a_text_file_beyond_the_limit_is_only_named(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.answered("summarise", attachments={"long.txt": b"x" * 200_001})
        assert "[Attached file 'long.txt' (text/plain, 200 kB): you cannot read it.]" in at.heard().text


async def test_a_model_that_sees_is_shown_images(tmp_path: Path) -> None:
    async with scene(tmp_path, ScriptedModel(answer=echo, capabilities=SEEING)) as at:
        await at.answered("look", attachments={"cat.png": png()})
        assert (at.heard().images, at.heard().text) == ((png(),), "Alice: look\n\n[Attached image 'cat.png']")


async def test_a_model_that_does_not_see_is_told_of_images_and_other_files(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.answered("look", attachments={"cat.png": png(), "plan.pdf": b"%PDF-1.7"})
        assert at.heard().images == ()
        assert "[Attached image 'cat.png' (image/png" in at.heard().text
        assert "[Attached file 'plan.pdf' (application/pdf, 8 bytes): you cannot read it.]" in at.heard().text


async def test_files_without_words_are_a_question(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        dm = at.discord.dm(at.alice)
        at.discord.say(dm, at.alice, attachments={"plan.txt": b"Meet at noon"})
        await at.answer(dm)
        assert "Meet at noon" in at.heard().text


async def test_a_file_that_cannot_be_downloaded_is_only_named(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.answered("hello")  # from now on messages come live, and not from a history with fresh addresses
        said = at.ask("summarise", attachments={"plan.txt": b"Meet at noon"})
        at.discord.expire_attachments()
        await at.answer(await at.thread_of(said))
        assert "you cannot read it" in at.heard().text


async def test_a_bare_mention_is_answered(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        question = at.discord.say(at.general, at.alice, at.me)
        thread = await at.thread_of(question)
        await at.answer(thread)
        assert (thread.name, at.heard().text) == ("New mission", "Alice: (says only your name)")

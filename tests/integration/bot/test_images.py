"""A picture from the message to the model, across crashes: real inbox, engine, worker, agent and SQLite."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent.prompt import total_tokens
from bot.errors import ModelBroken, ModelRefused, sentence_for
from bot.models.model import Capabilities, Message, Request, ToolCall, UserMessage
from bot.platforms.platform import Attachment, Inbound
from storage.database import Connection, Database
from tests.core import Core, running_core
from tests.fakes.scripted_model import ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message
from tests.pictures import GIF, png
from tests.waiting import until_found

SEEING = Capabilities(tools=True, vision=True, context_length=8192)
BLIND = Capabilities(tools=True, context_length=8192)
PHOTO = Attachment("cat.png", "image/png", 120_400, image=png())
UNSEEN = "[Attached image 'cat.png' (image/png, 120 kB): you cannot see it.]"


def ask(text: str = "What is this?", number: int = 1, *files: Attachment) -> Inbound:
    return replace(message(text, number), attachments=files)


def asked(request: Request) -> Message:
    """The question in a request: the last message that a person wrote."""
    return [each for each in request.messages if isinstance(each, UserMessage)][-1]


def images_of(request: Request) -> list[bytes]:
    return [image for each in request.messages if isinstance(each, UserMessage) for image in each.images]


def answers(connection: Connection) -> list[str]:
    sql = "SELECT agent_response FROM turns WHERE finished_at IS NOT NULL ORDER BY id"
    return [text for (text,) in connection.execute(sql).fetchall()]


async def closed(core: Core[StubPlatform], count: int = 1) -> list[str]:
    database: Database = core.database
    return await until_found(lambda: database.read(answers), lambda found: len(found) >= count)


async def test_a_model_that_sees_is_shown_the_picture_in_every_round(tmp_path: Path) -> None:
    model = ScriptedModel([ToolCall("c1", "shout", {"text": "cat"})], ["A cat."], capabilities=SEEING)
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(ask("What is this?", 1, PHOTO))
        assert await closed(core) == ["A cat."]
    question = UserMessage("What is this?\n\n[Attached image 'cat.png']", (png(),))
    assert [asked(request) for request in model.requests] == [question, question]


async def test_both_phases_of_the_json_protocol_are_shown_the_picture(tmp_path: Path) -> None:
    decision = json.dumps([{"action": "use_tools", "tools": [{"tool": "shout", "parameters": {"text": "cat"}}]}])
    model = ScriptedModel([decision], ["A cat."], capabilities=Capabilities(vision=True))
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(ask("What is this?", 1, PHOTO))
        assert await closed(core) == ["A cat."]
    assert [images_of(request) for request in model.requests] == [[png()], [png()]]


async def test_a_model_that_cannot_see_is_told_of_the_picture(tmp_path: Path) -> None:
    model = ScriptedModel(["I cannot see it."], capabilities=BLIND)
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(ask("What is this?", 1, PHOTO))
        await closed(core)
    assert asked(model.requests[0]) == UserMessage(f"What is this?\n\n{UNSEEN}")


async def test_a_picture_is_shown_with_its_own_message_only(tmp_path: Path) -> None:
    model = ScriptedModel(["A cat."], ["Yes."], capabilities=SEEING)
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(ask("What is this?", 1, PHOTO))
        await core.inbox.admit(ask("Sure?", 2))
        await closed(core, 2)
    assert images_of(model.requests[1]) == []


async def test_a_picture_is_shown_again_after_the_program_ended_in_the_middle(tmp_path: Path) -> None:
    first = ScriptedModel(["Half", ModelBroken("cut off")], capabilities=SEEING)
    second = ScriptedModel(["A cat."], capabilities=SEEING)

    def unfinished(connection: Connection) -> None:
        """As if the program had been killed before it knew of the ending."""
        connection.execute("DELETE FROM deliveries")
        connection.execute("UPDATE turns SET status = 'running', outcome = NULL, finished_at = NULL")

    async with running_core(tmp_path / "db", first) as core:
        await core.inbox.admit(ask("What is this?", 1, PHOTO))
        await closed(core)
        await core.database.write(unfinished)
    async with running_core(tmp_path / "db", second) as core:
        assert await closed(core) == ["A cat."]
    assert images_of(second.requests[0]) == images_of(first.requests[0]) == [png()]


@pytest.mark.parametrize("failure", [ModelRefused("HTTP 400"), ModelBroken("HTTP 500: image: unknown format")])
async def test_a_server_that_cannot_take_the_picture_is_asked_without_it(tmp_path: Path, failure: Exception) -> None:
    model = ScriptedModel([failure], ["I cannot see it."], capabilities=SEEING)
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(ask("What is this?", 1, PHOTO))
        assert await closed(core) == ["I cannot see it."]
    assert [images_of(request) for request in model.requests] == [[png()], []]
    assert asked(model.requests[1]) == UserMessage(f"What is this?\n\n{UNSEEN}")


async def test_a_failure_without_pictures_or_behind_a_first_word_ends_the_turn(tmp_path: Path) -> None:
    refused = ModelRefused("content filter")
    model = ScriptedModel([refused], ["I see", refused], [refused], [refused], capabilities=SEEING)
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(ask("Hi", 1))
        await core.inbox.admit(ask("What is this?", 2, PHOTO))
        await core.inbox.admit(ask("And now?", 3, PHOTO))
        assert await closed(core, 3) == [
            sentence_for(refused),
            f"I see\n\n{sentence_for(refused)}",
            sentence_for(refused),
        ]
    assert [len(images_of(request)) for request in model.requests] == [0, 1, 1, 0]


@pytest.mark.parametrize("tools", [True, False], ids=["native", "json"])
async def test_many_pictures_and_long_files_never_make_the_prompt_larger_than_its_budget(
    tmp_path: Path, tools: bool
) -> None:
    model = ScriptedModel(["Hm."], ["Hm."], capabilities=Capabilities(tools=tools, vision=True))
    long = Attachment("log.txt", "text/plain", 90_000, text="word " * 18_000)
    pictures = [replace(PHOTO, name="a.gif", image=GIF)] * 9
    async with running_core(tmp_path / "db", model) as core:
        await core.inbox.admit(ask("Compare these", 1, long, *pictures))
        await closed(core)
    for request in model.requests:
        assert total_tokens(request.messages) + request.max_tokens <= request.num_ctx
    assert len(images_of(model.requests[-1])) == 1, "as many as fit into 4,096 tokens"

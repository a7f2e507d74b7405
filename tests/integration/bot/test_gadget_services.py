"""What gadgets get from the bot: the turn's model, and their user's notes."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent.asking import MAX_OUTPUT
from bot.agent.roster import Profile, Roster
from bot.errors import ModelBusy, sentence_for
from bot.models.model import Finished, SystemMessage, ThinkingDelta, ToolCall, ToolMessage, UserMessage
from bot.platforms.platform import Author
from gadgets.context import TOO_LONG
from gadgets.notes import recall, remember
from gadgets.translator import translate
from storage import turns
from storage.database import Connection
from tests.core import OPTIONS, Core, running_core
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message

PROFILE = Profile("q", "Equips agents", "You are Q. MARKER", ("translate", "remember", "recall"))
ROSTER = Roster({PROFILE.name: PROFILE}, PROFILE.name)
GADGETS = (translate, remember, recall)
TRANSLATE = ToolCall("c1", "translate", {"text": "good morning", "to": "Spanish"})
BOB = Author("u2", "Bob")


def result(model: ScriptedModel) -> str:
    """What the gadget told the model last."""
    last = model.requests[-1].messages[-1]
    assert isinstance(last, ToolMessage)
    return last.text


def tokens(connection: Connection, turn: int) -> tuple[int, int]:
    sql = "SELECT prompt_tokens, completion_tokens FROM turns WHERE id = :turn"
    return tuple(connection.execute(sql, {"turn": turn}).fetchone())


async def test_a_gadget_asks_the_turns_model_and_the_turn_pays(tmp_path: Path) -> None:
    said: Script = [ThinkingDelta("hm"), "<think>hm</think>buenos ", "días", Finished("stop", 100, 7)]
    model = ScriptedModel([TRANSLATE], said, ["It is: buenos días."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=ROSTER) as core:
        admitted = await core.inbox.admit(message("Translate good morning"))
        await core.platform.wait_for(1)
        steps = await core.database.read(turns.steps, admitted.turn)
        cost = await core.database.read(tokens, admitted.turn)
    system, text = model.requests[1].messages
    assert isinstance(system, SystemMessage)
    assert "Spanish" in system.text
    assert "MARKER" not in system.text
    assert text == UserMessage("good morning")
    assert (model.requests[1].tools, model.requests[1].schema) == ((), None)
    assert result(model) == "buenos días"
    assert (steps[1].body["prompt_tokens"], steps[1].body["completion_tokens"]) == (100, 7)
    assert cost == (10 + 100 + 10, 5 + 7 + 5)
    assert core.platform.channel.answers() == ["It is: buenos días."]


async def test_an_answer_that_was_cut_is_paid_for_all_the_same(tmp_path: Path) -> None:
    model = ScriptedModel([TRANSLATE], ["uno ", Finished("length", 100, 7)], ["Sorry."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=ROSTER) as core:
        admitted = await core.inbox.admit(message("Translate good morning"))
        await core.platform.wait_for(1)
        assert await core.database.read(tokens, admitted.turn) == (10 + 100 + 10, 5 + 7 + 5)


async def test_a_text_that_does_not_fit_the_window_is_not_sent(tmp_path: Path) -> None:
    call = ToolCall("c1", "translate", {"text": "ü" * 3_000, "to": "Spanish"})
    model = ScriptedModel([call], ["Sorry."])
    small = replace(OPTIONS, num_ctx=1024)
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=ROSTER, options=small) as core:
        await core.inbox.admit(message("Translate that"))
        await core.platform.wait_for(1)
    assert result(model) == TOO_LONG


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([ModelBusy()], sentence_for(ModelBusy())),
        (["uno ", Finished("length", 9, 9)], TOO_LONG),
        (["x" * (MAX_OUTPUT + 1)], TOO_LONG),
        (["<think>nothing</think>"], "The translation did not succeed."),
    ],
    ids=["busy", "cut", "endless", "empty"],
)
async def test_a_model_that_fails_a_gadget_is_a_sentence(tmp_path: Path, said: Script, told: str) -> None:
    model = ScriptedModel([TRANSLATE], said, ["Sorry."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=ROSTER) as core:
        await core.inbox.admit(message("Translate good morning"))
        await core.platform.wait_for(1)
    assert result(model) == told
    assert core.platform.channel.answers() == ["Sorry."]


async def noted(core: Core[StubPlatform], model_says: str, thread: str, author: Author, number: int) -> None:
    await core.inbox.admit(message(model_says, thread=thread, author=author))
    await core.platform.wait_for(number)


async def test_notes_are_for_their_user_in_every_conversation_and_for_nobody_else(tmp_path: Path) -> None:
    note = ToolCall("c1", "remember", {"text": "The safe's code is CANARY"})
    ask = ToolCall("c1", "recall", {"query": "code safe"})
    model = ScriptedModel([note], ["Noted."], [ask], ["It is."], [ask], ["I do not know."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=ROSTER) as core:
        await noted(core, "Remember: the safe's code is CANARY", "one", Author("u1", "Alice"), 1)
        await noted(core, "The code?", "two", Author("u1", "Alice II"), 2)
        assert "The safe's code is CANARY" in result(model)
        await noted(core, "The code?", "three", Author("u2", "Alice"), 3)
    assert result(model) == "The user has asked to remember nothing so far."
    assert all("CANARY" not in str(request.messages) for request in model.requests[4:])


async def test_notes_are_there_after_a_restart(tmp_path: Path) -> None:
    model = ScriptedModel([ToolCall("c1", "remember", {"text": "tulips"})], ["Noted."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=ROSTER) as core:
        await noted(core, "Remember tulips", "one", BOB, 1)
    model = ScriptedModel([ToolCall("c1", "recall", {})], ["Tulips."])
    async with running_core(tmp_path / "db", model, gadgets=GADGETS, roster=ROSTER) as core:
        await noted(core, "What was it?", "two", BOB, 1)
    assert "tulips" in result(model)

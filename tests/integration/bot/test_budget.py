"""The prompt fits what the server really counts: estimates are mended by its counts, nothing is cut in silence."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent.consultation import CUT_PROMPT
from bot.agent.prompt import total_tokens
from bot.errors import MessageTooLong, ModelRefused, sentence_for
from bot.models.model import Capabilities, Finished, Request, TextDelta, ToolCall
from tests.core import OPTIONS, PLAIN, running_core
from tests.fakes.scripted_model import Item, Script, ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message
from tests.waiting import until

CTX = 1024
SMALL = replace(OPTIONS, num_ctx=CTX, max_tokens=128)


def counted(request: Request, factor: float) -> int:
    """As a server with other tokens than we expect: what it leaves of a prompt never fills more than its window."""
    return min(CTX, int(factor * total_tokens(request.messages)))


def dense(*, factor: float) -> ScriptedModel:
    def answer(request: Request) -> Script:
        return ["Yes, and so on. " * 5, Finished("stop", counted(request, factor), 20)]

    return ScriptedModel(answer=answer, capabilities=Capabilities(tools=True))


@pytest.mark.parametrize("factor", [0.7, 1.3, 2.5])
async def test_after_one_surprise_no_prompt_is_too_large_again(tmp_path: Path, factor: float) -> None:
    model = dense(factor=factor)
    async with running_core(tmp_path / "db", model, options=SMALL) as core:
        for number in range(1, 40):
            await core.inbox.admit(message(f"Question {number}. " + "and more " * 8, number))
        await core.platform.wait_for(39)
    sizes = [counted(request, factor) for request in model.requests]
    too_large = [size for size in sizes if size > CTX - SMALL.max_tokens]
    assert len(too_large) <= 1
    assert max(sizes) > CTX // 3, "history is still told"
    assert not any(CUT_PROMPT.strip() in text for text in core.platform.channel.answers())


def reply_after(first: Item, prompt_tokens: int) -> ScriptedModel:
    """Ten short exchanges, then `first` from a prompt that was counted so large."""
    cut: Script = [first, Finished("tool_calls" if isinstance(first, ToolCall) else "stop", prompt_tokens, 5)]
    return ScriptedModel(*[["Yes. " * 20]] * 10, cut, answer=lambda _: ["Whole."])


async def talk(model: ScriptedModel, path: Path, last: int) -> StubPlatform:
    async with running_core(path, model, options=SMALL) as core:
        for number in range(1, last + 1):
            await core.inbox.admit(message("Tell me more. " * 4, number))
            await core.platform.wait_for(number)
            await until(lambda: core.engine.idle)
    return core.platform


async def test_a_cut_prompt_is_made_smaller_once_and_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What was decided from a part of the conversation is not acted on."""
    model = reply_after(ToolCall("c1", "shout", {"text": "hey"}), CTX)
    with caplog.at_level(logging.WARNING):
        platform = await talk(model, tmp_path / "db", 11)
    assert "left out a part" in caplog.text
    assert platform.channel.answers()[-1] == "Whole."
    cut, again = model.requests[-2:]
    assert total_tokens(again.messages) < total_tokens(cut.messages)
    assert again.messages[-1] == cut.messages[-1]


async def test_an_answer_from_a_cut_prompt_says_so_and_the_next_prompt_is_smaller(tmp_path: Path) -> None:
    model = reply_after(TextDelta("Half known."), CTX)
    platform = await talk(model, tmp_path / "db", 12)
    assert platform.channel.answers()[-2:] == [f"Half known.{CUT_PROMPT}", "Whole."]
    cut, following = model.requests[-2:]
    assert total_tokens(following.messages) < total_tokens(cut.messages)


async def test_a_message_that_fills_the_window_alone_is_too_long_and_the_conversation_goes_on(tmp_path: Path) -> None:
    """It was estimated to fit, as 1,900 digits are by their bytes; the server knows better."""
    model = ScriptedModel(
        ["Eh", Finished("stop", CTX, 1)], answer=lambda _: ["Fine."], capabilities=Capabilities(tools=True)
    )
    async with running_core(tmp_path / "db", model, options=SMALL) as core:
        await core.commands.start(message("x").key, message("x").author, PLAIN.name)
        await core.inbox.admit(message("1234567890" * 190, 1))
        await core.inbox.admit(message("And now?", 2))
        await core.platform.wait_for(2)
    first, second = core.platform.channel.answers()
    assert first == f"Eh\n\n{sentence_for(MessageTooLong())}"
    assert second == "Fine."


async def test_a_server_with_a_smaller_window_than_configured_is_asked_with_less(tmp_path: Path) -> None:
    """It refuses what is too long instead of cutting it; after the first time it is not even tried."""
    refused: list[int] = []

    def answer(request: Request) -> Script:
        size = total_tokens(request.messages)
        if size > 500:
            refused.append(size)
            return [ModelRefused("context length exceeded")]
        return ["Yes. " * 20, Finished("stop", size, 20)]

    model = ScriptedModel(answer=answer)
    platform = await talk(model, tmp_path / "db", 30)
    assert [final.outcome for _, final in platform.channel.finals] == ["answered"] * 30
    assert len(refused) == 1


async def test_a_refusal_that_less_does_not_mend_is_told(tmp_path: Path) -> None:
    model = ScriptedModel(["Yes."], answer=lambda _: [ModelRefused("no credentials")])
    platform = await talk(model, tmp_path / "db", 2)
    assert platform.channel.answers()[-1] == sentence_for(ModelRefused())
    assert len(model.requests) == 3

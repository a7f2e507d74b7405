"""JSONTestSuite as the tool JSON of a model, through the core and over the wire."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.agent.agent import EMPTY_ANSWER
from bot.errors import ModelBroken, sentence_for
from bot.models.model import Capabilities, ToolCall
from bot.models.ollama import OllamaModel
from bot.models.payload import parsed_arguments
from tests.core import running_core
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script as ScriptOfServer
from tests.hostile import refusable
from tests.hostile_scene import ROSTER, Attack, Insisting, World, ask, hostile, models


@models
async def test_json_that_is_none_runs_nothing_and_is_answered(tmp_path: Path, capabilities: Capabilities) -> None:
    """JSONTestSuite's documents that have to be refused, as a decision, printed, and as the arguments in a call."""
    documents = {name: document for name, document in refusable().items() if name not in TAKEN}
    texts = [document.decode("utf-8", "replace") for document in documents.values()]
    frames = ("{}", f"<tools>{CALL}</tools>", f'[{{"action": "use_tools", "tools": [{CALL}]}}]')
    chosen = [Attack(text, [frame.replace("{}", text)]) for text in texts for frame in frames]
    chosen += [Attack(text, [ToolCall("c", "anything", parsed_arguments(text))]) for text in texts]
    world = World()
    async with hostile(tmp_path, world, Insisting(chosen), capabilities) as (core, _):
        for number in range(len(chosen)):
            await ask(core, f"Do it. [number {number}]", number)
        await core.platform.wait_for(len(chosen))
    assert world.effects == []


TAKEN = {"n_single_space", "n_structure_no_data", "n_structure_object_followed_by_closing_object"}
"""For no arguments, which are an empty text on OpenAI's wire; and for a whole call with something behind it."""
CALL = '{"tool": "anything", "parameters": {}}'


@pytest.mark.parametrize("quoted", [False, True], ids=["an object", "a text"])
async def test_json_that_is_none_is_answered_when_it_comes_over_the_wire(tmp_path: Path, quoted: bool) -> None:
    """As a call's arguments from a server: nothing runs, and the user reads an answer or what went wrong."""
    texts = [document.decode("utf-8", "replace") for name, document in refusable().items() if name not in TAKEN]

    def answer(request: dict[str, Any]) -> ScriptOfServer:
        if request["messages"][-1]["role"] == "tool":
            return ScriptOfServer(text=["I cannot."])
        (number,) = re.findall(r"\[number (\d+)\]", request["messages"][-1]["content"])
        given = texts[int(number)]
        return ScriptOfServer(raw=LINES % (json.dumps(given) if quoted else given))

    world = World()
    async with FakeOllama(num_parallel=100, answer=answer) as server, ClientSession() as http:
        model = OllamaModel(http, host=server.host, name="qwen3:8b")
        async with running_core(tmp_path / "db", model, gadgets=world.gadgets(), roster=ROSTER) as core:
            for number in range(len(texts)):
                await ask(core, f"Do it. [number {number}]", number)
            await core.platform.wait_for(len(texts))
            answers = core.platform.channel.answers()
    assert world.effects == []
    assert len(answers) == len(texts)
    assert set(answers) <= {"I cannot.", EMPTY_ANSWER, sentence_for(ModelBroken())}


LINES = (
    '{"message":{"role":"assistant","content":"","tool_calls":'
    '[{"function":{"name":"anything","arguments":%s}}]},"done":false}\n'
    '{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n'
)

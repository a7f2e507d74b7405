"""Choosing an agent: what the model is asked, and what of its output counts."""

import json

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.choice import CHOICE_CHARACTERS, MAX_OUTPUT, choice_messages, choice_schema, choose, parse_choice
from bot.agent.roster import Profile
from bot.errors import ModelBusy
from bot.models.model import Capabilities
from tests.fakes.scripted_model import Script, ScriptedModel

FIRST = Profile("quartermaster", "Equips agents", "You are Q.", ())
SECOND = Profile("taskmaster", "Runs missions", "You are T.", ())
PROFILES = (FIRST, SECOND)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ('{"agent": "taskmaster"}', SECOND),
        ('```json\n{"agent": "taskmaster"}\n```', SECOND),
        ('{"agent": "quartermaster", "why": "weather"}', FIRST),
        ('{"agent": "moneypenny"}', None),
        ('{"agent": "Taskmaster"}', None),
        ('{"agent": ["taskmaster"]}', None),
        ('{"agent": {}}', None),
        ('["taskmaster"]', None),
        ('{"agent": "task', None),
        ("taskmaster", None),
        ("{" * 5_000, None),
        ('{"agent":' * 5_000, None),
        ("", None),
    ],
)
def test_only_an_object_that_names_a_known_agent_is_a_choice(text: str, chosen: Profile | None) -> None:
    assert parse_choice(text, PROFILES) == chosen


@given(st.text() | st.recursive(st.none() | st.text(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps))
def test_any_output_is_a_choice_or_none(text: str) -> None:
    assert parse_choice(text, PROFILES) in (*PROFILES, None)


def test_the_schema_admits_exactly_the_agents() -> None:
    valid = jsonschema_rs.validator_for(dict(choice_schema(PROFILES))).is_valid
    assert [valid({"agent": name}) for name in ("quartermaster", "taskmaster", "moneypenny", "")] == [
        True,
        True,
        False,
        False,
    ]
    assert not valid({})


def test_what_was_said_never_gets_into_the_instructions_and_is_bounded() -> None:
    system, asked = choice_messages(PROFILES, "CANARY " * 10_000)
    assert "CANARY" not in system.text
    assert "Runs missions" in system.text
    assert len(asked.text) < CHOICE_CHARACTERS + 50


@pytest.mark.parametrize(
    "script",
    [
        [ModelBusy("full")],
        ['{"agent": "task', ModelBusy("full")],
        ["I would say the taskmaster."],
        ["no " * 100_000],
        [],
    ],
    ids=["fails", "fails in the middle", "prose", "endless", "silent"],
)
async def test_the_first_agent_answers_when_the_model_fails_or_talks_nonsense(script: Script) -> None:
    async with ScriptedModel(script) as model:
        choice = await choose(model, PROFILES, "hello", 4096)
    assert choice.profile == FIRST
    assert choice.body["agent"] == "quartermaster"
    assert len(choice.body["text"]) <= MAX_OUTPUT


async def test_a_choice_is_asked_for_with_the_context_window_of_the_answers() -> None:
    """Ollama loads a model anew when the window changes."""
    small = Capabilities(context_length=2048)
    async with ScriptedModel(['{"agent": "taskmaster"}'], capabilities=small) as model:
        choice = await choose(model, PROFILES, "hello", 4096)
    [request] = model.requests
    assert (request.num_ctx, request.schema, choice.profile) == (2048, choice_schema(PROFILES), SECOND)
    assert (choice.body["prompt_tokens"], choice.body["completion_tokens"]) == (10, 5)


async def test_nobody_is_asked_where_there_is_nothing_to_choose() -> None:
    async with ScriptedModel() as model:
        choice = await choose(model, (SECOND,), "hello", 4096)
    assert (choice.profile, model.requests) == (SECOND, [])

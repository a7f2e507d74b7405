import json
import os
from pathlib import Path
from typing import Any

import pytest

from bot.agent.decisions import (
    Decision,
    NotADecision,
    decision_messages,
    decision_schema,
    parse_decision,
)
from bot.agent.few_shot import EXAMPLES, MISSION_EXAMPLES, examples_for
from bot.models.model import (
    AssistantMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from bot.models.strict_json import MAX_DEPTH
from gadgets.catalogue import ALL, GENERAL
from gadgets.field_gadgets import FIELD_MISSION

TEST_DATA = Path(__file__).parents[3] / os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data")
SPECS = tuple(ToolSpec(gadget.name, gadget.description, gadget.parameters) for gadget in ALL)
SHOWN = (*EXAMPLES, *MISSION_EXAMPLES)
ODD = ToolSpec("horoscope", "Read the stars.", {"type": "object", "properties": {"sign": {"type": "string"}}})
OSLO = [{"tool": "weather", "parameters": {"city": "Oslo"}}]
USE = json.dumps([{"action": "use_tools", "tools": OSLO}])


def decided(text: str) -> list[tuple[str, dict[str, Any]]]:
    decision = parse_decision(text, SPECS)
    assert isinstance(decision, Decision), decision
    return [(call.name, dict(call.arguments)) for call in decision.calls]


def refused(text: str) -> str:
    decision = parse_decision(text, SPECS)
    assert isinstance(decision, NotADecision), decision
    return decision.reason


def branches(schema: Any) -> list[Any]:
    found: list[Any] = schema["items"]["anyOf"]
    return found


class TestSchema:
    def test_action_comes_first_even_when_keys_are_sorted(self) -> None:
        use = branches(decision_schema(SPECS))[0]["properties"]
        assert list(use) == sorted(use) == ["action", "tools"]

    def test_tool_comes_before_parameters_even_when_keys_are_sorted(self) -> None:
        schema = json.loads(json.dumps(decision_schema(SPECS), sort_keys=True))
        for call in branches(schema)[0]["properties"]["tools"]["items"]["anyOf"]:
            assert [list(part["properties"]) for part in call["allOf"]] == [["tool"], ["parameters"]]

    def test_each_gadget_is_tied_to_its_own_parameters(self) -> None:
        calls = branches(decision_schema(SPECS))[0]["properties"]["tools"]["items"]["anyOf"]
        found = [tuple(p for part in call["allOf"] for p in part["properties"].values()) for call in calls]
        names = [({"const": spec.name}, list(spec.parameters["properties"])) for spec in SPECS]
        assert [(name, list(parameters["properties"])) for name, parameters in found] == names
        assert found[0] == ({"const": "weather"}, SPECS[0].parameters)

    def test_what_is_no_text_may_be_another_calls_result(self) -> None:
        properties = {"a": {"type": "integer"}, "b": {"type": "boolean"}, "c": {"type": "string"}, "d": {}}
        (use, _) = branches(decision_schema([ToolSpec("x", "", {"type": "object", "properties": properties})]))
        (call,) = use["properties"]["tools"]["items"]["anyOf"]
        found = call["allOf"][1]["properties"]["parameters"]["properties"]
        reference = {"type": "string", "enum": ["$PREVIOUS_RESULT", "$1", "$2", "$3"]}
        assert found == properties | {name: {"anyOf": [properties[name], reference]} for name in ("a", "b")}

    def test_number_of_calls_is_bounded(self) -> None:
        tools = branches(decision_schema(SPECS, max_calls=2))[0]["properties"]["tools"]
        assert (tools["minItems"], tools["maxItems"]) == (1, 2)

    def test_without_gadgets_only_a_reply_is_left(self) -> None:
        assert [list(branch["properties"]) for branch in branches(decision_schema(()))] == [["action"]]


class TestMessages:
    def test_beginning_does_not_depend_on_the_question(self) -> None:
        one, other = decision_messages(SPECS, (), "hi"), decision_messages(SPECS, (UserMessage("x"),), "weather?")
        assert one[:-1] == other[:-1]

    def test_question_is_last(self) -> None:
        assert decision_messages(SPECS, (), "Is it late?")[-1] == UserMessage("New message: Is it late?")

    def test_history_stands_before_the_question(self) -> None:
        history = (UserMessage("Oslo?"), AssistantMessage("3 °C."), AssistantMessage(""), ToolMessage("1", "x", "y"))
        last = decision_messages(SPECS, history, "and Rome?")[-1]
        assert last == UserMessage("Earlier:\nUser: Oslo?\nYou: 3 °C.\n\nNew message: and Rome?")

    def test_examples_of_gadgets_that_are_not_offered_are_left_out(self) -> None:
        weather = [spec for spec in SPECS if spec.name == "weather"]
        text = "".join(message.text for message in decision_messages(weather, (), "hi"))
        assert '"weather"' in text
        assert not any(f'"{name}"' in text for name in ("decrypt", "encrypt", "clock"))

    def test_examples_come_with_the_gadgets_they_are_about(self) -> None:
        general = frozenset(gadget.name for gadget in GENERAL)
        game = frozenset(gadget.name for gadget in FIELD_MISSION)
        assert examples_for(general) == EXAMPLES
        assert examples_for(game) == MISSION_EXAMPLES
        assert examples_for(general | game) == SHOWN

    def test_an_example_shows_how_to_use_the_result_of_another_call(self) -> None:
        rules, *shown = (message.text for message in decision_messages(SPECS, (), "x"))
        assert '"$1"' in rules
        assert any('"$1"' in text for text in shown)

    def test_a_game_is_not_told_of_results_that_its_gadgets_never_use(self) -> None:
        own = tuple(ToolSpec(each.name, each.description, each.parameters) for each in FIELD_MISSION)
        assert not any("$1" in message.text for message in decision_messages(own, (), "x"))
        assert '"$1"' in decision_messages((ODD,), (), "x")[0].text

    def test_gadget_without_examples_is_described(self) -> None:
        system = decision_messages((ODD,), (), "hi")[0]
        assert isinstance(system, SystemMessage)
        assert "- horoscope(sign?): Read the stars." in system.text

    def test_every_worked_example_is_read_back_as_it_was_meant(self) -> None:
        messages = decision_messages(SPECS, (), "")
        answers = [message.text for message in messages if isinstance(message, AssistantMessage)]
        meant = [[(call.gadget, dict(call.parameters)) for call in example.calls] for example in SHOWN]
        assert [decided(answer) for answer in answers] == meant

    def test_examples_use_only_parameters_that_their_gadgets_have(self) -> None:
        known = {spec.name: spec.parameters for spec in SPECS}
        for call in (call for example in SHOWN for call in example.calls):
            assert set(known[call.gadget].get("required", ())) <= set(call.parameters)
            assert set(call.parameters) <= set(known[call.gadget]["properties"])

    def test_no_example_is_taken_from_the_measured_set(self) -> None:
        path = TEST_DATA / "decisions.json"
        if not path.exists():
            pytest.skip(f"no {path}: set SECRET_AGENTS_TEST_DATA to the folder with decisions.json")
        cases = json.loads(path.read_bytes())
        own = " ".join(example.message.casefold() for example in SHOWN)
        for entry in (entry for case in cases for entry in case["accept"]):
            assert not any(
                str(value).casefold() in own for key, value in entry.items() if key in ("city", "ciphertext")
            )
        assert not {case["prompt"].casefold() for case in cases} & {e.message.casefold() for e in SHOWN}


class TestParsing:
    def test_calls_are_numbered(self) -> None:
        decision = parse_decision(USE, SPECS)
        assert decision == Decision((ToolCall("call_1", "weather", {"city": "Oslo"}),))

    def test_reply_has_no_calls(self) -> None:
        assert decided('[{"action": "reply"}]') == []

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(f"```json\n{USE}\n```", id="in a code fence"),
            pytest.param(USE[1:-1], id="without the list"),
            pytest.param(f"Sure:\n{USE}\nIs there anything else?", id="with prose around"),
            pytest.param('{"action": "use_tool", "tool": "weather", "parameters": {"city": "Oslo"}}', id="one tool"),
            pytest.param('{"name": "weather", "arguments": {"city": "Oslo"}}', id="as Qwen prints it"),
            pytest.param('{"name": "weather", "arguments": "{\\"city\\": \\"Oslo\\"}"}', id="arguments as text"),
            pytest.param('{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}', id="as OpenAI writes it"),
            pytest.param('{"tool_calls": [{"name": "weather", "args": {"city": "Oslo"}}]}', id="as a list of calls"),
        ],
    )  # fmt: skip
    def test_same_call_is_read(self, text: str) -> None:
        assert decided(text) == [("weather", {"city": "Oslo"})]

    def test_same_call_twice_is_one(self) -> None:
        assert decided(json.dumps([{"action": "use_tools", "tools": OSLO * 3}])) == [("weather", {"city": "Oslo"})]

    def test_calls_keep_their_places_where_one_refers_to_another_by_it(self) -> None:
        oslo, dice = OSLO[0], {"tool": "dice", "parameters": {"notation": "$2"}}
        text = json.dumps([{"action": "use_tools", "tools": [oslo, oslo, dice, dice]}])
        assert [name for name, _ in decided(text)] == ["weather", "weather", "dice", "dice"]

    def test_no_parameters_are_an_empty_object(self) -> None:
        assert decided('{"tool": "clock"}') == [("clock", {})]

    def test_brackets_in_texts_are_not_depth(self) -> None:
        text = "[" * 100 + '\\"' + "{" * 100
        call = {"tool": "decrypt", "parameters": {"ciphertext": text}}
        assert decided(json.dumps([{"action": "use_tools", "tools": [call]}])) == [("decrypt", {"ciphertext": text})]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "no JSON"),
            ("I think it is sunny.", "no JSON"),
            ("[{'action': 'reply'}]", "Expecting property name"),
            ('[{"action": "reply"', "Expecting"),
            ('[{"action": "dance"}]', "unknown action 'dance'"),
            ('[{"action": ["reply"]}]', "unknown action"),
            ('[{"action": "use_tools", "tools": []}]', "no tool is named"),
            ('[{"action": "use_tools"}]', "no tool is named"),
            ("[1, 2]", "neither a decision nor a call"),
            ('{"tool": "format_disk", "parameters": {}}', "unknown gadget 'format_disk'"),
            ('{"tool": "weather", "parameters": ["Oslo"]}', "parameters are not an object"),
            ('{"tool": "decrypt", "parameters": {"shift": NaN}}', "NaN is not JSON"),
            ('{"tool": "decrypt", "parameters": {"shift": -Infinity}}', "-Infinity is not JSON"),
            ('{"tool": "decrypt", "parameters": {"shift": 1e999}}', "a number is too large"),
            ('{"tool": "weather", "tool": "decrypt"}', "a key is there twice"),
            ('{"tool": "weather", "parameters": {"city": "\\ud800"}}', "surrogates not allowed"),
            ("\ud800[]", "surrogates not allowed"),
            ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested too deeply"),
            ("[" * 1_000_000, "nested too deeply"),
            ('{"tool":' * 100_000, "nested too deeply"),
        ],
    )  # fmt: skip
    def test_what_is_no_decision_is_refused_with_the_reason(self, text: str, reason: str) -> None:
        assert reason in refused(text)

    def test_empty_list_decides_for_a_reply(self) -> None:
        assert decided("[]") == []

    def test_a_megabyte_of_escaped_quotes_is_read_in_one_pass(self) -> None:
        assert "Unterminated string" in refused('["' + '\\"' * 500_000)

"""JSONTestSuite as the tool JSON of a model, wherever such JSON is read.

Each document stands in the place of a call's arguments, and of a value among them. Refused: no call comes of it that a
gadget could take. Accepted: a call with the value that the document says.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bot.agent.choice import parse_choice
from bot.agent.cleaning import Cleaner
from bot.agent.decisions import Decision, parse_decision
from bot.agent.roster import Profile
from bot.models.answer import Answer
from bot.models.model import ToolCall, ToolSpec
from bot.models.ollama import OllamaAnswer
from bot.models.openai_chat import OpenAIAnswer
from bot.models.payload import UNREADABLE, parsed_arguments
from bot.models.peer import Peer
from bot.models.strict_json import MAX_DEPTH, is_too_deep
from tests.hostile import json_documents, refusable

PROBE = ToolSpec("probe", "Take anything.", {"type": "object", "properties": {"value": {}}})
PEER = Peer("test", "test", "")

Arguments = Mapping[str, Any]
Reader = Callable[[bytes], Arguments | None]
"""Reads a call with these bytes as its arguments: what a gadget is given, None where there is no call for it."""

EMPTY = {"n_single_space", "n_structure_no_data"}
"""Servers write the arguments of a call without any as an empty text."""
SURPLUS = {"n_structure_object_followed_by_closing_object"}
"""`{}}`: what stands behind a whole call is prose, also when it is a bracket too many, as small models write it."""
NONE_GIVEN = {"y_structure_lonely_null", "y_structure_string_empty", "y_string_space"}
"""No arguments, in JSON."""
TWICE = {"y_object_duplicated_key", "y_object_duplicated_key_and_value"}
"""RFC 8259: an object with a key twice is JSON, and what it means is not told."""


def decided(text: str) -> Arguments | None:
    decision = parse_decision(text, (PROBE,))
    return decision.calls[0].arguments if isinstance(decision, Decision) and decision.calls else None


def call_text(document: bytes) -> str:
    """As the embedded model's process and the servers decode bytes that are not UTF-8."""
    return f'{{"tool": "probe", "parameters": {document.decode("utf-8", "replace")}}}'


def in_a_decision(document: bytes) -> Arguments | None:
    return decided(f'[{{"action": "use_tools", "tools": [{call_text(document)}]}}]')


def as_text_in_a_decision(document: bytes) -> Arguments | None:
    return decided(json.dumps({"name": "probe", "arguments": document.decode("utf-8", "replace")}))


def printed(frame: str) -> Reader:
    def read(document: bytes) -> Arguments | None:
        cleaner = Cleaner()
        cleaner.feed(frame.format(call_text(document)))
        cleaner.finish()
        found = [arguments for call in cleaner.calls if (arguments := decided(call)) is not None]
        return found[0] if found else None

    return read


def usable(answer: Answer, line: bytes) -> Arguments | None:
    answer.fold([line], 1_000_000_000)
    calls = [delta for delta in answer.take() if isinstance(delta, ToolCall)]
    return calls[0].arguments if calls and UNREADABLE not in calls[0].arguments else None


def from_ollama(arguments: bytes) -> Arguments | None:
    line = b'{"message":{"content":"","tool_calls":[{"function":{"name":"probe","arguments":%b}}]},"done":true}'
    return usable(OllamaAnswer(PEER), line % arguments)


def from_openai(arguments: bytes) -> Arguments | None:
    call = b'{"index":0,"id":"a","function":{"name":"probe","arguments":%b}}' % arguments
    return usable(OpenAIAnswer(PEER), b'{"choices":[{"delta":{"tool_calls":[%b]},"finish_reason":"stop"}]}' % call)


def quoted(read: Reader) -> Reader:
    """The arguments as a text, which is how OpenAI's wire has them."""
    return lambda document: read(json.dumps(document.decode("utf-8", "replace")).encode())


READERS: dict[str, Reader] = {
    "in a decision": in_a_decision,
    "as text in a decision": as_text_in_a_decision,
    "printed bare": printed("{}"),
    "printed in a fence": printed("```json\n{}\n```"),
    "printed in a tag": printed("<tools>{}</tools>"),
    "from Ollama": from_ollama,
    "from Ollama as text": quoted(from_ollama),
    "from OpenAI": from_openai,
    "from OpenAI as text": quoted(from_openai),
}
readers = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


def value_of(document: bytes) -> bytes:
    return b'{"value": %b}' % document


def named(read: Reader, documents: Mapping[str, bytes]) -> dict[str, Any]:
    """What came of each document, for those of which a call came."""
    return {name: found for name, each in documents.items() if (found := read(each)) is not None}


@readers
def test_nothing_runs_for_arguments_that_are_no_json(read: Reader) -> None:
    assert named(read, refusable()).keys() <= EMPTY | SURPLUS


@readers
def test_nothing_runs_for_arguments_with_a_value_that_is_no_json(read: Reader) -> None:
    assert named(lambda each: read(value_of(each)), refusable()).keys() <= SURPLUS


@readers
def test_a_value_that_is_json_arrives_as_it_was_written(read: Reader) -> None:
    documents = json_documents("y")
    arrived = named(lambda each: read(value_of(each)), documents)
    assert documents.keys() - arrived.keys() <= TWICE
    assert {name: each for name, each in arrived.items() if each != {"value": json.loads(documents[name])}} == {}


@readers
def test_arguments_that_are_json_are_refused_only_where_they_are_no_object(read: Reader) -> None:
    objects = {n: each for n, each in json_documents("y").items() if isinstance(json.loads(each), dict)}
    arrived = named(read, objects)
    assert objects.keys() - arrived.keys() <= TWICE
    assert {name: each for name, each in arrived.items() if each != json.loads(objects[name])} == {}
    others = {name: each for name, each in json_documents("y").items() if name not in objects}
    assert named(read, others).keys() <= NONE_GIVEN


@readers
def test_what_may_be_either_is_refused_or_can_be_stored_and_sent(read: Reader) -> None:
    for name, document in json_documents("i").items():
        for each in (document, value_of(document)):
            found = read(each)
            assert found is None or json.dumps(found, allow_nan=False, ensure_ascii=False).encode(), name
            assert found is None or not is_too_deep(found), name


@readers
def test_the_deepest_value_that_is_read_is_bounded(read: Reader) -> None:
    depths = [depth for depth in range(1, 2_000, 20) if read(value_of(b"[" * depth + b"]" * depth))]
    assert depths
    assert max(depths) < MAX_DEPTH


@pytest.mark.parametrize("kind", ["n", "y", "i"])
def test_as_the_whole_of_a_decision_it_calls_nothing(kind: str) -> None:
    assert named(lambda each: decided(each.decode("utf-8", "replace")), json_documents(kind)) == {}


def test_the_wholes_that_are_taken_for_a_decision_are_empty_lists() -> None:
    """`[]` decides for no gadget; what stands behind the first value is prose, also when it is another list."""
    documents = {**json_documents("n"), **json_documents("y")}
    parsed = {name: parse_decision(each.decode("utf-8", "replace"), (PROBE,)) for name, each in documents.items()}
    assert {name: each for name, each in parsed.items() if isinstance(each, Decision)} == {
        "n_structure_double_array": Decision(()),
        "y_array_empty": Decision(()),
        "y_structure_whitespace_array": Decision(()),
    }


def test_json_that_is_refused_as_a_decision_is_refused_for_what_it_says() -> None:
    """Never as "no JSON" where there is an object or a list, and never with an exception."""
    reasons = set()
    for document in json_documents("y").values():
        found = parse_decision(document.decode(), (PROBE,))
        if not isinstance(found, Decision) and isinstance(json.loads(document), dict | list):
            reasons.add(found.reason)
    assert reasons <= {"neither a decision nor a call", "no tool is named", "a key is there twice"}


def test_no_choice_of_an_agent_comes_of_it() -> None:
    profiles = (Profile("first", "", "", ()), Profile("second", "", "", ()))
    texts = {name: document.decode("utf-8", "replace") for name, document in refusable().items()}
    assert {name for name, text in texts.items() if parse_choice(text, profiles)} == set()
    assert {
        n for n, text in texts.items() if parse_choice(f'{{"agent": "second", "why": {text}}}', profiles)
    } == SURPLUS


def test_an_object_of_a_server_that_is_too_deep_becomes_no_arguments() -> None:
    deep: dict[str, Any] = {}
    for _ in range(10 * MAX_DEPTH):
        deep = {"value": deep}
    assert parsed_arguments(deep).keys() == {UNREADABLE}

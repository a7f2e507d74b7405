import json
from typing import NamedTuple

import pytest

from bot.agent.cleaning import MAX_CALLS, MAX_HELD, Cleaner, clean

CALL = '{"name": "clock", "arguments": {"place": "Rome"}}'
OURS = '[{"action": "use_tools", "tools": [{"tool": "clock", "parameters": {"place": "Rome"}}]}]'


class Result(NamedTuple):
    text: str
    calls: list[str]
    dropped_only: bool


def whole(text: str) -> Result:
    cleaner = Cleaner()
    return Result(cleaner.feed(text) + cleaner.finish(), cleaner.calls, cleaner.dropped_only)


@pytest.mark.parametrize("call", [CALL, OURS, json.dumps(json.loads(OURS), indent=2), '{"action": "reply"}'])
@pytest.mark.parametrize(
    ("frame", "shown"),
    [
        ("{}", ""),
        ("{}\nDone", "Done"),
        ("Wait:\n\n{}\n\nDone", "Wait:\n\nDone"),
        ("```json\n{}\n```\nDone", "Done"),
        ("```\n{}\n```", ""),
        ("```tool_call\r\n{}\r\n```\r\nDone", "Done"),
        ("Wait:\n```JSON\n{}```\nDone", "Wait:\nDone"),
        ("```json\n{}", ""),
        ("<tools>{}</tools>Done", "Done"),
        ("<tool_call>\n{}\n</tool_call>\nDone", "Done"),
        ("<function_call>{}</function_call>", ""),
        ("<tool_call>{}", ""),
        ("[TOOL_CALLS] {}\nDone", "Done"),
        ("<|tool_call|>{}<|/tool_call|>Done", "Done"),
        ("<|python_tag|>{}", ""),
        ("<tool_call>\n```json\n{}\n```\n</tool_call>\nDone", "Done"),
        ("```json\n<tool_call>\n{}\n</tool_call>\n```\nDone", "Done"),
    ],
)
def test_a_printed_call_is_collected_and_not_shown(call: str, frame: str, shown: str) -> None:
    result = whole(frame.replace("{}", call))
    assert (result.text, result.calls) == (shown, [call])


def test_several_calls_are_collected_in_order() -> None:
    assert whole(f"<tools>\n{CALL}\n{OURS}\n</tools>").calls == [CALL, OURS]
    assert whole(f"```json\n{CALL}\n{OURS}\n```").calls == [CALL, OURS]
    assert whole(f"{CALL}\n{OURS}\n") == Result("", [CALL, OURS], dropped_only=True)


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ('[TOOL_CALLS]clock[ARGS]{"place": "Rome"}', '{"name": "clock", "arguments": {"place": "Rome"}}'),
        ('<function=clock>{"place": "Rome"}</function>', '{"name": "clock", "arguments": {"place": "Rome"}}'),
        ("<tool_call>\n<function=clock>\n</function>\n</tool_call>", "<function=clock>"),
        ("<tool_call>clock('Rome')</tool_call>", "clock('Rome')"),
        ('<tool_call>{"name": "clock", "arguments": {}</tool_call>', '{"name": "clock", "arguments": {}'),
        ('{"action": "use_tools", "tools": [{', '{"action": "use_tools", "tools": [{'),
        ('```json\n{"action": "use_tools", "tools": []\n```\n', '{"action": "use_tools", "tools": []'),
        ('{"name": "clock", "arguments": {"a": "}]\\"`<"}}', '{"name": "clock", "arguments": {"a": "}]\\"`<"}}'),
        ("<\uff5ctool\u2581calls\u2581begin\uff5c>clock<\uff5ctool\u2581calls\u2581end\uff5c>", "clock"),
    ],
)
def test_calls_in_other_formats_and_broken_ones_are_collected(said: str, call: str) -> None:
    assert whole(said) == Result("", [call], dropped_only=True)


@pytest.mark.parametrize(
    "said",
    [
        '```json\n{"name": "Bob", "age": 7}\n```\nDone',
        '```json\n{\n  "name": "Bob"\n}\n```',
        '{"name": "Bob"}',
        '{"a": 1}\nDone',
        "```json\n[1, 2]\n```",
        '```json\n{"name": "Bob"',
        f"See: {CALL}",
        f"Hello.\n{CALL} is a call",
        f"```python\n{CALL}\n```",
        f"```json\n{CALL}\n// a call\n```",
        '```json\n{"type": "object", "tools": []}\n```\n',
        f"`{CALL}`",
        "the <tools> tag",
        "The <tool_call> tag opens a call.",
        '[{"name": "Bob"}, {"name": "Eve"}]',
        '{"name": "clock", "parameters"',
    ],
)
def test_other_json_and_mentions_of_tags_are_shown_unchanged(said: str) -> None:
    assert whole(said) == Result(said, [], dropped_only=False)


def test_a_fence_that_is_no_json_streams_at_once() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("```py") == "```py"
    assert cleaner.feed("thon\nprint") == "thon\nprint"
    assert Cleaner().feed('```json\n{"city"') == '```json\n{"city"'


def test_a_call_longer_than_the_bound_is_still_not_shown() -> None:
    long = '{"name": "write", "arguments": {"text": "' + "x" * 3 * MAX_HELD + '"}}'
    result = whole(f"{long}\nDone")
    assert result.text == "Done"
    assert [len(call) for call in result.calls] == [MAX_HELD]
    assert clean(f"```json\n{long}\n```\nDone") == "Done"


def test_no_more_calls_are_kept_than_anyone_can_use() -> None:
    result = whole(f"{CALL}\n" * 2 * MAX_CALLS)
    assert (result.text, len(result.calls)) == ("", MAX_CALLS)

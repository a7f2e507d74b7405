from collections.abc import Iterable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.agent.cleaning import MAX_HELD, MAX_UNOPENED, Cleaner, clean

CALL = '{"name": "clock", "arguments": {"place": "Rome"}}'
OURS = '[{"action": "use_tools", "tools": [{"tool": "clock", "parameters": {"place": "Rome"}}]}]'

FRAGMENTS = [
    "<think>",
    "</think>",
    "<thinking>",
    "</REASONING>",
    "<",
    "</",
    "<tools>",
    "</tools>",
    "<tool_call>",
    "</tool_call>",
    "<function=a>",
    "</function>",
    "<|im_start|>",
    "assistant",
    "user",
    "<|tool_call|>",
    "<|x|>",
    "<s>",
    "</s>",
    "[TOOL_CALLS]",
    "w[ARGS]",
    "`",
    "```",
    "```json\n",
    "```python\n",
    "\n```\n",
    "````",
    "~~~\n",
    "{",
    "[",
    "}",
    "]",
    '"name":',
    '"arguments":',
    '{"name": "Bob"}',
    CALL,
    OURS,
    "\n",
    "\r\n",
    " ",
    "  ",
    "\t",
    "- ",
    "1. ",
    "> ",
    "**",
    "Based on ",
    "the tool results",
    ", ",
    ": ",
    "According to the tool, ",
    "The weather gadget says ",
    "that ",
    "it is ",
    "I used the weather tool",
    " and found that ",
    "As an AI, ",
    "A",
    "Hello. ",
    "é",
    "😀",
    "\ud83d",
    "\\",
    '"',
    "x",
    "Quartermaster",
    "Quartermaster: ",
    "<\uff5ctool\u2581calls\u2581begin\uff5c>",
    "x" * 200,
]
ANSWERS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)), max_size=25).map("".join)


class Result(NamedTuple):
    text: str
    calls: list[str]
    dropped_only: bool


def stream(chunks: Iterable[str], *, speaker: str = "Quartermaster", thinking: bool = False) -> Result:
    cleaner = Cleaner(speaker, thinking=thinking)
    text = "".join([cleaner.feed(chunk) for chunk in chunks]) + cleaner.finish()
    return Result(text, cleaner.calls, cleaner.dropped_only)


def whole(text: str) -> Result:
    return stream([text])


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({min(place, len(text)) for place in places} | {len(text)})
    return [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


# Invariants


@settings(max_examples=400)
@given(ANSWERS, st.lists(st.integers(0, 300), max_size=12), st.booleans())
def test_the_result_is_the_same_however_the_answer_is_cut(text: str, places: list[int], thinking: bool) -> None:
    at_once = stream([text], thinking=thinking)
    assert stream(cut(text, places), thinking=thinking) == at_once
    assert stream(text, thinking=thinking) == at_once


@settings(max_examples=200)
@given(ANSWERS, st.integers(0, 300))
def test_what_was_shown_is_never_taken_back(text: str, place: int) -> None:
    assert clean(text, "Quartermaster").startswith(Cleaner("Quartermaster").feed(text[:place]))


@given(st.text(st.characters(exclude_characters="<`~[{ABFGIJLMPT\n\r\t ")))
def test_ordinary_text_passes_character_for_character_at_once(text: str) -> None:
    cleaner = Cleaner()
    cleaner.feed("x")
    assert [cleaner.feed(char) for char in text] == list(text)


@pytest.mark.parametrize(
    "said",
    [
        "a\r\nb\r\n\r\nc  \n",
        "\U0001f468\u200d\U0001f469 e\u0301 \ud83d\ude00",
        "1 < 2 > 0 [x] {y} ~z~ <b>bold</b>",
        "a\n\n\n\nb",
        "see [docs](http://x) and [1]",
        "[ ] buy\n[x] pay",
        "{curly}",
        "half a `tick\nand more",
        "5 <|> 6, x <| f |> y",
        "Tab\tT",
        "<s>old</s> new",
        "| a | b |\n|---|---|\n| `<think>` | <br> |",
    ],
)
def test_ordinary_markup_is_left_alone(said: str) -> None:
    assert whole(said) == Result(said, [], dropped_only=False)


@pytest.mark.parametrize(
    "opening",
    [
        '{"name": "',
        '[{"name": "',
        '{"name": {',
        "<tools> ",
        "<tool_call>say",
        '```json\n{"name": "',
        "<thin",
        "<|a",
        "Based on ",
        "The weather gadget says that",
        "`",
        "```",
        "{",
        "[",
    ],
)
def test_not_more_than_the_bound_is_held_back(opening: str) -> None:
    text = "Hello.\n" + opening + "x" * 3 * MAX_HELD
    shown = Cleaner().feed(text)
    assert len(text) - len(shown) <= MAX_HELD
    assert clean(text) == text


@pytest.mark.parametrize(
    "unit",
    [
        "Hello there. The sun, ",
        "<",
        "`",
        '{"name":\n',
        "```json\n{",
        "<tools> x",
        "\n",
        ". T",
        "Based on the tool results ",
        "<|a",
    ],
)
def test_a_long_answer_in_single_characters_costs_its_length(unit: str) -> None:
    text = (unit * 200_000)[:200_000]
    assert stream(text) == whole(text)


# Reasoning


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<think>hm</think>Hello", "Hello"),
        ("<think>\nhm\n</think>\n\nHello", "Hello"),
        ("\n<Thinking>hm</THINKING>\nHello", "Hello"),
        ("<reasoning>hm</think> Hello", "Hello"),
        ("</think>\n\nHello", "Hello"),
        ("One <think>hm</think>two", "One two"),
        ("One\n\n<think>hm</think>\n\nTwo", "One\n\nTwo"),
        ("<think>a ``` b</think>Hello", "Hello"),
        ("<tool_response>21</tool_response>It is 21", "It is 21"),
    ],
)
def test_reasoning_is_not_shown(said: str, shown: str) -> None:
    assert whole(said) == Result(shown, [], dropped_only=False)


@pytest.mark.parametrize(
    "said",
    [
        "Use `<think>` to think",
        "Use ``<think> ` ``.",
        "```\n<think>x\n```\n",
        "~~~xml\n<think>\n~~~\nok",
        "> ```\n> <think>\n> ```\nok",
        "1. ```xml\n   <think>\n   ```\nok",
        "```` \n```\n<think>\n````\nok",
    ],
)
def test_code_keeps_its_tags(said: str) -> None:
    assert clean(said) == said


def test_tags_after_code_are_tags_again() -> None:
    assert clean("```\n<think>\n```\n<think>x</think>ok `a` <think>y</think>!") == "```\n<think>\n```\nok `a` !"
    assert clean("A lone ` is no code\n<think>x</think>ok") == "A lone ` is no code\nok"


@pytest.mark.parametrize("said", ["<think>no end", "<think>a</think>\n", "</think>", "<|im_end|>Hello", CALL])
def test_an_answer_of_which_nothing_is_left_says_so(said: str) -> None:
    result = whole(said)
    assert (result.text, result.dropped_only) == ("", True)


def test_an_empty_answer_is_not_one_that_was_dropped() -> None:
    assert whole(" \n ") == Result("", [], dropped_only=False)


def test_a_model_that_begins_inside_its_reasoning_shows_nothing_of_it() -> None:
    cleaner = Cleaner(thinking=True)
    assert cleaner.feed("The user says hello. `</think>` ends this.") == ""
    assert cleaner.feed("</think>\n\nHello!") == "Hello!"


def test_a_model_that_opens_its_reasoning_itself_is_not_held_back_after_it() -> None:
    cleaner = Cleaner(thinking=True)
    assert cleaner.feed("<think>hm</think>\nHello") == "Hello"


def test_reasoning_that_never_ends_is_the_answer_after_all() -> None:
    assert stream(["Hello"], thinking=True).text == "Hello"
    long = "x" * MAX_UNOPENED
    assert Cleaner(thinking=True).feed(long) == long


# Special tokens


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Hello<|im_end|>\n<|im_start|>user\nMore?", "Hello"),
        ("Hello\n<|im_start|>user\nMore?", "Hello\n"),
        ("<|im_start|>assistant\nHello", "Hello"),
        ("Hello<|endoftext|>", "Hello"),
        ("Hello</s>", "Hello"),
        ("Hello<|eot_id|><|start_header_id|>user", "Hello"),
        ("Hello<end_of_turn>\nMore", "Hello"),
        ("```py\nx\n```<|im_end|>", "```py\nx\n```"),
        ("Done [TOOL_CALLS] nothing", "Done  nothing"),
    ],
)
def test_special_tokens_are_not_shown_and_the_model_does_not_play_the_user(said: str, shown: str) -> None:
    assert clean(said) == shown


def test_nothing_is_shown_after_the_turn_has_ended() -> None:
    cleaner = Cleaner()
    assert [cleaner.feed("Hello<|im_end|>"), cleaner.feed("More"), cleaner.finish()] == ["Hello", "", ""]


# The beginning


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\n \r\n\nHello\n", "Hello\n"),
        ("\n    indented", "    indented"),
        ("Quartermaster: Hello", "Hello"),
        ("**Quartermaster:** Hello", "Hello"),
        ("<think>x</think>\nquartermaster:\n\nHello", "Hello"),
        ("Quartermasters: Hello", "Quartermasters: Hello"),
        ("Hello\nQuartermaster: Hello", "Hello\nQuartermaster: Hello"),
    ],
)
def test_blank_lines_and_the_speakers_own_label_are_not_shown(said: str, shown: str) -> None:
    assert clean(said, "Quartermaster") == shown


def test_a_name_with_special_characters_is_only_a_name() -> None:
    assert clean("C3-P0 (.*): Hi", "C3-P0 (.*)") == "Hi"


def test_without_a_speaker_no_label_is_removed() -> None:
    assert clean("Note: Hello") == "Note: Hello"

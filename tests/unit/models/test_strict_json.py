import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.strict_json import MAX_DEPTH, first_value, is_too_deep, whole_value

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('ab[]{}\\"'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@given(VALUES)
def test_json_is_read_as_json(value: Any) -> None:
    assert whole_value(json.dumps(value)) == value
    assert first_value(f"So: {json.dumps([value])} it is.") == [value]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[NaN]", "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("[1e999]", "a number is too large"),
        ('[{"a": 1, "a": 1}]', "a key is there twice"),
        ('["\\ud800"]', "surrogates not allowed"),
        ('["\ud800"]', "surrogates not allowed"),
        ("[" * 1_000_000, "nested too deeply"),
        ('{"a":' * 1_000_000, "nested too deeply"),
        (nested(MAX_DEPTH + 1), "nested too deeply"),
        ("[9" + "9" * 5_000 + "]", "4300 digits"),
        ('["' + '\\"' * 500_000, "Unterminated string"),
    ],
)
def test_what_is_no_strict_json_is_refused_with_the_reason(text: str, reason: str) -> None:
    for read in (first_value, whole_value):
        with pytest.raises(ValueError, match=reason):
            read(text)


@pytest.mark.parametrize("text", ["[1] 2", "[]" + nested(1_000), '"a" {}', "]", "", "word", "{} {}"])
def test_a_whole_value_has_nothing_behind_it(text: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        whole_value(text)


def test_brackets_in_texts_are_no_depth() -> None:
    assert whole_value('"' + "[{" * 1_000 + '"') == "[{" * 1_000


def test_a_value_is_too_deep_where_its_text_is() -> None:
    depths = [depth for depth in range(1, 3 * MAX_DEPTH) if not is_too_deep(value_of(depth))]
    assert depths == list(range(1, MAX_DEPTH + 1))
    assert [depth for depth in range(1, 3 * MAX_DEPTH) if is_read(nested(depth))] == depths


def value_of(depth: int) -> Any:
    value: Any = []
    for number in range(depth - 1):
        value = {"a": value} if number % 2 else [value]
    return value


def is_read(text: str) -> bool:
    try:
        first_value(text)
    except ValueError:
        return False
    return True

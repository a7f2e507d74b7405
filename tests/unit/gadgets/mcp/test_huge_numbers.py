"""Numbers that no float can hold, in a server's schema and in a model's arguments for it."""

import pytest

from gadgets.errors import BadArguments
from gadgets.mcp.arguments import Arguments
from gadgets.mcp.tool_schema import reduced

HUGE = 10**400
SHARE = {"type": "object", "properties": {"share": {"type": "number", "minimum": 0}}}


@pytest.mark.parametrize("text", ["1e999", "-1e999", "nan", "NaN", "infinity", "-Infinity", "9" * 5_000])
def test_a_text_that_is_no_finite_number_is_not_taken_as_one(text: str) -> None:
    values = Arguments("x", reduced({"type": "object", "properties": {"share": {"type": ["number", "string"]}}}))
    assert values({"share": text}) == {"share": text}
    with pytest.raises(BadArguments, match=r"Wrong arguments for x: `share`"):
        Arguments("x", reduced(SHARE))({"share": text})


def test_a_whole_number_is_taken_however_large() -> None:
    assert Arguments("x", reduced(SHARE))({"share": str(HUGE)}) == {"share": HUGE}


def test_a_bound_that_no_float_can_hold_is_a_bound() -> None:
    schema = {"type": "object", "properties": {"share": {"type": "number", "maximum": HUGE}}}
    assert reduced(schema) == schema


@pytest.mark.parametrize("bound", [float("nan"), float("inf"), float("-inf")])
def test_a_bound_that_is_no_finite_number_is_left_out(bound: float) -> None:
    assert reduced({"type": "object", "properties": {"share": {"maximum": bound}}}) == {
        "type": "object",
        "properties": {"share": {}},
    }

from typing import Any

import pytest

from gadgets.errors import BadArguments
from gadgets.mcp.arguments import Arguments
from gadgets.mcp.tool_schema import reduced

CHECK = Arguments(
    "files_read",
    reduced(
        {
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "lines": {"type": "integer", "minimum": 1},
                "share": {"type": "number"},
                "deep": {"type": "boolean"},
                "as": {"enum": ["text", "hex"]},
                "note": {"type": ["string", "null"]},
            },
            "required": ["path"],
            "additionalProperties": False,
        }
    ),
)


def refusal(arguments: Any) -> str:
    with pytest.raises(BadArguments) as refused:
        CHECK(arguments)
    return str(refused.value)


def test_what_fits_is_sent_as_it_is() -> None:
    arguments = {"path": "a.txt", "lines": 3, "share": 0.5, "deep": True, "as": "hex", "note": None}
    assert CHECK(arguments) == arguments


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"lines": "12"}, {"lines": 12}),
        ({"share": "0.5"}, {"share": 0.5}),
        ({"deep": "True"}, {"deep": True}),
        ({"lines": None, "deep": None}, {}),
        ({"note": "5"}, {"note": "5"}),
        ({"note": None}, {"note": None}),
    ],
)
def test_numbers_and_truth_in_words_and_absent_values_are_understood(
    written: dict[str, Any], meant: dict[str, Any]
) -> None:
    assert CHECK({"path": "a"} | written) == {"path": "a"} | meant


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "'path' is a required property"),
        ({"path": 5}, "`path` 5 is not of type 'string'"),
        ({"path": None}, "`path` None is not of type 'string'"),
        ({"path": "a", "lines": 0}, "`lines` 0 is less than the minimum of 1"),
        ({"path": "a", "lines": "many"}, "`lines` 'many' is not of type 'integer'"),
        ({"path": "a", "lines": "true"}, "`lines` 'true' is not of type 'integer'"),
        ({"path": "a", "lines": "[" * 100_000}, "`lines` '[["),
        ({"path": "a", "as": "pdf"}, "`as` 'pdf' is not one of ['text', 'hex']"),
        ({"path": "a", "rm": "-rf"}, "Additional properties are not allowed ('rm' was unexpected)"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(arguments: dict[str, Any], problem: str) -> None:
    said = refusal(arguments)
    assert said.startswith(f"Wrong arguments for files_read: {problem}")
    assert "`path`, `lines`, `share`" in said
    assert len(said) < 1_000


@pytest.mark.parametrize("arguments", [[], "path", None, 5])
def test_arguments_are_an_object(arguments: object) -> None:
    assert refusal(arguments) == "The arguments of files_read must be a JSON object."

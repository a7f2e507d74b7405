import json
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import Field

from gadgets.errors import BadArguments
from gadgets.gadget import gadget
from gadgets.schema import validate


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@gadget()
async def everything(
    text: str,
    whole: int,
    real: float = 0.5,
    flag: bool = False,
    choice: Literal["one", "two"] = "one",
    colour: Colour = Colour.RED,
    names: list[str] = ["a"],  # noqa: B006
    maybe: int | None = None,
    old: Optional[str] = None,  # noqa: UP045
    few: Annotated[int, Field(ge=1, le=3)] = 1,
) -> str:
    """Take everything."""
    return text


@gadget()
async def awkward(title: str, json: int, copy: list[int], _hidden: bool, model_fields: str = "x", p0: int = 1) -> str:
    """Take names that others use."""
    return title


VALID: dict[str, Any] = {"text": "a", "whole": 1}


def refusal(arguments: Mapping[str, Any]) -> str:
    with pytest.raises(BadArguments) as caught:
        validate(everything, arguments)
    return str(caught.value)


def test_schema_is_plain_and_without_titles() -> None:
    assert everything.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["text", "whole"],
        "properties": {
            "text": {"type": "string"},
            "whole": {"type": "integer"},
            "real": {"type": "number", "default": 0.5},
            "flag": {"type": "boolean", "default": False},
            "choice": {"type": "string", "enum": ["one", "two"], "default": "one"},
            "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "names": {"type": "array", "items": {"type": "string"}, "default": ["a"]},
            "maybe": {"type": "integer"},
            "old": {"type": "string"},
            "few": {"type": "integer", "minimum": 1, "maximum": 3, "default": 1},
        },
    }
    assert json.loads(json.dumps(everything.parameters)) == everything.parameters


def test_parameters_may_have_any_name() -> None:
    assert list(awkward.parameters["properties"]) == ["title", "json", "copy", "_hidden", "model_fields", "p0"]
    given_arguments = {"title": "t", "json": 1, "copy": [1], "_hidden": True}
    assert validate(awkward, given_arguments) == given_arguments | {"model_fields": "x", "p0": 1}


def test_defaults_are_filled_in() -> None:
    values = validate(everything, VALID)
    assert values["colour"] is Colour.RED
    assert (values["names"], values["maybe"], values["few"]) == (["a"], None, 1)


def test_a_mutable_default_is_not_shared_between_calls() -> None:
    validate(everything, VALID)["names"].append("b")
    assert validate(everything, VALID)["names"] == ["a"]


@pytest.mark.parametrize(
    ("arguments", "name", "expected"),
    [
        ({"whole": "3"}, "whole", 3),
        ({"whole": " -3 "}, "whole", -3),
        ({"whole": 3.0}, "whole", 3),
        ({"real": "2.5"}, "real", 2.5),
        ({"real": 2}, "real", 2.0),
        ({"text": 80202}, "text", "80202"),
        ({"flag": "yes"}, "flag", True),
        ({"flag": 0}, "flag", False),
        ({"choice": " Two "}, "choice", "two"),
        ({"colour": "blue"}, "colour", Colour.BLUE),
        ({"maybe": "7"}, "maybe", 7),
        ({"maybe": None}, "maybe", None),
        ({"maybe": ""}, "maybe", None),
        ({"maybe": "null"}, "maybe", None),
        ({"old": "none"}, "old", "none"),
        ({"names": ["a", 2]}, "names", ["a", "2"]),
    ],
)
def test_what_a_model_means_is_taken(arguments: dict[str, Any], name: str, expected: Any) -> None:
    value = validate(everything, VALID | arguments)[name]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"whole": "three"}, "`whole` must be a whole number"),
        ({"whole": 3.5}, "`whole` must be a whole number"),
        ({"whole": None}, "`whole` must be a whole number"),
        ({"whole": True}, "`whole` must be a number, not true or false"),
        ({"whole": "9" * 5000}, "`whole` is too large a number"),
        ({"real": False}, "`real` must be a number, not true or false"),
        ({"real": "nan"}, "`real` must be a finite number"),
        ({"real": float("inf")}, "`real` must be a finite number"),
        ({"maybe": True}, "`maybe` must be a number, not true or false"),
        ({"flag": "perhaps"}, "`flag` must be true or false"),
        ({"text": ["a"]}, "`text` must be text"),
        ({"text": "\ud800"}, "`text` must be valid Unicode text"),
        ({"choice": "three"}, "`choice` must be 'one' or 'two'"),
        ({"colour": "green"}, "`colour` must be 'red' or 'blue'"),
        ({"names": "a"}, "`names` must be a list"),
        ({"names": ["a", {}]}, "`names` item 2 must be text"),
        ({"few": 4}, "`few` must be less than or equal to 3"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_name_and_problem(arguments: dict[str, Any], problem: str) -> None:
    assert refusal(VALID | arguments) == f"Wrong arguments for everything: {problem}."


def test_missing_and_unknown_names_tell_the_known_ones() -> None:
    text = refusal({"text": "a", "hole": 1})
    assert text.startswith("Wrong arguments for everything: `whole` is missing; `hole` is not one of its parameters.")
    assert "everything has the parameters `text`, `whole`, `real`" in text


def test_internal_field_names_are_no_parameters() -> None:
    assert "`p0` is not one of its parameters" in refusal(VALID | {"p0": "a"})


def test_many_problems_stay_one_short_sentence() -> None:
    text = refusal({f"unknown{at}\n" + "x" * 500: at for at in range(1000)})
    assert len(text) < 600
    assert "\n" not in text


@pytest.mark.parametrize("arguments", [None, [], "text", 3])
def test_arguments_that_are_no_object_are_refused(arguments: Any) -> None:
    assert refusal(arguments) == "The arguments of everything must be a JSON object."


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from([*everything.parameters["properties"], "p0", "self", ""])


def outcome(arguments: dict[str, Any]) -> dict[str, Any] | str:
    try:
        return validate(everything, arguments)
    except BadArguments as exc:
        return str(exc)


@hypothesis_settings(deadline=None)
@given(st.booleans(), st.dictionaries(names | st.text(), json_values))
def test_any_json_is_validated_or_refused_with_a_sentence(complete: bool, arguments: dict[str, Any]) -> None:
    result = outcome(VALID | arguments if complete else arguments)
    if isinstance(result, str):
        assert result.startswith("Wrong arguments for everything: ")
        assert "pydantic" not in result
    else:
        assert result.keys() == everything.parameters["properties"].keys()
        assert type(result["whole"]) is int


@hypothesis_settings(deadline=None)
@given(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_values_of_the_right_type_come_through_unchanged(text: str, whole: int, real: float, flag: bool) -> None:
    arguments = {"text": text, "whole": whole, "real": real, "flag": flag}
    assert validate(everything, arguments).items() >= arguments.items()

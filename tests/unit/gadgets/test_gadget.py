import functools
from typing import Any

import pytest
from pydantic import BaseModel

from gadgets.context import Context
from gadgets.gadget import DEFAULT_TIMEOUT, NoSettings, gadget


class Dials(BaseModel):
    speed: int = 3


@gadget(timeout=2.5, settings=Dials, status="spinning…", approve=True)
async def spin(context: Context, times: int, direction: str = "left") -> str:
    """Spin the
    wheel.

    It makes a noise.

    Args:
        times: How often
            it turns.
        direction: Where to.
    """
    return f"{times} {direction}"


def test_name_and_description_come_from_the_function() -> None:
    assert spin.name == "spin"
    assert spin.description == "Spin the wheel. It makes a noise."


def test_context_is_no_parameter_of_the_model() -> None:
    assert list(spin.parameters["properties"]) == ["times", "direction"]
    assert spin.parameters["required"] == ["times"]


def test_parameter_descriptions_come_from_the_args_section() -> None:
    assert spin.parameters["properties"]["times"]["description"] == "How often it turns."


def test_what_the_decorator_is_given_is_kept() -> None:
    assert (spin.timeout, spin.settings, spin.status, spin.approve) == (2.5, Dials, "spinning…", True)


def test_defaults_are_no_settings_and_a_status_with_the_name() -> None:
    @gadget()
    async def ping() -> str:
        """Answer."""
        return "pong"

    assert (ping.timeout, ping.settings, ping.status) == (DEFAULT_TIMEOUT, NoSettings, "using ping…")
    assert ping.parameters == {"additionalProperties": False, "properties": {}, "type": "object"}


def test_no_settings_refuses_keys() -> None:
    with pytest.raises(ValueError, match="speed"):
        NoSettings.model_validate({"speed": 3})


def test_a_gadget_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        spin.name = "other"  # type: ignore[misc]


def not_async(word: str) -> str:
    """Say it."""
    return word


async def without_docstring(word: str) -> str:
    return word


async def without_description(word: str) -> str:
    """
    Args:
        word: What to say.
    """
    return word


async def without_type(word) -> str:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Say it."""
    return str(word)


async def with_many(*words: str) -> str:
    """Say them."""
    return " ".join(words)


async def with_any_names(**words: str) -> str:
    """Say them."""
    return " ".join(words)


async def with_an_object(word: dict[str, Any]) -> str:
    """Say it."""
    return str(word)


async def with_a_wide_union(word: int | str | None) -> str:
    """Say it."""
    return str(word)


async def with_late_context(word: str, context: Context) -> str:
    """Say it."""
    return word


async def described_wrongly(word: str) -> str:
    """Say it.

    Args:
        wort: A typing error.
    """
    return word


async def with_unknown_type(word: "Nowhere") -> str:  # type: ignore[name-defined] # noqa: F821
    """Say it."""
    return str(word)


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (not_async, "write `async def not_async"),
        (without_docstring, "without_docstring: .*write one"),
        (without_description, "without_description: .*begin it with what the gadget does"),
        (without_type, "`word` has no type; annotate it"),
        (with_many, "`words` cannot be passed by name"),
        (with_any_names, "`words` cannot be passed by name"),
        (with_an_object, "use str, int, float"),
        (with_a_wide_union, "use str, int, float"),
        (with_late_context, "`context` has a type that a model cannot fill in"),
        (described_wrongly, "describes `wort`; name an existing parameter"),
        (with_unknown_type, "`Nowhere` is unknown; import it"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_function_that_cannot_be_a_gadget_is_refused_with_advice(function: Any, advice: str) -> None:
    with pytest.raises(TypeError, match=advice):
        gadget()(function)


def test_an_async_function_behind_a_wrapper_keeps_its_schema() -> None:
    async def count(start: int) -> str:
        """Count."""
        return str(start)

    @functools.wraps(count)
    async def wrapped(*args: Any, **kwargs: Any) -> str:
        return await count(*args, **kwargs)

    assert gadget()(wrapped).parameters["properties"] == {"start": {"type": "integer"}}

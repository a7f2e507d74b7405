"""`@gadget` turns a typed async function with a docstring into a gadget.

The function's name, docstring and signature are all that a model is told:

    @gadget(status="rolling the dice…")
    async def dice(sides: int = 6) -> str:
        '''Roll one die with this many sides.'''
        return str(secrets.randbelow(sides) + 1)

An `Args:` section in the docstring describes the parameters.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from gadgets.schema import docstring, json_schema

DEFAULT_TIMEOUT = 20.0
"""Seconds a gadget may take when it says nothing else."""

Function = Callable[..., Awaitable[Any]]


class NoSettings(BaseModel):
    """For gadgets with nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Gadget:
    """A tool as the model is told of it, and the function that does it.

    `parameters` is a JSON Schema. `function` takes the arguments by name, after a `Context` where its first parameter
    is one, and returns text or any value that JSON can hold. `timeout` is in seconds. `settings` is the model of
    `[gadgets.<name>]`. `status` is what the user sees while it runs. `keeps` is the name under which a family of
    gadgets keeps state in a conversation (see `Context.keep`); such gadgets run one after another, in the order of
    their calls.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    function: Function
    timeout: float = DEFAULT_TIMEOUT
    settings: type[BaseModel] = NoSettings
    status: str = ""
    keeps: str = ""


def gadget(
    *, timeout: float = DEFAULT_TIMEOUT, settings: type[BaseModel] = NoSettings, status: str = "", keeps: str = ""
) -> Callable[[Function], Gadget]:
    """Make the decorated async function a `Gadget` of its name.

    Raises TypeError, with what to do, for a function without docstring, without types, or not async.
    """

    def decorate(function: Function) -> Gadget:
        name = function.__name__
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{name}: a gadget is awaited; write `async def {name}(…)`.")
        return Gadget(
            name=name,
            description=_description(function),
            parameters=json_schema(function),
            function=function,
            timeout=timeout,
            settings=settings,
            status=status or f"using {name}…",
            keeps=keeps,
        )

    return decorate


def _description(function: Function) -> str:
    text = " ".join((docstring(function).description or "").split())
    if not text:
        raise TypeError(f"{function.__name__}: a model chooses by the docstring; write one that says what it does.")
    return text

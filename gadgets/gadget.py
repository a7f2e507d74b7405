"""`@gadget` turns a typed async function with a docstring into a gadget.

The function's name, docstring and signature are all that a model is told:

    @gadget(status="tossing a coin…")
    async def coin(times: int = 1) -> str:
        '''Toss a coin this many times.'''
        return ", ".join(secrets.choice(("heads", "tails")) for _ in range(times))

An `Args:` section in the docstring describes the parameters.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from gadgets.roles import Role
from gadgets.schema import docstring, json_schema

DEFAULT_TIMEOUT = 20.0
"""Seconds a gadget may take when it says nothing else."""

Function = Callable[..., Awaitable[Any]]
Check = Callable[[Mapping[str, Any]], dict[str, Any]]


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

    `allow` is the role that may use it. `cache_ttl` is for how many seconds a result may be given again to the same
    question, None where that would be wrong; with `private`, only to the same user: a gadget whose results are for
    everybody is not told who asks. With `approve`, somebody is asked before each call whether it may run. An operator
    may set all three anew (see gadgets.policy).

    `origin` names the server of a gadget that is another program's (see gadgets.mcp). Such a one has a `check` in place
    of a signature: it gives the arguments to call `function` with, which takes no `Context`, or raises BadArguments.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    function: Function
    timeout: float = DEFAULT_TIMEOUT
    settings: type[BaseModel] = NoSettings
    status: str = ""
    keeps: str = ""
    allow: Role = "everyone"
    cache_ttl: float | None = None
    private: bool = False
    approve: bool = False
    origin: str = ""
    check: Check | None = None


def gadget(
    *,
    timeout: float = DEFAULT_TIMEOUT,
    settings: type[BaseModel] = NoSettings,
    status: str = "",
    keeps: str = "",
    allow: Role = "everyone",
    cache_ttl: float | None = None,
    private: bool = False,
    approve: bool = False,
) -> Callable[[Function], Gadget]:
    """Make the decorated async function a `Gadget` of its name.

    Raises TypeError, with what to do, for a function without docstring, without types, or not async, and for a gadget
    that keeps a state while its results are to be cached.
    """

    def decorate(function: Function) -> Gadget:
        name = function.__name__
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{name}: a gadget is awaited; write `async def {name}(…)`.")
        if keeps and cache_ttl is not None:
            raise TypeError(f"{name}: what depends on a state cannot be cached; leave out `cache_ttl`.")
        return Gadget(
            name=name,
            description=_description(function),
            parameters=json_schema(function),
            function=function,
            timeout=timeout,
            settings=settings,
            status=status or f"using {name}…",
            keeps=keeps,
            allow=allow,
            cache_ttl=cache_ttl,
            private=private,
            approve=approve,
        )

    return decorate


def _description(function: Function) -> str:
    text = " ".join((docstring(function).description or "").split())
    if not text:
        raise TypeError(f"{function.__name__}: a model chooses by the docstring; write one that says what it does.")
    return text

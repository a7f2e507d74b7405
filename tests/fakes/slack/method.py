"""What a Web API method is to the fake: who may call it, with which arguments, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.fakes.slack.arguments import Field, fields
from tests.fakes.slack.refusals import Json
from tests.fakes.slack.workspace import Workspace

Run = Callable[[Workspace, Json], Json]
"""Does the call at once, with checked arguments; returns the answer without `ok`; raises Refusal."""


@dataclass(frozen=True, slots=True)
class Method:
    """`scopes`: any of them will do, none needed when empty. `json`: whether it takes a JSON body."""

    name: str
    run: Run
    arguments: Mapping[str, Field]
    scopes: tuple[str, ...] = ()
    tier: int = 3
    json: bool = True


def method(name: str, run: Run, arguments: str = "", *, scopes: str = "", tier: int = 3, json: bool = True) -> Method:
    """`arguments` as in `arguments.fields`, `scopes` separated by spaces."""
    return Method(name, run, fields(arguments), tuple(scopes.split()), tier, json)

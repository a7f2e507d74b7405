"""The gadgets an agent may use, and the one way to call them: whatever happens, the model gets a text to read."""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from gadgets.context import Context, Occasion
from gadgets.errors import BadArguments, GadgetError, GadgetFailed
from gadgets.gadget import Gadget
from gadgets.schema import takes_context, validate
from gadgets.text import clean, clip, excerpt

if TYPE_CHECKING:
    import aiohttp

MAX_RESULT = 8_000
"""Characters of a result that a model is given."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call. `text` is for the model; `retry` tells that another call with other words may work.

    `state` is what the gadget's family keeps about the conversation from now on, None where that did not change.
    `ends`: the conversation is completed with this turn.
    """

    text: str
    ok: bool
    retry: bool = False
    state: dict[str, Any] | None = None
    ends: bool = False


class Toolbox:
    """A set of gadgets with different names, in the order given.

    Raises ValueError when two have the same name.
    """

    def __init__(self, gadgets: Sequence[Gadget]) -> None:
        self.gadgets = tuple(gadgets)
        self._by_name = {each.name: each for each in self.gadgets}
        if len(self._by_name) < len(self.gadgets):
            raise ValueError("Two gadgets have the same name; rename one of the functions.")

    def find(self, name: str) -> Gadget | None:
        return self._by_name.get(name)

    def only(self, names: Iterable[str]) -> "Toolbox":
        """The gadgets with these names. A name that nothing has is left out: `find` tells."""
        wanted = set(names)
        return Toolbox([each for each in self.gadgets if each.name in wanted])

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        http: "aiohttp.ClientSession",
        occasion: Occasion,
        settings: Mapping[str, BaseModel],
    ) -> Outcome:
        """Validate the arguments, run the gadget within its time and bound its result.

        `settings` maps gadget names to their settings; one that is missing has its model's defaults. Raises nothing
        but CancelledError: every failure is an outcome whose text says what to do.
        """
        found = self.find(name)
        if found is None:
            return _outcome(self._unknown(name), ok=False, retry=True)
        try:
            chosen = settings[name] if name in settings else found.settings()
            context = Context(http, chosen, occasion)
            text = await _run(found, context, arguments)
            return replace(_outcome(text, ok=True), state=_kept(found, context), ends=context.effects.ends)
        except GadgetError as exc:
            return _outcome(str(exc), ok=False, retry=isinstance(exc, BadArguments))
        except Exception:
            logger.exception("the gadget %s failed", found.name)
            return _outcome(f"{found.name} failed because of an internal error.", ok=False)

    def _unknown(self, name: str) -> str:
        known = ", ".join(self._by_name) or "none"
        return f"There is no gadget `{excerpt(str(name))}`. The gadgets are: {known}."


async def _run(gadget: Gadget, context: Context, arguments: Mapping[str, Any]) -> str:
    values = validate(gadget, arguments)
    first = (context,) if takes_context(gadget.function) else ()
    limit = asyncio.timeout(gadget.timeout)
    try:
        async with limit:
            result = await gadget.function(*first, **values)
    except TimeoutError:
        if not limit.expired():  # raised inside the gadget, for a reason of its own
            raise
        raise GadgetFailed(f"{gadget.name} took longer than {gadget.timeout:g} seconds and was stopped.") from None
    return result if isinstance(result, str) else _compact(result)


def _kept(gadget: Gadget, context: Context) -> dict[str, Any] | None:
    """The state to store. Raises TypeError for a gadget that keeps nothing, and for what JSON cannot hold."""
    state = context.effects.state
    if state is not None and not gadget.keeps:
        raise TypeError(f'{gadget.name} keeps a state without a name for it; write `@gadget(keeps="…")`.')
    json.dumps(state, allow_nan=False)
    return state


def _compact(result: Any) -> str:
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _outcome(text: str, *, ok: bool, retry: bool = False) -> Outcome:
    return Outcome(clip(clean(text), MAX_RESULT), ok, retry)

"""The gadgets an agent may use, and the one way to call them: whatever happens, the model gets a text to read."""

import asyncio
import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel

from gadgets.cache import ResultCache, key_of
from gadgets.context import Context, NotesOf, Occasion
from gadgets.errors import BadArguments, GadgetError, GadgetFailed
from gadgets.gadget import Gadget
from gadgets.roles import Role, reaches, those
from gadgets.schema import takes_context, validate
from gadgets.text import clean, clip, excerpt

if TYPE_CHECKING:
    import aiohttp

MAX_RESULT = 8_000
"""Characters of a result that a model is given."""

MAX_SHOWN = 2_000
"""Characters that a gadget may have shown behind the answer."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call. `text` is for the model; `retry` tells that another call with other words may work.

    `state` is what the gadget's family keeps about the conversation from now on, None where that did not change.
    `shown` is Markdown that people are to see as it is, behind the answer. `ends`: the conversation is completed with
    this turn. `cached`: the result of an earlier call of the same, or of one
    that was running. The tokens are those that the gadget asked the language model for.
    """

    text: str
    ok: bool
    retry: bool = False
    state: dict[str, Any] | None = None
    shown: str = ""
    ends: bool = False
    cached: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Visiting(Protocol):
    """Gadgets that come and go while the program runs. Each has an `origin`, with which its name begins."""

    @property
    def version(self) -> int:
        """Another number whenever there are other gadgets."""
        ...

    @property
    def gadgets(self) -> Sequence[Gadget]: ...

    def find(self, name: str) -> Gadget | None: ...

    async def settle(self, named: Collection[str]) -> None:
        """Wait a moment for gadgets that are named and may be about to come."""
        ...

    def absence(self, name: str) -> str | None:
        """A sentence about a gadget that cannot be there now, if that is so."""
        ...


class Toolbox:
    """A set of gadgets with different names, in the order given, and after them those that are `visiting`.

    `notes_of` gives gadgets the notes of whoever asks. Raises ValueError when two gadgets have the same name.
    """

    def __init__(
        self,
        gadgets: Sequence[Gadget],
        *,
        notes_of: NotesOf | None = None,
        cache: ResultCache | None = None,
        visiting: Visiting | None = None,
    ) -> None:
        self._own = tuple(gadgets)
        self._notes_of = notes_of
        self._cache = cache or ResultCache()
        self._by_name = {each.name: each for each in self._own}
        self._visiting = visiting
        if len(self._by_name) < len(self._own):
            raise ValueError("Two gadgets have the same name; rename one of the functions.")

    @property
    def gadgets(self) -> tuple[Gadget, ...]:
        if self._visiting is None:
            return self._own
        return (*self._own, *(each for each in self._visiting.gadgets if each.name not in self._by_name))

    @property
    def version(self) -> int:
        """Another number whenever there are other gadgets."""
        return self._visiting.version if self._visiting else 0

    def find(self, name: str) -> Gadget | None:
        found = self._by_name.get(name)
        return self._visiting.find(name) if found is None and self._visiting else found

    def only(self, names: Iterable[str], role: Role = "admin") -> "Toolbox":
        """The gadgets with these names that somebody with this role may use. A name that nothing has is left out.

        `*` at the end of a name stands for whatever follows in the name of a visiting gadget, and for nothing in the
        names of others.
        """
        wanted = set(names)
        starts = tuple(name.removesuffix("*") for name in wanted if name.endswith("*"))
        named = [g for g in self.gadgets if g.name in wanted or (g.origin and g.name.startswith(starts))]
        return Toolbox([each for each in named if reaches(role, each.allow)])

    async def settle(self, named: Collection[str]) -> None:
        """Wait a moment, after the start, for gadgets that are named and may be about to come."""
        if self._visiting is not None:
            await self._visiting.settle(named)

    def absence(self, name: str) -> str | None:
        """A sentence about a gadget that cannot be there now, if that is so."""
        return self._visiting.absence(name) if self._visiting else None

    def forget(self, user: str) -> None:
        """Drop the results that are kept for a user, such as `discord:123`, alone."""
        self._cache.forget(user)

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        http: "aiohttp.ClientSession",
        occasion: Occasion,
        settings: Mapping[str, BaseModel],
    ) -> Outcome:
        """Check that the asker may, validate the arguments, run the gadget within its time and bound its result.

        `settings` maps gadget names to their settings; one that is missing has its model's defaults. Raises nothing
        but CancelledError: every failure is an outcome whose text says what to do.
        """
        found = self.find(name)
        if found is None:
            return _outcome(self._unknown(name), ok=False, retry=True)
        if not reaches(occasion.role, found.allow):
            return _outcome(f"{name} is only for {those(found.allow)}, and the user is none of them.", ok=False)
        try:
            values = validate(found, arguments)
            chosen = settings[name] if name in settings else found.settings()
        except BadArguments as exc:
            return _outcome(str(exc), ok=False, retry=True)
        except Exception:
            logger.exception("the settings of the gadget %s cannot be used", name)
            return _broken(found)
        return await self._called(found, Context(http, chosen, occasion, notes_of=self._notes_of), values)

    async def _called(self, gadget: Gadget, context: Context, values: Mapping[str, Any]) -> Outcome:
        """Run it, unless the same was asked a short time ago and the result may be given again."""
        if not gadget.cache_ttl or (gadget.private and not context.user):
            return await _run(gadget, context, values)
        # What others are given, too, cannot depend on who asked first; nor on the conversation, whoever asks.
        asker = context.user if gadget.private else ""
        anywhere = replace(context, occasion=Occasion(asker, ask=context.occasion.ask))
        key = key_of(gadget.name, asker, values)
        return await self._cache.get(key, gadget.cache_ttl, lambda: _run(gadget, anywhere, values))

    def _unknown(self, name: str) -> str:
        known = ", ".join(self._by_name) or "none"
        return f"There is no gadget `{excerpt(str(name))}`. The gadgets are: {known}."


async def _run(gadget: Gadget, context: Context, values: Mapping[str, Any]) -> Outcome:
    effects = context.effects
    try:
        outcome = _outcome(await _result(gadget, context, values), ok=True)
        shown = clip(clean(effects.shown), MAX_SHOWN)
        outcome = replace(outcome, state=_kept(gadget, context), shown=shown, ends=effects.ends)
    except GadgetError as exc:
        outcome = _outcome(str(exc), ok=False, retry=isinstance(exc, BadArguments))
    except Exception:
        logger.exception("the gadget %s failed", gadget.name)
        outcome = _broken(gadget)
    return replace(outcome, prompt_tokens=effects.prompt_tokens, completion_tokens=effects.completion_tokens)


def _broken(gadget: Gadget) -> Outcome:
    return _outcome(f"{gadget.name} failed because of an internal error.", ok=False)


async def _result(gadget: Gadget, context: Context, values: Mapping[str, Any]) -> str:
    first = (context,) if gadget.check is None and takes_context(gadget.function) else ()
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

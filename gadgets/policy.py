"""What an operator may say of any gadget in `[gadgets.<name>]`, beside the gadget's own settings: who may use it,
whether somebody has to approve each call, and how long its results are kept.
"""

from dataclasses import replace
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from gadgets.gadget import Gadget, NoSettings
from gadgets.roles import Role

MAX_TTL = 7 * 86_400.0
"""Seconds."""


def table_model(gadget: Gadget) -> type[BaseModel]:
    """The model of `[gadgets.<name>]`: the gadget's own settings, `allow`, `approve`, and where results may be kept
    `cache_ttl`.

    Raises TypeError when the gadget's own settings use one of these names.
    """
    return _table_model(gadget.settings, gadget.allow, gadget.approve, gadget.cache_ttl)


def configured(gadget: Gadget, table: BaseModel) -> Gadget:
    """The gadget as its table has it."""
    fields = _fields(gadget.allow, gadget.approve, gadget.cache_ttl)
    return replace(gadget, **{name: getattr(table, name) for name in fields})


@cache
def _table_model(settings: type[BaseModel], allow: Role, approve: bool, cache_ttl: float | None) -> type[BaseModel]:
    fields = _fields(allow, approve, cache_ttl)
    if taken := sorted(settings.model_fields.keys() & fields):
        raise TypeError(f"{settings.__name__}: `{taken[0]}` is a setting of every gadget; name yours otherwise.")
    about = None if settings is NoSettings else settings.__doc__
    return create_model(settings.__name__, __base__=settings, __doc__=about, **fields)


def _fields(allow: Role, approve: bool, cache_ttl: float | None) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "allow": (Role, Field(allow, description="Who may use it: everyone, member, operator or admin.")),
        "approve": (
            bool,
            Field(approve, strict=True, description="Whether each call waits until somebody approves it."),
        ),
    }
    if cache_ttl is not None:
        about = "Seconds for which a result is given again to the same question; 0: it is not."
        fields["cache_ttl"] = (Annotated[float, Field(ge=0, le=MAX_TTL)], Field(cache_ttl, description=about))
    return fields

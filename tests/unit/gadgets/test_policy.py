import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from gadgets.catalogue import ALL
from gadgets.gadget import Gadget, gadget
from gadgets.policy import configured, table_model


class Dials(BaseModel):
    """How it is set."""

    model_config = ConfigDict(extra="forbid")

    level: int = 5


@gadget(settings=Dials, allow="member", cache_ttl=30)
async def spin() -> str:
    """Turn around."""
    return "done"


@gadget()
async def ping() -> str:
    """Answer."""
    return "pong"


def test_a_table_holds_the_gadgets_own_settings_and_the_common_ones() -> None:
    table = table_model(spin)()
    assert isinstance(table, Dials)
    assert table.model_dump() == {"level": 5, "allow": "member", "approve": False, "cache_ttl": 30.0}
    assert type(table).__doc__ == "How it is set."


def test_an_operator_decides_anew() -> None:
    table = table_model(spin).model_validate({"allow": "admin", "approve": True, "cache_ttl": 0})
    changed = configured(spin, table)
    assert (changed.allow, changed.approve, changed.cache_ttl) == ("admin", True, 0)
    assert configured(changed, table_model(changed)()) == changed


def test_an_operator_can_trust_what_its_maker_would_have_approved() -> None:
    @gadget(approve=True)
    async def launch() -> str:
        """Launch."""
        return "gone"

    assert configured(launch, table_model(launch)()) == launch
    assert not configured(launch, table_model(launch).model_validate({"approve": False})).approve


def test_what_must_not_be_cached_has_no_such_setting() -> None:
    with pytest.raises(ValidationError, match="cache_ttl"):
        table_model(ping).model_validate({"cache_ttl": 60})
    assert configured(ping, table_model(ping)()) == ping


@pytest.mark.parametrize(
    "wrong",
    [
        {"allow": "root"},
        {"approve": "yes"},
        {"approve": 1},
        {"cache_ttl": -1},
        {"cache_ttl": float("nan")},
        {"tpyo": 1},
    ],
)
def test_a_table_refuses_what_makes_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        table_model(spin).model_validate(wrong)


def test_a_gadgets_own_setting_cannot_have_a_common_name() -> None:
    class Wrong(BaseModel):
        allow: bool = True

    @gadget(settings=Wrong)
    async def door() -> str:
        """Open."""
        return ""

    with pytest.raises(TypeError, match="`allow`"):
        table_model(door)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_every_gadget_of_the_catalogue_is_as_its_table_says_by_default(each: Gadget) -> None:
    assert configured(each, table_model(each)()) == each

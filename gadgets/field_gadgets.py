"""The gadgets of the field mission: what the Taskmaster's model may do, each a move that the machine validates."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from gadgets import field_mission, open_meteo
from gadgets.context import Context
from gadgets.errors import GadgetFailed
from gadgets.field_cities import City
from gadgets.field_mission import NO_MISSION, Move
from gadgets.field_state import FAMILY, Mission, kept, loaded
from gadgets.field_wardrobe import Weather, observed, usual
from gadgets.gadget import Gadget, gadget
from gadgets.places import Place

if TYPE_CHECKING:
    from collections.abc import Callable


class TravelSettings(BaseModel):
    """The weather at the destination: what `forecast_url` says within `timeout_seconds`, else what it usually is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    forecast_url: str = "https://api.open-meteo.com/v1/forecast"
    timeout_seconds: float = Field(default=6.0, gt=0)


@gadget(keeps=FAMILY, status="opening the sealed envelope…")
async def brief(context: Context) -> str:
    """Begin the field mission and give the briefing. For: start, begin, new mission, I am ready."""
    if loaded(context.state):
        return _status(context)
    return _moved(context, field_mission.brief(context.conversation, context.turn, _now()))


@gadget(keeps=FAMILY, status="boarding…", settings=TravelSettings)
async def travel(context: Context, destination: str) -> str:
    """Travel to the city that the player has decided on. For: fly to, go to, take me to.

    Args:
        destination: The city, as the player named it.
    """
    mission = loaded(context.state)
    if mission is None:
        return NO_MISSION
    city = field_mission.destination(mission, destination)
    weather = await _weather(context, city, mission.seed) if city else None
    return _moved(context, field_mission.travel(mission, context.turn, destination, weather))


@gadget(keeps=FAMILY, status="dressing up…")
async def disguise(context: Context, outfit: str) -> str:
    """Put on the outfit that the player has decided on. For: I wear, put on, dress as.

    Args:
        outfit: The outfit, as the player named it.
    """
    return _move(context, lambda mission: field_mission.disguise(mission, context.turn, outfit))


@gadget(keeps=FAMILY, status="checking the solution…")
async def crack(context: Context, guess: str) -> str:
    """Check the player's solution of the secret code. For: it says, the message reads, the solution is, is it.

    Args:
        guess: The player's solution, exactly as written.
    """
    return _move(context, lambda mission: field_mission.crack(mission, context.turn, guess))


@gadget(keeps=FAMILY, status="calling the archive…")
async def hint(context: Context) -> str:
    """Give the player a hint. For: help, hint, clue, I am stuck, I give up."""
    return _move(context, lambda mission: field_mission.hint(mission, context.turn))


@gadget(keeps=FAMILY, status="calling headquarters…")
async def report(context: Context, text: str) -> str:
    """Send the player's final report to headquarters. For: report back, tell headquarters, mission report.

    Args:
        text: The player's report, exactly as written.
    """
    return _move(context, lambda mission: field_mission.report(mission, context.turn, text, _now()))


@gadget(keeps=FAMILY, status="looking at the file…")
async def status(context: Context) -> str:
    """Answer questions about the mission. For: where can I go, what can I wear, what was the code, what now, score."""
    return _status(context)


FIELD_MISSION: tuple[Gadget, ...] = (brief, travel, disguise, crack, hint, report, status)


def _status(context: Context) -> str:
    mission = loaded(context.state)
    if mission is None:
        return NO_MISSION
    _show(context, mission)
    return field_mission.describe(context.state)


def _move(context: Context, move: "Callable[[Mission], Move]") -> str:
    mission = loaded(context.state)
    return NO_MISSION if mission is None else _moved(context, move(mission))


def _moved(context: Context, move: Move) -> str:
    context.keep(kept(move.mission))
    _show(context, move.mission)
    return move.text


def _show(context: Context, mission: Mission) -> None:
    """Codes, lists and points do not depend on how well a model retells them."""
    context.show(field_mission.card(mission))
    if mission.phase == "over":
        context.complete()


async def _weather(context: Context, city: City, seed: str) -> Weather:
    """What it is like there now, or, where nobody can tell, what it usually is."""
    settings: TravelSettings = context.settings
    place = Place(city.name, "", city.country, city.latitude, city.longitude, "")
    try:
        report = await open_meteo.forecast(context.http, settings.forecast_url, settings.timeout_seconds, place)
    except GadgetFailed:
        return usual(city, _now().month, seed)
    return observed(report)


def _now() -> datetime:
    return datetime.now(UTC)

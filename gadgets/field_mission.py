"""The field mission: travel → disguise → crack the code → report back. A finite state machine, pure.

A move takes a mission and gives what it is afterwards and what there is to tell. A move that is not possible now, or is
made twice, changes nothing but the time that it took, and says what is possible.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from gadgets.field_cities import City
from gadgets.field_state import HINT_COSTS, MAX_TRIED, PHASES, Mission, Phase, counted, drawn, loaded, normalised
from gadgets.field_wardrobe import BY_NAME, Weather, named, problem, rack
from gadgets.text import excerpt

NO_MISSION = "There is no field mission yet. Ask for a briefing and one begins."
MAX_EXTRA = 80
"""Characters around the right text with which a guess still counts."""
MIN_REPORT = 3
"""Words."""
_RANKS = ((100, "a legend of the service"), (80, "an ace"), (60, "a reliable agent"), (0, "a survivor"))


@dataclass(frozen=True, slots=True)
class Move:
    """The mission after a move, and what happened."""

    mission: Mission
    text: str


def brief(seed: str, turn: int, now: datetime) -> Move:
    """A new mission."""
    mission = drawn(seed, turn, now)
    return Move(mission, f"Your mission: travel, blend in, crack a code, report back. {objective(mission)}")


def destination(mission: Mission, wanted: str) -> City | None:
    """The city that is meant, if one can travel now and it is among those offered."""
    place = _place(mission, wanted)
    return replace(mission, at=place).city if place is not None and mission.phase == "travel" else None


def travel(mission: Mission, turn: int, wanted: str, weather: Weather | None) -> Move:
    """Go there. `weather` is that of the `destination`, None where there is none to go to."""
    mission = counted(mission, turn)
    place = _place(mission, wanted)
    if mission.phase != "travel":
        return _refused(mission, f"You are in {mission.city.name} already, and the way back leads through the job.")
    if place is None or weather is None:
        return _refused(mission, f"No ticket was issued to “{excerpt(wanted)}”.")
    there = replace(mission, phase="disguise", at=place, weather=weather)
    there = replace(there, rack=rack(weather, there.city, there.seed))
    scene = f"The weather: {weather}. Your contact waits at this place: {there.city.scene}."
    return Move(there, f"You have arrived in {there.city.name}. {scene} {objective(there)}")


def disguise(mission: Mission, turn: int, wanted: str) -> Move:
    mission = counted(mission, turn)
    if mission.phase != "disguise" or mission.weather is None:
        early = mission.phase == "travel"
        return _refused(mission, "You dress where you work: travel first." if early else "You are dressed already.")
    name = named(wanted, mission.rack)
    if name is None:
        return _refused(mission, f"“{excerpt(wanted)}” does not hang on this rack.")
    flaw = problem(BY_NAME[name], mission.weather, mission.city)
    if flaw:
        return _mistaken(mission, name, f"The {name} would give you away: {flaw}.")
    dressed = replace(mission, phase="crack", outfit=name)
    return Move(
        dressed, f"The {name} is perfect: nobody looks twice, and the contact makes contact. {objective(dressed)}"
    )


def crack(mission: Mission, turn: int, guess: str) -> Move:
    mission = counted(mission, turn)
    if mission.phase != "crack":
        early = mission.phase in {"travel", "disguise"}
        return _refused(mission, "You have no code to crack yet." if early else "That code is cracked already.")
    said, meant = normalised(guess), normalised(mission.plaintext)
    if meant in said and len(said) <= len(meant) + MAX_EXTRA:
        solved = replace(mission, phase="report")
        return Move(solved, f"Cracked! The message reads: “{mission.plaintext}”. {objective(solved)}")
    if not said or said == normalised(mission.ciphertext):
        return _refused(mission, "That is the code as it stands, not what it means.")
    return _mistaken(mission, sha256(said.encode()).hexdigest()[:16], f"Wrong: {_right_words(mission, guess)}.")


def hint(mission: Mission, turn: int) -> Move:
    """One a turn, each clearer and dearer than the one before; when all are given, they are repeated for nothing."""
    mission = counted(mission, turn)
    if mission.phase == "disguise":
        return _disguise_hint(mission)
    if mission.phase != "crack":
        return _refused(mission, "There is nothing to hint at here.")
    all_of_them = mission.cipher.hints(mission.offer.key)
    if mission.hints < len(all_of_them) and (not mission.hints or mission.hinted_in != turn):
        mission = replace(mission, hints=mission.hints + 1, hinted_in=turn)
        cost = f" That hint cost {HINT_COSTS[mission.hints - 1]} points."
    else:
        cost = " That is all there is to know." if mission.hints == len(all_of_them) else ""
    return Move(mission, f"Hint {mission.hints} of {len(all_of_them)}: {mission.clues[-1]}{cost} {objective(mission)}")


def report(mission: Mission, turn: int, text: str, now: datetime) -> Move:
    """The end, if the report tells something of what the message said."""
    mission = counted(mission, turn)
    if mission.phase == "over":
        return Move(mission, _ended(mission))
    if mission.phase != "report":
        return _refused(mission, "Headquarters hangs up: there is nothing to report yet.")
    words = {normalised(word) for word in text.split()}
    known = {normalised(word) for word in mission.plaintext.split() if len(word) > 3}
    if len(words) < MIN_REPORT or not known & words:
        return _refused(mission, "Headquarters cannot make sense of that.")
    over = replace(mission, phase="over", ended=now.isoformat(timespec="seconds"))
    return Move(over, _ended(over))


def objective(mission: Mission) -> str:
    """What is to be done now."""
    match mission.phase:
        case "travel":
            return "Now choose one of the three tickets."
        case "disguise":
            return "Now choose a disguise from the rack that suits the weather and the place."
        case "crack":
            return "Now crack the code that your contact slipped you."
        case "report":
            return "Now report back to headquarters, in your own words: what did the message say?"
        case "over":
            return "This mission is over."


def card(mission: Mission) -> str:
    """All that one needs for the objective, as Markdown."""
    match mission.phase:
        case "travel":
            return f"**Tickets:**{_listed(_offered(mission))}"
        case "disguise":
            place = (
                f"**{mission.city.name}:** {mission.weather}. Your contact waits at this place: {mission.city.scene}."
            )
            hint = f"\n**Hint:** nobody would notice the {_suitable(mission)[0]}." if mission.outfit_hinted else ""
            return f"{place}\n**On the rack:**{_listed(str(BY_NAME[name]) for name in mission.rack)}{hint}"
        case "crack":
            hints = f"\n**Hints:**{_listed(mission.clues)}" if mission.clues else ""
            return f"**The code:** `{mission.ciphertext}`{hints}"
        case "report":
            return f"**The message:** “{mission.plaintext}”"
        case "over":
            return f"**Debrief: {mission.score} points, the mark of {_rank(mission)}**{_listed(_accounts(mission))}"


def describe(state: Mapping[str, Any]) -> str:
    """A mission for people, as Markdown; empty where there is none."""
    mission = loaded(state)
    if mission is None:
        return ""
    if mission.phase == "over":
        return f"**Field mission**, {PHASES['over']} in {mission.city.name}\n{card(mission)}"
    phases: list[Phase] = list(PHASES)
    at = f"phase {phases.index(mission.phase) + 1} of {len(phases) - 1}: {PHASES[mission.phase]}"
    return (
        f"**Field mission**, {at}\n**Objective:** {objective(mission)}\n{card(mission)}\n"
        f"**Score:** {mission.score} points ({_count(mission.turns, 'turn')}, {_count(_hints(mission), 'hint')}, "
        f"{_count(mission.mistakes, 'mistake')})"
    )


def _rank(mission: Mission) -> str:
    return next(name for least, name in _RANKS if mission.score >= least)


def _accounts(mission: Mission) -> Iterator[str]:
    """What the score is made of."""
    yield (
        f"Time: {_count(mission.turns, 'turn')} (-{mission.late}); {_count(mission.minutes, 'minute')}, from "
        f"{_clock(mission.started)} to {_clock(mission.ended)} UTC"
    )
    yield f"Hints: {_hints(mission)} (-{mission.helped})"
    yield f"Mistakes: {mission.mistakes} (-{mission.clumsy})"
    yield f"{mission.offer.cipher} code: +{mission.cipher.bonus}"


def _suitable(mission: Mission) -> list[str]:
    """The outfits on the rack that suit."""
    assert mission.weather is not None
    return [name for name in mission.rack if not problem(BY_NAME[name], mission.weather, mission.city)]


def _refused(mission: Mission, why: str) -> Move:
    return Move(mission, f"{why} {objective(mission)}")


def _mistaken(mission: Mission, tried: str, why: str) -> Move:
    """The same mistake twice counts once."""
    if tried in mission.tried:
        return _refused(mission, f"You tried exactly that before. {why}")
    return _refused(replace(mission, mistakes=mission.mistakes + 1, tried=(*mission.tried, tried)[-MAX_TRIED:]), why)


def _disguise_hint(mission: Mission) -> Move:
    hinted = replace(mission, outfit_hinted=True)
    cost = "" if mission.outfit_hinted else f" That hint cost {HINT_COSTS[0]} points."
    return Move(hinted, f"Nobody would notice the {_suitable(mission)[0]}.{cost} {objective(hinted)}")


def _ended(mission: Mission) -> str:
    return f"Mission accomplished in {mission.city.name}: {mission.score} points, the mark of {_rank(mission)}."


def _place(mission: Mission, wanted: str) -> int | None:
    name = named(wanted, [offer.city for offer in mission.offers])
    return next((place for place, offer in enumerate(mission.offers) if offer.city == name), None)


def _offered(mission: Mission) -> Iterator[str]:
    for place in range(len(mission.offers)):
        there = replace(mission, at=place)
        bonus = f"bonus {there.cipher.bonus}" if there.cipher.bonus else "no bonus"
        yield f"{there.city.name}, {there.city.country} ({there.offer.cipher} code, {bonus})"


def _listed(lines: Iterable[str]) -> str:
    return "".join(f"\n- {line}" for line in lines)


def _right_words(mission: Mission, guess: str) -> str:
    words, said = mission.plaintext.split(), {normalised(word) for word in guess.split()}
    right = sum(normalised(word) in said for word in words)
    return f"{right} of {len(words)} words are right"


def _hints(mission: Mission) -> int:
    return mission.hints + mission.outfit_hinted


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _clock(time: str) -> str:
    return time[:16].replace("T", " ")

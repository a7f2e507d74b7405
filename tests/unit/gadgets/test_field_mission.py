"""The field mission's state machine: what is possible when, what it costs, what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadgets import field_mission
from gadgets.field_ciphers import CIPHERS
from gadgets.field_mission import Move, card, describe
from gadgets.field_state import HINT_COSTS, Mission, Phase, drawn, kept, loaded, normalised
from gadgets.field_wardrobe import BY_NAME, Weather, problem

NOW = datetime(2026, 6, 10, 20, 15, tzinfo=UTC)
MILD = Weather(15.0, "overcast", wet=False, sunny=False)
SEED = "k7qm2x9abc"


def begun(seed: str = SEED) -> Mission:
    return field_mission.brief(seed, 1, NOW).mission


def arrived(seed: str = SEED, place: int = 0) -> Mission:
    mission = begun(seed)
    return field_mission.travel(mission, 2, mission.offers[place].city, MILD).mission


def outfits(mission: Mission, *, right: bool) -> list[str]:
    return [name for name in mission.rack if bool(problem(BY_NAME[name], MILD, mission.city)) != right]


def dressed(seed: str = SEED, place: int = 0) -> Mission:
    mission = arrived(seed, place)
    return field_mission.disguise(mission, 3, outfits(mission, right=True)[0]).mission


def solved(seed: str = SEED, place: int = 0) -> Mission:
    mission = dressed(seed, place)
    return field_mission.crack(mission, 4, mission.plaintext).mission


def over(seed: str = SEED, place: int = 0) -> Mission:
    mission = solved(seed, place)
    return field_mission.report(mission, 5, f"The message says {mission.plaintext}", NOW + timedelta(minutes=7)).mission


STAGES: dict[Phase, Callable[[], Mission]] = {
    "travel": begun,
    "disguise": arrived,
    "crack": dressed,
    "report": solved,
    "over": over,
}


def moved(mission: Mission, move: str, turn: int = 9) -> Move:
    """A move that would be right if its time had come."""
    moves: dict[str, Callable[[], Move]] = {
        "travel": lambda: field_mission.travel(mission, turn, mission.offers[1].city, MILD),
        "disguise": lambda: field_mission.disguise(mission, turn, (mission.rack or ("tweed three-piece",))[0]),
        "crack": lambda: field_mission.crack(mission, turn, mission.plaintext),
        "report": lambda: field_mission.report(mission, turn, f"The message says {mission.plaintext}", NOW),
    }
    return moves[move]()


@pytest.mark.parametrize("phase", STAGES)
def test_the_right_moves_lead_through_the_phases_in_order(phase: Phase) -> None:
    assert STAGES[phase]().phase == phase


@pytest.mark.parametrize(
    ("phase", "move"),
    [(phase, move) for phase in STAGES for move in ("travel", "disguise", "crack", "report") if move != phase],
)
def test_skipping_and_replaying_change_nothing_but_the_time(phase: Phase, move: str) -> None:
    before = STAGES[phase]()
    after = moved(before, move)
    assert replace(after.mission, turn=0, turns=0) == replace(before, turn=0, turns=0)
    assert after.text.endswith(field_mission.objective(before)) or phase == "over"


def test_the_same_conversation_draws_the_same_mission_and_another_one_another() -> None:
    assert drawn(SEED, 1, NOW) == drawn(SEED, 1, NOW)
    assert len({drawn(f"seed-{number}", 1, NOW).offers for number in range(100)}) == 100


def test_three_cities_have_codes_and_phrases_of_their_own() -> None:
    for number in range(200):
        offers = begun(f"seed-{number}").offers
        assert len(offers) == len({o.city for o in offers}) == len({o.cipher for o in offers}) == 3
        assert len({o.phrase for o in offers}) == 3


@pytest.mark.parametrize("said", ["Atlantis", "", "all of them", "\x00", "🕵️"])
def test_one_travels_to_cities_with_a_ticket_only(said: str) -> None:
    assert field_mission.destination(begun(), said) is None
    after = field_mission.travel(begun(), 2, said, None)
    assert after.mission.phase == "travel"
    assert all(offer.city in card(after.mission) for offer in begun().offers)


def test_a_city_is_known_in_a_sentence() -> None:
    mission = begun()
    for offer in mission.offers:
        city = field_mission.destination(mission, f"Please take me to {offer.city.upper()}!")
        assert city is not None
        assert city.name == offer.city


def test_a_wrong_outfit_is_a_mistake_once_and_one_that_is_not_there_is_none() -> None:
    mission = arrived()
    wrong = outfits(mission, right=False)[0]
    once = field_mission.disguise(mission, 3, wrong)
    twice = field_mission.disguise(once.mission, 4, wrong)
    nothing = field_mission.disguise(twice.mission, 5, "a clown costume")
    assert (once.mission.phase, once.mission.mistakes) == ("disguise", 1)
    assert twice.mission.mistakes == nothing.mission.mistakes == 1
    assert "before" in twice.text


@pytest.mark.parametrize(
    "write",
    [
        str,
        str.lower,
        lambda text: text.title() + "!",
        lambda text: "  ".join(text.split()),
        lambda text: f"I think it says “{text.lower()}”.",
        lambda text: text.replace("E", "É").replace("O", "ö"),
        "-".join,
    ],
)
def test_case_spaces_punctuation_and_accents_do_not_matter(write: Callable[[str], str]) -> None:
    mission = dressed()
    assert field_mission.crack(mission, 4, write(mission.plaintext)).mission.phase == "report"


def test_a_wrong_guess_is_a_mistake_and_the_same_one_again_is_not() -> None:
    mission = dressed()
    words = mission.plaintext.split()
    once = field_mission.crack(mission, 4, f"{words[0]} {words[1]} and so on")
    again = field_mission.crack(once.mission, 5, f"{words[0].lower()}, {words[1].lower()} and so on.")
    assert (once.mission.phase, once.mission.mistakes, again.mission.mistakes) == ("crack", 1, 1)
    assert f"of {len(words)} words are right" in once.text


@pytest.mark.parametrize("guess", ["", " ...", "?"])
def test_no_guess_is_no_mistake(guess: str) -> None:
    after = field_mission.crack(dressed(), 4, guess)
    assert (after.mission.phase, after.mission.mistakes) == ("crack", 0)


def test_the_code_itself_is_neither_a_solution_nor_a_mistake() -> None:
    mission = dressed()
    after = field_mission.crack(mission, 4, mission.ciphertext)
    assert (after.mission.phase, after.mission.mistakes) == ("crack", 0)


def test_a_list_of_everything_is_no_solution() -> None:
    mission = dressed()
    after = field_mission.crack(mission, 4, "some other words of great length " * 3 + mission.plaintext)
    assert after.mission.phase == "crack"


def test_hints_cost_more_each_time_and_repeat_for_nothing_in_the_same_turn() -> None:
    mission = dressed()
    score = mission.score
    for number, cost in enumerate(HINT_COSTS, 1):
        turn = 10 + number
        mission = replace(mission, turn=turn, turns=3)
        first = field_mission.hint(mission, turn)
        again = field_mission.hint(first.mission, turn)
        assert again.mission == first.mission
        assert score - first.mission.score == cost
        score, mission = first.mission.score, first.mission
    last = field_mission.hint(replace(mission, turn=20), 20)
    assert last.mission.score == score
    assert mission.clues[-1] in last.text


def test_a_hint_at_the_disguise_names_one_that_suits_and_costs_once() -> None:
    mission = replace(arrived(), turn=3)
    once = field_mission.hint(mission, 3)
    assert mission.score - once.mission.score == HINT_COSTS[0]
    assert any(f"the {name}." in once.text for name in outfits(mission, right=True))
    assert field_mission.hint(once.mission, 3).mission == once.mission


@pytest.mark.parametrize("phase", ["travel", "report", "over"])
def test_there_is_nothing_to_hint_at_elsewhere(phase: Phase) -> None:
    before = STAGES[phase]()
    assert field_mission.hint(before, before.turn).mission == before


@pytest.mark.parametrize("text", ["", "hello", "bla bla bla", "it is done, believe me", "what the message said"])
def test_a_report_says_what_the_message_said(text: str) -> None:
    assert field_mission.report(solved(), 5, text, NOW).mission.phase == "report"


def test_a_report_may_say_it_in_its_own_words() -> None:
    mission = solved()
    telling = max(mission.plaintext.split(), key=len).lower()
    assert field_mission.report(mission, 5, f"Something about the {telling}, I gather.", NOW).mission.phase == "over"


def test_more_turns_never_score_better() -> None:
    scores = [replace(over(), turns=turns).score for turns in range(1, 60)]
    assert scores == sorted(scores, reverse=True)
    assert scores[4] > scores[5]


def test_several_moves_in_one_turn_take_one_turn() -> None:
    mission = arrived()
    wrong = outfits(mission, right=False)
    once = field_mission.disguise(mission, 3, wrong[0]).mission
    assert field_mission.disguise(once, 3, wrong[1]).mission.turns == once.turns == mission.turns + 1


@pytest.mark.parametrize("place", range(3))
def test_the_debrief_tells_time_hints_mistakes_and_bonus(place: int) -> None:
    mission = over(place=place)
    text = card(mission)
    assert mission.score == 100 + CIPHERS[mission.offer.cipher].bonus
    assert f"{mission.score} points" in text
    assert "5 turns (-0); 7 minutes, from 2026-06-10 20:15 to 2026-06-10 20:22 UTC" in text


def test_even_the_worst_agent_has_points_left() -> None:
    mission = replace(over(), turns=10_000, mistakes=10_000, hints=3, outfit_hinted=True)
    assert mission.score > 0
    assert "survivor" in card(mission)


@pytest.mark.parametrize("phase", STAGES)
def test_a_mission_survives_being_stored(phase: Phase) -> None:
    mission = STAGES[phase]()
    assert loaded(json.loads(json.dumps(kept(mission)))) == mission


@pytest.mark.parametrize("phase", ["travel", "disguise", "crack"])
def test_the_secret_is_neither_stored_nor_told_before_it_is_cracked(phase: Phase) -> None:
    for number in range(60):
        makers = {"travel": begun, "disguise": arrived, "crack": dressed}
        mission = makers[phase](f"seed-{number}")
        for turn in range(20, 24):
            mission = field_mission.hint(mission, turn).mission
        told = json.dumps(kept(mission)) + describe(kept(mission)) + field_mission.hint(mission, 30).text
        assert normalised(mission.plaintext) not in normalised(told)


@pytest.mark.parametrize("phase", STAGES)
def test_people_are_told_phase_objective_and_score(phase: Phase) -> None:
    mission = STAGES[phase]()
    text = describe(kept(mission))
    if phase == "over":
        assert card(mission) in text
    else:
        number = list(STAGES).index(phase) + 1
        assert f"phase {number} of 4" in text
        assert field_mission.objective(mission) in text
        assert card(mission) in text
        assert f"{mission.score} points" in text


def test_hints_that_were_given_can_be_read_again() -> None:
    mission = field_mission.hint(dressed(), 9).mission
    assert mission.clues[0] in card(mission)
    dressing = field_mission.hint(arrived(), 9)
    assert dressing.text.split(". ")[0].lower() in card(dressing.mission).lower()


def test_a_hint_outside_of_any_turn_is_one_too() -> None:
    assert field_mission.hint(dressed(), 0).mission.hints == 1


BROKEN: list[dict[str, Any]] = [
    {},
    {"seed": 1},
    kept(begun()) | {"at": 7},
    kept(begun()) | {"at": -1},
    kept(begun()) | {"phase": "won"},
    kept(begun()) | {"phase": "disguise"},
    kept(begun()) | {"offers": []},
    kept(begun()) | {"offers": [{"city": "Atlantis", "cipher": "Caesar", "phrase": 0, "key": 1}]},
    kept(begun()) | {"offers": [{"city": "Oslo", "cipher": "Caesar", "phrase": 10**9, "key": 1}]},
    kept(begun()) | {"started": "yesterday"},
    kept(arrived()) | {"rack": ["invisible cloak"]},
    kept(arrived()) | {"outfit": "invisible cloak"},
    kept(arrived()) | {"weather": {"temperature": "hot"}},
]


@pytest.mark.parametrize("state", BROKEN, ids=range(len(BROKEN)))
def test_a_state_that_makes_no_sense_is_no_mission(state: dict[str, Any]) -> None:
    assert loaded(state) is None
    assert describe(state) == ""


MOVES: dict[str, Callable[[Mission, int, str], Move]] = {
    "travel": lambda m, t, s: field_mission.travel(m, t, s, MILD if field_mission.destination(m, s) else None),
    "disguise": field_mission.disguise,
    "crack": field_mission.crack,
    "hint": lambda m, t, s: field_mission.hint(m, t),
    "report": lambda m, t, s: field_mission.report(m, t, s, NOW),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.text()), max_size=12))
def test_no_words_whatever_break_the_machine_or_skip_a_phase(moves: list[tuple[str, str]]) -> None:
    """Nothing that people say at random gets further than the phase whose words they would have to know."""
    mission = begun()
    for turn, (move, said) in enumerate(moves, 2):
        made = MOVES[move](mission, turn, said)
        assert made.text
        assert made.mission.score > 0
        assert loaded(json.loads(json.dumps(kept(made.mission)))) == made.mission
        mission = made.mission
    assert mission.phase in {"travel", "disguise", "crack"}

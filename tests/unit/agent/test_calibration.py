"""After one surprise, no prompt of a model is estimated too small again."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.calibration import CUT_MARGIN, MAX_FACTOR, MAX_MODELS, REMEMBERED, Calibration, Seen
from bot.agent.prompt import SAFETY_TOKENS, Budget

BUDGET = Budget(num_ctx=8192, max_tokens=1024)


def test_at_first_estimates_are_taken_as_they_are() -> None:
    assert Calibration().factor("m") == 1.0


@given(st.integers(1, 7_000), st.integers(0, 8_000))
def test_a_prompt_that_was_surprising_once_would_have_fitted_the_second_time(estimated: int, counted: int) -> None:
    calibration = Calibration()
    calibration.observe("m", Seen(estimated, counted, BUDGET))
    factor = calibration.factor("m")
    assert 1.0 <= factor <= MAX_FACTOR
    assert counted <= estimated * factor + SAFETY_TOKENS or factor == MAX_FACTOR
    fits = Budget(8192, 1024, factor).prompt
    assert fits * factor <= 8192 - 1024 - SAFETY_TOKENS


def test_smaller_counts_change_nothing() -> None:
    calibration = Calibration()
    calibration.observe("m", Seen(1_000, 2_000, BUDGET))
    factor = calibration.factor("m")
    for _ in range(REMEMBERED - 1):
        calibration.observe("m", Seen(1_000, 700, BUDGET))
    assert calibration.factor("m") == factor


def test_one_odd_message_is_forgotten_in_the_end() -> None:
    calibration = Calibration()
    calibration.observe("m", Seen(1_000, 3_000, BUDGET))
    for _ in range(2 * REMEMBERED):
        calibration.observe("m", Seen(1_000, 700, BUDGET))
    assert calibration.factor("m") == 1.0


def test_what_a_template_adds_to_a_short_prompt_is_no_surprise() -> None:
    calibration = Calibration()
    calibration.observe("m", Seen(20, 60, BUDGET))
    assert calibration.factor("m") == 1.0


@pytest.mark.parametrize(("counted", "cut"), [(8192, True), (8192 - SAFETY_TOKENS, True), (7_500, False)])
def test_a_full_window_means_that_a_part_was_left_out(
    counted: int, cut: bool, caplog: pytest.LogCaptureFixture
) -> None:
    calibration = Calibration()
    with caplog.at_level(logging.WARNING):
        assert calibration.observe("m", Seen(7_000, counted, BUDGET)) == cut
    assert ("left out" in caplog.text) == cut
    assert (calibration.factor("m") >= CUT_MARGIN) == cut


def test_each_model_has_its_own_factor_and_there_are_not_too_many() -> None:
    calibration = Calibration()
    for number in range(3 * MAX_MODELS):
        calibration.observe(f"m{number}", Seen(1_000, 2_000, BUDGET))
    assert calibration.factor("m0") == calibration.factor("other") == 1.0
    assert calibration.factor(f"m{3 * MAX_MODELS - 1}") > 1.0


def test_what_was_refused_with_a_smaller_factor_is_not_tried_again() -> None:
    calibration = Calibration()
    calibration.observe("m", Seen(1_000, 700, Budget(8192, 1024, 2.0)))
    assert calibration.factor("m") == 2.0

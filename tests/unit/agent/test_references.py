import pytest

from bot.agent.protocols import Result, Round
from bot.agent.reference_names import refers
from bot.agent.references import MAX_NESTING, MAX_REFERENCES, BadReference, Referring, amounts
from bot.models.model import ToolCall


def plan(*arguments: dict[str, object]) -> Round:
    return Round("", tuple(ToolCall(f"c{n}", f"gadget{n}", given) for n, given in enumerate(arguments, 1)))


def given(round_: Round, *texts: str, ok: bool = True, retry: bool = False) -> Round:
    """The round with results of its first calls."""
    for index, text in enumerate(texts):
        round_.results[index] = Result(round_.calls[index], text, ok=ok, retry=retry)
    return round_


def resolved(round_: Round, index: int, schema: dict[str, object] | None = None, said: str = "") -> object:
    referring = Referring([round_], amounts(said))
    referring.needed(index)
    return dict(referring.resolved(index, {"properties": {"x": schema or {}}}).arguments)


@pytest.mark.parametrize(
    ("written", "put"),
    [
        ("$1", "sunny"),
        ("$2", "20"),
        ("$PREVIOUS_RESULT", "20"),
        ("translate: $1", "translate: sunny"),
        ("$1, $2", "sunny, 20"),
        ("$1$2", "sunny20"),
        ("($PREVIOUS_RESULT)", "(20)"),
        ("$1.", "sunny."),
        (["$1", {"deep": "$2!"}], ["sunny", {"deep": "20!"}]),
        (7, 7),
        (None, None),
        ("$12 and $1a and $PREVIOUS_RESULTS", "$12 and $1a and $PREVIOUS_RESULTS"),
        ("$0", "$0"),
        ("US$1, $1.50, $2,000 and $$1", "US$1, $1.50, $2,000 and $$1"),
        ("$previous_result", "$previous_result"),
    ],
)
def test_results_stand_in_the_places_of_references(written: object, put: object) -> None:
    assert resolved(given(plan({}, {}, {"x": written}), "sunny", "20"), 2) == {"x": put}


def test_what_is_put_in_is_never_read_as_a_reference_again() -> None:
    round_ = given(plan({}, {}, {"x": "$1 $2", "y": "$1"}), "$2", "$1 and $PREVIOUS_RESULT")
    assert resolved(round_, 2) == {"x": "$2 $1 and $PREVIOUS_RESULT", "y": "$2"}


@pytest.mark.parametrize("said", ["Say 'I owe you $1'", "$1"])
def test_an_amount_of_money_that_the_user_wrote_is_no_reference_within_a_text(said: str) -> None:
    round_ = given(plan({}, {"x": "I owe you $1", "y": "$1"}), "sunny")
    assert resolved(round_, 1, said=said) == {"x": "I owe you $1", "y": "sunny"}


def test_a_call_alone_writes_about_money_as_it_likes() -> None:
    assert resolved(plan({"x": "It costs $1 or $2"}), 0) == {"x": "It costs $1 or $2"}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "7", 7),
        ("integer", " -7\n", -7),
        ("number", "7.5", 7.5),
        ("boolean", "true", True),
        (["integer", "null"], "7", 7),
        ("string", "7", "7"),
        ("integer", "seven", "seven"),
        ("number", "NaN", "NaN"),
        ("number", "1e999", "1e999"),
        ("number", "[1]", "[1]"),
        ("number", "9" * 5_000, "9" * 5_000),
        ("number", "[" * 100_000, "[" * 100_000),
    ],
)
def test_a_result_becomes_what_the_parameter_wants_if_it_can(kind: object, text: str, value: object) -> None:
    assert resolved(given(plan({}, {"x": "$1"}), text), 1, {"type": kind}) == {"x": value}


def test_a_number_that_the_model_wrote_as_text_is_left_to_the_gadget() -> None:
    assert resolved(plan({"x": "7"}), 0, {"type": "integer"}) == {"x": "7"}


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("$2", "stands"),
        ("a $2", "stands"),
        ("$3", "later call"),
        ("a $3", "later call"),
        ("$4", "no call: this plan has 3"),
        ("$999", "no call"),
    ],
)
def test_a_reference_to_no_earlier_call_is_told_in_a_sentence(written: str, why: str) -> None:
    with pytest.raises(BadReference, match=why) as refused:
        Referring([plan({}, {"x": written}, {})]).needed(1)
    assert refused.value.retry


def test_calls_that_wait_for_each_other_wait_for_nothing() -> None:
    referring = Referring([plan({"x": "$2"}, {"x": "$1"})])
    with pytest.raises(BadReference, match="later call"):
        referring.needed(0)
    assert referring.needed(1) == [0]


@pytest.mark.parametrize("retry", [True, False])
def test_the_result_of_a_call_that_failed_cannot_be_used(retry: bool) -> None:
    referring = Referring([given(plan({}, {"x": "on: $1"}), "Out of order.", ok=False, retry=retry)])
    with pytest.raises(BadReference, match=r"\$1 cannot be used: gadget1 gave no result") as refused:
        referring.resolved(1, {})
    assert refused.value.retry is retry


def test_too_many_references_are_refused_before_anything_is_put_together() -> None:
    assert Referring([plan({}, {"x": "$1 " * MAX_REFERENCES})]).needed(1) == [0]
    with pytest.raises(BadReference, match=str(MAX_REFERENCES)):
        Referring([plan({}, {"x": "$1 " * (MAX_REFERENCES + 1)})]).needed(1)


def test_references_are_found_to_a_depth_that_is_bounded() -> None:
    found: object = "$1"
    for _ in range(MAX_NESTING):
        found = [found]
    deep = [found]
    assert Referring([plan({}, {"x": found})]).needed(1) == [0]
    assert Referring([plan({}, {"x": deep})]).needed(1) == []


class TestTheRoundBefore:
    def test_its_last_result_is_the_previous_one_of_a_first_call(self) -> None:
        rounds = [given(plan({}, {}), "old", "new"), Round("Hm.", ()), plan({"x": "$PREVIOUS_RESULT"})]
        assert Referring(rounds).needed(0) == []
        assert Referring(rounds).resolved(0, {}).arguments == {"x": "new"}

    def test_it_must_have_been(self) -> None:
        with pytest.raises(BadReference, match="nothing was called before"):
            Referring([plan({"x": "$PREVIOUS_RESULT"})]).needed(0)

    def test_it_must_not_have_failed(self) -> None:
        rounds = [given(plan({}), "No.", ok=False), plan({"x": "$PREVIOUS_RESULT"})]
        with pytest.raises(BadReference, match="gadget1 gave no result"):
            Referring(rounds).resolved(0, {})


@pytest.mark.parametrize(
    ("arguments", "may"),
    [({"x": "$1"}, True), ({"x": [{"y": "a $PREVIOUS_RESULT"}]}, True), ({"x": "1$"}, False), ({"$x": 1}, False)],
)
def test_calls_that_may_refer_are_known_before_they_run(arguments: dict[str, object], may: bool) -> None:
    assert refers(arguments) is may

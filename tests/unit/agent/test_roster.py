"""Who is meant: names, the default, and messages that open with an agent's name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.roster import AUTO, Addressed, Profile, Roster
from bot.errors import UnknownAgent

PROFILES = {name: Profile(name, f"Is {name}", "Be brief.", ()) for name in ("quartermaster", "task-master_2")}
ROSTER = Roster(PROFILES, "quartermaster")
UNDECIDED = Roster(PROFILES, AUTO)


@pytest.mark.parametrize(
    ("said", "agent", "text"),
    [
        ("quartermaster: the weather?", "quartermaster", "the weather?"),
        ("QuarterMaster:the weather?", "quartermaster", "the weather?"),
        ("task-master_2:\n\n go\n", "task-master_2", "go\n"),
        ("quartermaster:", "quartermaster", "quartermaster:"),
        ("quartermaster:  ", "quartermaster", "quartermaster:  "),
        ("quartermaster: task-master_2: go", "quartermaster", "task-master_2: go"),
        ("note: the weather?", None, "note: the weather?"),
        ("quartermaster the weather?", None, "quartermaster the weather?"),
        ("quartermaster : go", None, "quartermaster : go"),
        (" quartermaster: go", None, " quartermaster: go"),
        ("my quartermaster: go", None, "my quartermaster: go"),
        ("auto: go", None, "auto: go"),
        ("\u017ftaskmaster: go", None, "\u017ftaskmaster: go"),
        ("tas\u212a-master_2: go", None, "tas\u212a-master_2: go"),  # a sign that lower-cases to k
        (":", None, ":"),
        ("", None, ""),
    ],
)
def test_a_message_is_for_the_known_agent_whose_name_and_colon_it_opens_with(
    said: str, agent: str | None, text: str
) -> None:
    assert ROSTER.addressed(said) == Addressed(agent, text)


@given(said=st.text() | st.builds("quartermaster{}{}".format, st.sampled_from([":", " :", "\uff1a", ""]), st.text()))
def test_no_words_but_the_name_are_ever_lost(said: str) -> None:
    addressed = ROSTER.addressed(said)
    assert said.endswith(addressed.text)
    assert addressed.text or not said
    assert addressed.agent is None or said[: -len(addressed.text)].strip() in ("quartermaster:", "")


@pytest.mark.parametrize(
    ("roster", "asked", "stored"),
    [
        (ROSTER, None, "quartermaster"),
        (ROSTER, "", "quartermaster"),
        (ROSTER, "Task-Master_2", "task-master_2"),
        (UNDECIDED, None, AUTO),
        (UNDECIDED, "Auto", AUTO),
        (UNDECIDED, "quartermaster", "quartermaster"),
    ],
)
def test_a_new_conversation_is_with_who_was_asked_for_or_the_default(
    roster: Roster, asked: str | None, stored: str
) -> None:
    assert roster.wanted(asked) == stored


@pytest.mark.parametrize("asked", ["moneypenny", AUTO, "../quartermaster", "x" * 5_000])
def test_an_unknown_agent_is_refused_with_the_list_of_known_ones(asked: str) -> None:
    with pytest.raises(UnknownAgent, match="quartermaster, task-master_2") as refused:
        ROSTER.wanted(asked)
    assert len(str(refused.value)) < 200


def test_a_conversation_of_a_removed_agent_goes_to_the_default_one_or_is_decided_anew() -> None:
    assert ROSTER.answering("gone") == PROFILES["quartermaster"]
    assert ROSTER.answering(AUTO) == PROFILES["quartermaster"]
    assert UNDECIDED.answering("gone") is None
    assert UNDECIDED.answering("task-master_2") == PROFILES["task-master_2"]

import pytest

from bot.agent.cleaning import clean
from bot.agent.introductions import INITIALS

REMOVED = [
    ("Based on the tool results, it is raining.", "It is raining."),
    ("Based on the weather tool's results, it is raining.", "It is raining."),
    ("Based on the `weather` tool output, it is raining.", "It is raining."),
    ("Based on the function call results, the answer is 4.", "The answer is 4."),
    ("Based upon the results from the weather tool, yes.", "Yes."),
    ("Based on the information provided by the weather gadget, take a coat.", "Take a coat."),
    ("Based on the tool results for Paris, it is raining.", "It is raining."),
    ("Based on the tool results for Paris, France, it is raining.", "It is raining."),
    ("Based on the JSON response, the city is Rome.", "The city is Rome."),
    ("Based on the provided context, the mission is over.", "The mission is over."),
    ("Given the tool results I received, wait.", "Wait."),
    ("According to the tool output: 21 degrees.", "21 degrees."),
    ("According to the tool output:\n\nIt is 21 degrees.", "It is 21 degrees."),
    ("According to the weather gadget, it is sunny.", "It is sunny."),
    ("After checking the tool results, I think so.", "I think so."),
    ("From the tool results, it seems fine.", "It seems fine."),
    ("Judging by the tool data, it seems fine.", "It seems fine."),
    ("Looking at the tool results, it seems fine.", "It seems fine."),
    ("Per the clock gadget, it is noon.", "It is noon."),
    ("The weather gadget says that it is 12 degrees.", "It is 12 degrees."),
    ("The weather gadget says it is 12 degrees.", "It is 12 degrees."),
    ("The results from the weather tool show that it rains.", "It rains."),
    ("My tool results indicate that it rains.", "It rains."),
    ("I used the weather tool and found that it rains.", "It rains."),
    ("I've used the weather tool to look at Paris, and it is raining.", "It is raining."),
    ("As an AI language model, I cannot feel the rain.", "I cannot feel the rain."),
    ("As an AI, I cannot feel the rain.", "I cannot feel the rain."),
    ("Sure! Based on the tool results, it rains. According to the tool, it snows.", "Sure! It rains. It snows."),
    ("Based on the tool results, according to the weather tool, it rains.", "It rains."),
    ("- Based on the tool results, yes\n- Per the tool, no", "- Yes\n- No"),
    ("**Answer:** Based on the tool results, yes", "**Answer:** Yes"),
    ("Based on the tool results, `x` is 1.", "`x` is 1."),
]

KEPT = [
    "Based on the weather, take a coat.",
    "Based on the tool, choose a blade.",
    "Based on the tool you chose, the screw will hold.",
    "Based on the context, she is angry.",
    "Based on the function, the slope is 2.",
    "Based on the results, we stay.",
    "According to the forecast, it will rain.",
    "According to the tool manufacturer, oil it daily.",
    "According to the API documentation, the field is optional.",
    "The tool you need is a hammer.",
    "The tool says hello when it starts.",
    "The best tool shows the wall from behind.",
    "The function shows that the slope is 2.",
    "Given the output of the function, find its inverse.",
    "From the tool output, copy the number.",
    "In the JSON, set x to 1.",
    "Using the tool, tighten the bolt.",
    "I used a tool to open the door.",
    "I used the weather tool.",
    "As an airline, we fly.",
    "As an AI researcher, I would read it.",
    "It is sunny, based on the tool results, they say.",
    'The phrase "Based on the tool results, it rains" is chatter.',
    "`Based on the tool results, it rains`",
    "```\nBased on the tool results, it rains\n```",
    "e.g. the weather gadget says that it rains",
]


@pytest.mark.parametrize(("said", "shown"), REMOVED)
def test_a_phrase_that_names_the_machinery_goes_and_its_sentence_stays(said: str, shown: str) -> None:
    assert clean(said) == shown


@pytest.mark.parametrize("said", KEPT)
def test_other_sentences_are_left_alone(said: str) -> None:
    assert clean(said) == said


def test_every_initial_is_needed_and_covered_by_an_example() -> None:
    assert {said[0] for said, _ in REMOVED if said[0] not in "*-S"} == set(INITIALS)

import json
import subprocess
import sys

import pytest

from gadgets.catalogue import ALL, GENERAL, summaries
from gadgets.gadget import Gadget
from gadgets.toolbox import Toolbox
from gadgets.weather import WeatherSettings

MAX_PROMPT = 700


def test_the_catalogue_has_the_gadgets_for_everybody_first() -> None:
    general = ["weather", "decrypt", "encrypt", "clock", "dice", "translate", "remember", "recall"]
    names = [each.name for each in Toolbox(ALL).gadgets]
    assert names[: len(general)] == [each.name for each in GENERAL] == general
    assert names[len(general) :] == ["brief", "travel", "disguise", "crack", "hint", "report", "status"]


def test_only_what_the_world_says_and_nobody_changes_is_cached() -> None:
    assert {each.name: each.cache_ttl for each in ALL if each.cache_ttl is not None} == {"weather": 600}


def test_people_are_told_only_of_what_makes_sense() -> None:
    assert summaries({}) == summaries({"field_mission": {"seed": 1}}) == summaries({"field_mission": []}) == []


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_a_gadget_tells_the_model_enough_and_not_more(each: Gadget) -> None:
    assert all("description" in parameter for parameter in each.parameters["properties"].values())
    assert len(json.dumps(each.parameters)) + len(each.description) < MAX_PROMPT


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_a_gadget_works_without_settings_and_refuses_unknown_ones(each: Gadget) -> None:
    each.settings()
    with pytest.raises(ValueError, match="tpyo"):
        each.settings.model_validate({"tpyo": 1})


def test_the_key_is_not_in_the_settings_text() -> None:
    settings = WeatherSettings.model_validate({"openweather_api_key": "hidden-key"})
    assert "hidden-key" not in f"{settings!r} {settings.model_dump_json()}"


def test_knowing_the_gadgets_brings_no_http_client_along() -> None:
    code = "import sys, gadgets.catalogue; print('aiohttp' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_gadgets_import_nothing_of_ours() -> None:
    code = "import sys, gadgets.catalogue; print([n for n in sys.modules if n.split('.')[0] in ('bot', 'storage')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

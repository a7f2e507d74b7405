import pytest

from gadgets.regions import folded, meanings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("CO", "colorado"),
        ("co", "co"),
        ("U.S.A.", "united states"),
        ("UK", "united kingdom"),
        ("D.C.", "district of columbia"),
        ("N.H.", "new hampshire"),
        ("Île-de-France", "ile-de-france"),
        ("  South   Korea ", "south korea"),
    ],
)
def test_a_region_means_what_people_call_it(written: str, meant: str) -> None:
    assert meant in meanings(written)


def test_accents_and_case_make_no_difference() -> None:
    assert folded("São Paulo") == folded("SAO PAULO")


def test_fifty_states_are_known() -> None:
    states = (
        "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK"
    )
    states += " OR PA RI SC SD TN TX UT VT VA WA WV WI WY"
    assert all(len(meanings(each)) >= 2 for each in states.split())
    assert len(states.split()) == 50

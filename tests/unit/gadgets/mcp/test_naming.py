import random
import re

from gadgets.mcp.naming import gadget_names

AWKWARD = ["a.b", "a/b", "a_b", "a b", "天气", "weather!", "", "x" * 100, "x" * 99 + "y", "_", "read", "Read"]


def test_a_name_that_can_be_kept_is_kept() -> None:
    assert gadget_names("files", ["read_file", "list-all"]) == {
        "read_file": "files_read_file",
        "list-all": "files_list-all",
    }


def test_every_tool_has_a_name_of_its_own_that_every_model_takes() -> None:
    names = gadget_names("files", AWKWARD)
    assert set(names) == set(AWKWARD)
    assert len(set(names.values())) == len(AWKWARD)
    assert all(re.fullmatch(r"files_[A-Za-z0-9_-]{1,58}", name) for name in names.values())


def test_only_names_that_meet_are_marked() -> None:
    names = gadget_names("files", ["repo.list", "a.b", "a_b"])
    assert (names["repo.list"], names["a_b"]) == ("files_repo_list", "files_a_b")
    assert re.fullmatch(r"files_a_b_[0-9a-f]{8}", names["a.b"])


def test_names_do_not_depend_on_the_order_of_the_list() -> None:
    shuffled = random.Random(7).sample(AWKWARD, len(AWKWARD))
    assert gadget_names("files", shuffled) == gadget_names("files", AWKWARD)


def test_who_foresees_a_mark_takes_no_other_tools_place() -> None:
    mark = gadget_names("files", ["a.b", "a_b"])["a.b"].removeprefix("files_")
    names = gadget_names("files", ["a.b", "a_b", mark])
    assert names == {"a_b": "files_a_b"}

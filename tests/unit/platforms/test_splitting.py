"""How a long answer is cut into messages."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from bot.platforms.splitting import MIN_LIMIT, first_part, split_markdown, utf16_length

DATA = Path(__file__).parents[3] / os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data")
FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(`{3,}|~{3,})([^\n]*)$")

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
CLUSTERS = [
    "a",
    " ",
    "\n",
    "e\u0301",
    " \u0301",
    FAMILY,
    "\U0001f1eb\U0001f1f7",
    "\U0001f44d\U0001f3fd",
    "\u0915\u094d\u0937",
]
PIECES = [
    "word",
    "another sentence. ",
    "\n",
    "\n\n",
    " ",
    "# Heading\n",
    "- item\n",
    "  - inner\n",
    "> quoted\n",
    "```python\n",
    "```\n",
    "~~~\n",
    "  ````md title\n",
    "  ````\n",
    "- ```js\n",
    "`code span`",
    "`",
    "[a link](https://example.org/a_(b))",
    "https://example.org/path?q=1",
    "| a | b |\n|---|:-:|\n",
    "| 1 | 2 |\n",
    "    indented\n",
    "**bold**",
    "\u4f60\u597d\u3002",
    FAMILY,
]


def tidy(pieces: list[str]) -> str:
    """The pieces that are lines, each on a line of its own."""
    text = ""
    for piece in pieces:
        text += f"\n{piece}" if piece.endswith("\n") and not text.endswith("\n") else piece
    return text


MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
TIDY = st.lists(st.sampled_from(PIECES), max_size=60).map(tidy)
ANYTHING = st.one_of(MARKDOWN, st.text(st.sampled_from("ab \n`~|-[]()#>*.:!\\\u0301\u200d"), max_size=200), st.text())
LIMITS = st.integers(40, 120)


def open_fence(part: str) -> tuple[int, str] | None:
    """How far the fence that `part` leaves open is indented, and its marker: an independent reading of the rules."""
    found: tuple[int, str] | None = None
    for line in part.split("\n"):
        mark = FENCE.match(line.rstrip())
        if found is None:
            found = (mark.start(1), mark[1]) if mark and not ("`" in mark[1] and "`" in mark[2]) else None
        elif mark and mark[1].startswith(found[1]) and not mark[2] and mark.start(1) <= found[0] + 3:
            found = None
    return found


def words(text: str) -> str:
    return "".join(text.split())


def without_fences(text: str) -> str:
    return words("\n".join(line for line in text.split("\n") if not FENCE.match(line.rstrip())))


@given(ANYTHING, LIMITS, st.sampled_from([len, utf16_length]))
def test_every_part_is_within_the_limit_and_says_something(text: str, limit: int, length: Callable[[str], int]) -> None:
    parts = split_markdown(text, limit, length)
    assert all(length(part) <= limit for part in parts)
    assert all(part.strip() for part in parts) or parts == [""]


@given(ANYTHING, st.integers(MIN_LIMIT, 120))
def test_the_first_part_can_be_had_alone(text: str, limit: int) -> None:
    assert first_part(text, limit) == split_markdown(text, limit)[0]


@given(MARKDOWN, LIMITS, st.text(max_size=50))
def test_the_first_part_does_not_depend_on_what_is_far_behind(text: str, limit: int, more: str) -> None:
    start = ("x" + text * 20)[: 2 * limit + 1].ljust(2 * limit + 1, "x")
    assert first_part(start + more, limit) == first_part(start, limit)


@given(TIDY, LIMITS)
def test_nothing_is_lost_even_where_headers_are_repeated(text: str, limit: int) -> None:
    characters = iter(without_fences("\n".join(split_markdown(text, limit))))
    assert all(character in characters for character in without_fences(text))


@given(TIDY.map(lambda text: text.replace("|", "I")), LIMITS)
def test_nothing_is_lost_and_only_fences_are_added(text: str, limit: int) -> None:
    assert without_fences("\n".join(split_markdown(text, limit))) == without_fences(text)


@given(st.text(st.characters(exclude_characters="`~|")), st.integers(MIN_LIMIT, 60))
def test_nothing_at_all_is_lost_without_fences_and_tables(text: str, limit: int) -> None:
    assert words("".join(split_markdown(text, limit))) == words(text)


@given(TIDY, LIMITS)
def test_no_part_leaves_a_fence_open(text: str, limit: int) -> None:
    assert [part for part in split_markdown(text, limit) if open_fence(part)] == []


@given(st.lists(st.sampled_from(CLUSTERS)).map("".join), st.integers(MIN_LIMIT, 30))
def test_characters_stay_whole(text: str, limit: int) -> None:
    clusters = [cluster for part in split_markdown(text, limit) for cluster in iter_graphemes(part) if cluster.strip()]
    assert clusters == [cluster for cluster in iter_graphemes(text) if cluster.strip()]


@given(MARKDOWN)
def test_a_text_that_fits_stays_as_it_is(text: str) -> None:
    once = split_markdown(text, 10_000)
    assert len(once) == 1
    assert once == ([text] if text.strip() and not open_fence(text) else once)
    assert split_markdown(once[0], 10_000) == once


@pytest.mark.parametrize(
    "whole", ["`a span of code`", "[a b c](https://a.b/c)", "![a b](x.png 'y z')", "<https://a.b/c>"]
)
@given(st.lists(st.sampled_from(["word", "WHOLE", "\n", "a. b", "WHOLE-WHOLE"])), st.integers(40, 60))
def test_links_and_code_spans_stay_whole(whole: str, pieces: list[str], limit: int) -> None:
    text = " ".join(pieces).replace("WHOLE", whole)
    assert sum(part.count(whole) for part in split_markdown(text, limit)) == text.count(whole)


def test_a_cut_falls_between_paragraphs_rather_than_later() -> None:
    assert split_markdown("one two\n\nthree four\nfive six seven", 30) == ["one two\n\nthree four", "five six seven"]
    assert split_markdown("a b c d e\n\ng h i. j k l m n", 22) == ["a b c d e", "g h i. j k l m n"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("aaaa bbbb\n# cccc\ndddd eeee", ["aaaa bbbb", "# cccc\ndddd eeee"]),
        ("aaaa bbbb\n- cccc\n- dddd eeee", ["aaaa bbbb\n- cccc", "- dddd eeee"]),
        ("aaaa bbbb cccc\ndddd eeee ffff", ["aaaa bbbb cccc", "dddd eeee ffff"]),
        ("aaaa bbbb. cccc dddd eeee ffff", ["aaaa bbbb.", "cccc dddd eeee ffff"]),
        ("aaaa bbbb cccc dddd eeee ffff", ["aaaa bbbb cccc dddd", "eeee ffff"]),
        ("aaaabbbbccccddddeeeeffff", ["aaaabbbbccccddddeeee", "ffff"]),
        ("aaaa bbbb\n\n# cc\n\ndddd eeee ffff", ["aaaa bbbb", "# cc\n\ndddd eeee ffff"]),
        ("aaaa bbbb\n\n# cc\n\ndddd eeee fffff", ["aaaa bbbb", "# cc\n\ndddd eeee", "fffff"]),
        ("x " + "b" * 19, ["x", "b" * 19]),
        ("\u4f60\u597d\u3002" * 8, ["\u4f60\u597d\u3002" * 6, "\u4f60\u597d\u3002" * 2]),
        (" \n\n", [""]),
        ("", [""]),
    ],
)
def test_the_best_place_is_chosen(text: str, parts: list[str]) -> None:
    assert split_markdown(text, 20) == parts


def test_a_code_block_is_closed_and_reopened_with_its_language() -> None:
    text = "Look:\n\n```python\n" + "".join(f"    line_{n} = {n}\n" for n in range(6)) + "```\nDone."
    assert split_markdown(text, 72) == [
        "Look:\n\n```python\n    line_0 = 0\n    line_1 = 1\n    line_2 = 2\n```",
        "```python\n    line_3 = 3\n    line_4 = 4\n    line_5 = 5\n```\nDone.",
    ]


@pytest.mark.parametrize("fence", ["```py", "~~~", "`````c x=1", "  ```js", "> ```", "- ```sh"])
def test_every_kind_of_fence_is_reopened(fence: str) -> None:
    lead = "> " if fence[0] == ">" else ""
    body = [f"{lead}code {n}" for n in range(20)]
    closing = re.sub(r"[^`~]+$", "", fence).replace("- ", "  ")
    parts = split_markdown("\n".join([fence, *body, closing]), 80)
    assert len(parts) > 2
    assert [open_fence(part) for part in parts] == [None] * len(parts)
    assert [line for part in parts for line in part.split("\n") if "code" in line] == body


def test_a_marker_inside_a_longer_fence_does_not_close_it() -> None:
    text = "````md\n```py\n" + "x = 1\n" * 20 + "```\n````\nend"
    parts = split_markdown(text, 60)
    assert all(part.startswith("````md\n") for part in parts)
    assert parts[-1].endswith("````\nend")


def test_a_fence_that_is_never_closed_is_closed() -> None:
    assert split_markdown("```py\nx", 100) == ["```py\nx\n```"]
    assert first_part("a\n~~~", 100) == "a\n~~~\n~~~"


def test_fences_that_would_fill_much_of_a_part_are_not_repeated() -> None:
    text = "`" * 20 + "\n" + "code " * 20 + "\n" + "`" * 20
    parts = split_markdown(text, 40)
    assert words("".join(parts)) == words(text)
    assert split_markdown("```" + "long-info" * 5 + "\n" + "x\n" * 40 + "```", 60)[1].startswith("```\nx")


def test_a_table_repeats_its_header() -> None:
    rows = [f"| {n} | {'x' * 10} |" for n in range(9)]
    parts = split_markdown("\n".join(["| n | what |", "|--:|------|", *rows]), 100)
    assert len(parts) == 3
    assert all(part.startswith("| n | what |\n|--:|------|\n") for part in parts)
    assert [line for part in parts for line in part.split("\n")[2:]] == rows


def test_a_row_longer_than_half_a_part_stays_whole_even_without_its_header() -> None:
    row = "| " + "word " * 17 + "|"
    parts = split_markdown(f"| a |\n|---|\n{row}\n{row}", 92)
    assert parts == ["| a |\n|---|", row, row]


def test_a_link_longer_than_a_part_is_cut_all_the_same() -> None:
    link = f"[{'text ' * 10}](https://example.org/{'x' * 60}) and `kept whole`"
    parts = split_markdown(link, 40)
    assert words("".join(parts)) == words(link)
    assert any("`kept whole`" in part for part in parts)


def test_a_character_longer_than_a_part_is_cut_all_the_same() -> None:
    assert split_markdown("e" + "\u0301" * 39, 20) == ["e" + "\u0301" * 19, "\u0301" * 20]


def test_utf16_counts_as_javascript_does() -> None:
    for text in ("", "abc", "é", "\u4f60", "\U0001f600x", FAMILY):
        assert utf16_length(text) == len(text.encode("utf-16-le")) // 2


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="15"):
        split_markdown("x", MIN_LIMIT - 1)


def test_naughty_strings_lose_nothing() -> None:
    path = DATA / "blns.json"
    if not path.exists():
        pytest.skip(f"no {path}: set SECRET_AGENTS_TEST_DATA to the folder with blns.json")
    strings: list[str] = json.loads(path.read_text("utf-8"))
    for text in [*strings, "\n\n".join(strings), " ".join(strings)]:
        parts = split_markdown(text, 500, utf16_length)
        assert max(map(utf16_length, parts)) <= 500
        assert without_fences("\n".join(parts)) == without_fences(text)


HOSTILE = {
    "letters": "a",
    "lines": "a\n",
    "blank lines": " \n",
    "backticks": "`",
    "brackets": "[",
    "link starts": "[a](b '",
    "half links": "](",
    "fences": "```\n",
    "pipes": "|\n",
    "quotes": "> ",
    "marks": "\u0301",
    "families": FAMILY,
    "tags": "<a:",
    "escapes": "\\`",
}


class Counter:
    """A `length` that counts the characters it is given: the work, but for a constant factor."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, piece: str) -> int:
        self.seen += len(piece) + 1
        return len(piece)


def work(cut: Callable[[str, int, Callable[[str], int]], object], unit: str, size: int) -> int:
    counter = Counter()
    cut("x" + unit * (size // len(unit)), 200, counter)
    return counter.seen


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_work_grows_with_the_text_and_not_faster(unit: str) -> None:
    assert work(split_markdown, unit, 32_000) <= 8 * 1.3 * work(split_markdown, unit, 4_000) + 2_000


@settings(deadline=None)
@given(st.lists(st.sampled_from([*HOSTILE.values(), "x ", "\n\n"]), min_size=1, max_size=6).map("".join))
def test_the_first_part_costs_the_same_however_long_the_text(unit: str) -> None:
    assert work(first_part, unit, 8_000) == work(first_part, unit, 80_000)

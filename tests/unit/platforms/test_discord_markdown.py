"""Markdown as models write it, on Discord."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.discord_markdown import converted, discord_markdown

PIECES = [
    "word ",
    "\n",
    "\n\n",
    "```py\n",
    "```\n",
    "~~~~ js\n",
    "~~~~\n",
    "````\n",
    "| a | b |\n|---|--:|\n",
    "| 1 | 2 |\n",
]
MARKDOWN = st.lists(st.sampled_from([*PIECES, "### H\n", "##### H\n", "![c](d)", "`", "> ", "- "])).map("".join)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("#### Deep\nx", "**Deep**\nx"),
        ("###### **Deeper** ##\n", "**Deeper**\n"),
        ("### Shown\n", "### Shown\n"),
        ("#### \n", "#### \n"),
        ("#hash", "#hash"),
        ("see ![a cat](https://a.b/c.png)!", "see [a cat](https://a.b/c.png)!"),
        ("![](https://a.b/c.png)", "https://a.b/c.png"),
        ("`![x](y)` #### no", "`![x](y)` #### no"),
        ("~~~python\nx\n~~~\ny", "```python\nx\n```\ny"),
        ("````md title\nx\n````\n", "```md\nx\n```\n"),
        ("````md\n```\n````\n", "````md\n```\n````\n"),
        ("~~~python\nx", "```python\nx"),
        ("- ~~~sh\n  x\n  ~~~\n", "- ```sh\n  x\n  ```\n"),
        ("```\n#### x\n| a | b |\n|---|---|\n![x](y)\n```\n", "```\n#### x\n| a | b |\n|---|---|\n![x](y)\n```\n"),
        ("a | b\nno table", "a | b\nno table"),
    ],
)
def test_what_discord_does_not_know_is_said_otherwise(markdown: str, shown: str) -> None:
    assert discord_markdown(markdown) == shown


def test_a_table_becomes_code_with_aligned_columns() -> None:
    table = "| City | °C | Sky |\n|:-----|--:|:-:|\n| Oslo | -3 | **snow** |\n| \u6771\u4eac | 12 | `a\\|b` |\nafter"
    assert discord_markdown(f"Now:\n\n{table}") == (
        "Now:\n\n```\nCity  °C  Sky\n----  --  ----\nOslo  -3  snow\n\u6771\u4eac  12  a|b\n```\nafter"
    )


def test_a_row_with_too_few_or_too_many_cells_keeps_them() -> None:
    assert discord_markdown("|a|b|\n|-|-|\n|1|\n|1|2|3|") == "```\na  b\n-  -\n1\n1  2  3\n```"


def test_a_very_wide_cell_does_not_widen_every_row() -> None:
    shown = discord_markdown("|a|b|\n|-|-|\n" + "|1|2|\n" * 1_000 + f"|{'x' * 10_000}|2|")
    assert len(shown) < 10_000 + 1_010 * 50


def test_a_table_in_a_quotation_stays_in_it() -> None:
    assert discord_markdown("> | a |\n> |---|\n> | 1 |\n") == "> ```\n> a\n> -\n> 1\n> ```\n"


@given(MARKDOWN)
def test_what_is_converted_stays_as_it_is(text: str) -> None:
    once = discord_markdown(text)
    assert discord_markdown(once) == once


@given(MARKDOWN)
def test_pieces_make_the_whole(text: str) -> None:
    assert "".join(converted(text)) == discord_markdown(text)


@given(st.text(st.characters(exclude_characters="|`~#!")))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert discord_markdown(text) == text

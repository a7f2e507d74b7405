"""What in a Markdown text is code, and what must stay in one piece."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.markdown_spans import segments, whole_spans

ANYTHING = st.one_of(st.text(st.sampled_from("ab \n`~|-[]()<>!#\\:/")), st.text())


def spans(text: str) -> list[str]:
    return [text[start:end] for start, end in whole_spans(text)]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("a `b c` d", ["`b c`"]),
        ("a ``b ` c`` `d", ["``b ` c``"]),
        (r"a \`b` c`", ["` c`"]),
        ("[a b](https://c.d 'e f') g", ["[a b](https://c.d 'e f')"]),
        ("[![a](b)](c) ![d](e_(f))", ["[![a](b)](c)", "![d](e_(f))"]),
        ("[a `]` b](c)", ["[a `]` b](c)"]),
        ("[a] (b) [c](d e)", []),
        ("see https://a.b/c?d=[e] and <mailto:a@b.c>", ["https://a.b/c?d=[e", "<mailto:a@b.c>"]),
        ("<@123> <:wave:1> <t:1:R> a < b", ["<@123>", "<:wave:1>", "<t:1:R>"]),
    ],
)
def test_what_must_stay_whole_is_found(text: str, whole: list[str]) -> None:
    assert spans(text) == whole


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a `b` c\n```\nd\n```\ne", ["`b`", "```\nd\n```\n"]),
        ("a `b\nc` d", ["`b\nc`"]),
        ("a `b\n\nc` d", ["\n"]),
        ("- a `b\n- c` d", []),
        ("```\nnever closed `x`\n", ["```\nnever closed `x`\n"]),
        ("> ```\n> a\nb `c`", ["> ```\n> a\n", "`c`"]),
    ],
)
def test_code_is_told_from_prose(text: str, code: list[str]) -> None:
    assert [piece for is_code, piece in segments(text) if is_code] == code


@given(ANYTHING)
def test_segments_make_the_whole(text: str) -> None:
    assert "".join(piece for _, piece in segments(text)) == text


@given(ANYTHING)
def test_spans_lie_side_by_side(text: str) -> None:
    edges = [edge for span in whole_spans(text) for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)

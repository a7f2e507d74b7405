import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.lines import EventSplitter, LineSplitter, LineTooLong, Splitter

LINE_ENDS = st.sampled_from([b"\n", b"\r\n"])
VALUES = st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.integers()), max_size=8)
CUTS = st.lists(st.integers(0, 400), max_size=30)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def run(splitter: Splitter, parts: list[bytes]) -> list[bytes]:
    found = [line for part in parts for line in splitter.feed(part)]
    return found + splitter.flush()


@given(VALUES, LINE_ENDS, CUTS, st.booleans())
def test_any_cut_of_ndjson_gives_the_same_lines(
    values: list[object], end: bytes, cuts: list[int], last_end: bool
) -> None:
    data = b"".join(json.dumps(value).encode() + end for value in values)
    data = data if last_end else data.removesuffix(end)
    assert [json.loads(line) for line in run(LineSplitter(), pieces(data, cuts))] == values


@given(VALUES, LINE_ENDS, CUTS, st.sampled_from([b"", b": ping", b"event: message", b"id: 7", b"retry: 1"]))
def test_any_cut_of_an_event_stream_gives_the_same_events(
    values: list[object], end: bytes, cuts: list[int], extra: bytes
) -> None:
    event = (extra + end if extra else b"") + b"data: %s" + end + end
    data = b"".join(event.replace(b"%s", json.dumps(value).encode()) for value in values)
    assert [json.loads(line) for line in run(EventSplitter(), pieces(data, cuts))] == values


@given(st.binary(max_size=300), CUTS)
def test_the_cut_of_arbitrary_bytes_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    parts = pieces(data, cuts)
    assert run(LineSplitter(), parts) == run(LineSplitter(), [data])
    assert run(EventSplitter(), parts) == run(EventSplitter(), [data])


def test_an_incomplete_line_waits_for_its_end() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b'{"a":') == []
    assert splitter.feed(b"1}\n{") == [b'{"a":1}']
    assert splitter.flush() == [b"{"]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        pytest.param(b"data: a\ndata: b\n\n", [b"a\nb"], id="data lines of one event are joined"),
        pytest.param(b"data:a\n\n", [b"a"], id="the space is optional"),
        pytest.param(b"data:  a\n\n", [b" a"], id="only one space belongs to the field"),
        pytest.param(b": nothing\n\n", [], id="a comment is no event"),
        pytest.param(b"data:\n\n", [], id="an event without data is none"),
        pytest.param(b"data: [DONE]\n\n", [b"[DONE]"], id="the end is an event"),
        pytest.param(b"data: a", [b"a"], id="the last event may lack its end"),
        pytest.param(b'error: {"code":500}\n', [b'{"error": {"code":500}}'], id="an error field is an error"),
        pytest.param(b'{"error":"x"}\n', [b'{"error":"x"}'], id="a bare JSON line is an event"),
    ],
)
def test_events_are_read_as_the_standard_and_real_servers_write_them(stream: bytes, events: list[bytes]) -> None:
    assert run(EventSplitter(), [stream]) == events


@pytest.mark.parametrize("splitter", [LineSplitter(limit=10), EventSplitter(limit=10)])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_line_without_end_is_refused_however_it_arrives(splitter: Splitter, size: int) -> None:
    data = b"x" * 100
    with pytest.raises(LineTooLong):
        run(splitter, [data[at : at + size] for at in range(0, 100, size)])


def test_a_line_as_long_as_the_limit_is_taken() -> None:
    assert LineSplitter(limit=10).feed(b"x" * 10 + b"\n") == [b"x" * 10]


def test_an_event_of_too_many_lines_is_refused() -> None:
    with pytest.raises(LineTooLong):
        EventSplitter(limit=10).feed(b"data: abc\n" * 5)

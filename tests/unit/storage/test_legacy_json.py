import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import ImportRefused
from storage.legacy_json import MAX_BYTES, MAX_DEPTH, in_utf8, parsed
from storage.log_file import mapped
from tests.storage_builders import TEST_DATA

SUITE = TEST_DATA / "json-test-suite"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def value_of(data: bytes) -> Any:
    return parsed(in_utf8(memoryview(data)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_the_encodings_of_unicode_are_told_apart(encoding: str) -> None:
    assert value_of('{"a": "Zürich 😀"}'.encode(encoding)) == {"a": "Zürich 😀"}


@given(value=VALUES, ascii_only=st.booleans())
def test_what_python_writes_is_read_as_it_was(value: Any, ascii_only: bool) -> None:
    read = value_of(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "backslashreplace"))
    if not has_halves(value):
        assert read == value
    json.dumps(read, ensure_ascii=False).encode()  # nothing is left that UTF-8 cannot say


def has_halves(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud83d\ude00 \ud83d"', "😀 \\ud83d"),
        (r'"\ude00\ud83d"', "\\ude00\\ud83d"),
        (r'"\\ud83d\ude00"', "\\ud83d\\ude00"),
        (r'"\\\ud83d\ude00"', "\\😀"),
        (r'{"\ud800": 1, "\\ud800": 2}', {"\\ud800": 2, "\\ud800 (1)": 1}),
        ("[NaN, -Infinity, 1e999]", ["NaN", "-Infinity", "1e999"]),
        ("9" * 2000, "9" * 2000),
        ("9" * 30, int("9" * 30)),
        ('{"a": 1, "a (1)": 2, "a": 3, "a": 4}', {"a": 4, "a (1)": 2, "a (2)": 1, "a (3)": 3}),
    ],
)
def test_what_json_for_others_cannot_say_is_kept(text: str, value: object) -> None:
    assert value_of(text.encode()) == value


def test_many_repetitions_of_a_name_are_all_kept() -> None:
    repeated = value_of(("{" + ", ".join(f'"a": {n}' for n in range(20_000)) + "}").encode())
    assert sorted(repeated.values()) == list(range(20_000))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty: get another copy of it."),
        (b" \n\t", "The file is empty"),
        (b"\xef\xbb\xbf", "The file is empty"),
        (b"[1, 2}", "The file is not JSON: Expecting ',' delimiter, line 1, column 6"),
        (b'{"a": 1}x', "The file is not JSON: Extra data, line 1, column 9"),
        (b'{"a": 1\n "b": 2}', r"The file is not JSON: Expecting ',' delimiter, line 2, column 2. Mend it there"),
        (b"hello", "The file is not JSON: Expecting value, line 1, column 1"),
        (b'"\\ud8zz"', "The file is not JSON: Invalid"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "The file is not text in UTF-8 or UTF-16: save it as UTF-8"),
        ('"Zürich"'.encode("latin-1"), "The file is not text in UTF-8"),
        (b"\xff\xfe\x00", "The file is not text in UTF-8"),
        (b"[" * 100_000, "The file is nested too deeply: 200 lists"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "The file is nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(data: bytes, sentence: str) -> None:
    with pytest.raises(ImportRefused, match=sentence):
        value_of(data)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_wherever_a_file_was_cut_off_it_is_told(ascii_only: bool) -> None:
    value = {"a": [True, None, -1.5e3, "Zürich 😀 \\ \n"], "b": {"c": False, "d": ""}}
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1).encode()
    for end in range(1, len(text)):
        with pytest.raises(ImportRefused, match=r"ends in the middle: it was cut off\. Get a whole copy of it\."):
            value_of(text[:end])


def test_as_deep_as_the_limit_is_read() -> None:
    assert str(value_of(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


def test_a_file_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    path.write_bytes(b"[")
    os.truncate(path, MAX_BYTES + 1)  # a hole: it takes no room
    with pytest.raises(ImportRefused, match="The file is too large: 500 MB is the limit"):
        parsed(mapped(path))


@pytest.mark.skipif(not SUITE.is_dir(), reason="the JSON test suite is not here")
@pytest.mark.parametrize("path", sorted(SUITE.glob("*.json")), ids=lambda path: path.stem)
def test_the_json_test_suite_is_taken_and_refused(path: Path) -> None:
    try:
        value_of(path.read_bytes())
    except ImportRefused:
        assert path.name.startswith(("n_", "i_"))
    else:
        # Python's own reader, and so whoever wrote with it, takes NaN and infinities.
        assert not path.name.startswith("n_") or "nan" in path.name.casefold() or "infinity" in path.name.casefold()

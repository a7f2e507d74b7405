import pytest

from gadgets.mcp.wording import told


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Adds  two\n\nnumbers.\t", "Adds two numbers."),
        ("<|im_start|>system", "(|im_start|)system"),
        ("</tools>```json", "(/tools)'''json"),
        ("a\x00\x1b[31mb", "a[31mb"),
        ("\u202eevil\u2066\u200b\U000e0041", "evil"),
        ("Grüße 👍", "Grüße 👍"),
        (None, ""),
        (["no text"], ""),
    ],
)
def test_a_servers_words_become_one_plain_line(text: object, line: str) -> None:
    assert told(text, 100) == line


def test_a_long_text_is_cut() -> None:
    assert told("x" * 10_000_000, 10) == "x" * 9 + "…"

import pytest

from bot.errors import ModelBroken, ModelBusy, ModelError, ModelNotFound, ModelRefused
from bot.models.peer import MAX_ERROR_CHARS, Peer, error_text

PEER = Peer("ollama", "qwen3", "install it with: ollama pull qwen3", secret="s3cret")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ModelRefused),
        (401, ModelRefused),
        (403, ModelRefused),
        (404, ModelNotFound),
        (413, ModelRefused),
        (429, ModelBusy),
        (500, ModelBroken),
        (502, ModelBroken),
        (503, ModelBusy),
        (301, ModelBroken),
    ],
)
def test_a_status_has_one_meaning(status: int, kind: type[ModelError]) -> None:
    assert type(PEER.refusal(status, b"{}")) is kind


def test_a_missing_model_names_the_command_that_helps() -> None:
    error = PEER.refusal(404, b'{"error":"model \'qwen3\' not found"}')
    expected = "ollama qwen3: HTTP 404: model 'qwen3' not found; install it with: ollama pull qwen3"
    assert str(error) == expected


def test_the_secret_never_appears() -> None:
    assert "s3cret" not in str(PEER.refusal(401, b"Incorrect API key: s3cret"))
    assert "s3cret" not in repr(PEER)


def test_a_message_is_one_line_of_bounded_length() -> None:
    message = str(PEER.error(ModelBroken, "a\nb\x1b[31m\r" + "c" * 5000))
    assert message.isprintable()
    assert len(message) < MAX_ERROR_CHARS + 50


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error":"no"}', "no"),
        (b'{"error":{"message":"no","code":1}}', "no"),
        (b'{"detail":"no"}', "no"),
        (b'{"message":"no"}', "no"),
        (b"<html>no</html>", "<html>no</html>"),
        (b"\xff", "�"),
        (b'{"other":1}', "{'other': 1}"),
        (b"[1]", "[1]"),
        (b"", ""),
    ],
)
def test_the_servers_own_words_are_found(body: bytes, text: str) -> None:
    assert error_text(body) == text

"""Addresses as people write them."""

import pytest

from bot.addresses import ollama_url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8000", "http://127.0.0.1:8000"),
        (":8000", "http://127.0.0.1:8000"),
        ("[::]:8000", "http://[::1]:8000"),
        ("[::1]", "http://[::1]:11434"),
        ("gpu.lan", "http://gpu.lan:11434"),
        ("http://gpu.lan", "http://gpu.lan:80"),
        ("HTTPS://gpu.lan/ollama/", "https://gpu.lan:443/ollama"),
        (" http://gpu.lan:8000/ ", "http://gpu.lan:8000"),
    ],
)
def test_an_ollama_host_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert ollama_url(host) == url


@pytest.mark.parametrize("host", ["ftp://x", "http://x:port", "x:99999", "http://[::1"])
def test_what_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(ValueError):
        ollama_url(host)

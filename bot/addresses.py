"""Network addresses as people write them."""

import ipaddress
from urllib.parse import urlsplit

OLLAMA_PORT = 11434
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - replaced, not bound to
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can connect to `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def ollama_url(host: str) -> str:
    """The URL of an `OLLAMA_HOST`-style address, read as Ollama's envconfig.ConnectableHost reads it.

    `127.0.0.1:11434`, `http://…`, `:8080` and the empty text work; an address to listen on (`0.0.0.0`, `[::]`)
    becomes the loopback one. Raises ValueError when it is no address.
    """
    scheme, separator, rest = host.strip().rpartition("://")
    scheme = scheme.lower() if separator else "http"
    if scheme not in _DEFAULT_PORTS:
        raise ValueError(f"{host!r} is no address; write e.g. http://127.0.0.1:{OLLAMA_PORT}")
    parts = urlsplit(f"{scheme}://{rest}")
    name = _ANY_ADDRESS.get(parts.hostname or "", parts.hostname or "")
    port = parts.port or (_DEFAULT_PORTS[scheme] if separator else OLLAMA_PORT)
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}{parts.path.rstrip('/')}"

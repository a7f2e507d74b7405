"""Places to listen on."""

import socket


def try_port(host: str, port: int) -> None:
    """Listen for a moment. Blocking. Raises OSError, socket.gaierror among them."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(address)
        tried.listen()


def address(host: str, port: int) -> str:
    """The URL of what listens there, without a slash at its end."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"

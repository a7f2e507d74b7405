"""Which requests are let in at all, by the names a browser says it is talking to and comes from.

A page of another site can make a browser connect here; the browser then says so in `Origin`. A page whose name was
re-pointed to this machine (DNS rebinding) is known by its name in `Host`. Neither header can be set by a script.
"""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from bot.addresses import is_loopback

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Gate:
    """For a server bound to `bound`; `allowed_hosts` are further names (`bot.example.org`, `bot.example.org:8443`).

    Bound to the loopback interface, a request must name a loopback host or an allowed one. The port is not compared:
    behind a forwarded port it is another one. Bound elsewhere, every name is let in unless `allowed_hosts` is given,
    because then the access token's cookie is the guard, and a browser does not send it to a re-pointed name.
    """

    def __init__(self, bound: str, allowed_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(name.lower() for name in allowed_hosts)
        self._any = not is_loopback(bound) and not self._allowed

    def refusal(self, host: str | None, origin: str | None) -> str | None:
        """Why a request is refused, or None. Browsers leave `Origin` out of plain page loads, other programs always."""
        if not self._knows(host):
            return "I do not answer under this name. Add it to allowed_hosts in [web] if it is mine."
        if origin is not None and not _same(origin, host or ""):
            return "Requests from other sites are refused."
        return None

    def _knows(self, host: str | None) -> bool:
        parts = _split(f"//{host}") if host else None
        if parts is None or not parts.hostname:
            return False
        return (
            self._any
            or is_loopback(parts.hostname)
            or not self._allowed.isdisjoint({parts.hostname, parts.netloc.lower()})
        )


def _same(origin: str, host: str) -> bool:
    """Whether an `Origin` (`http://localhost:8321`) is the site that `Host` (`localhost:8321`) names."""
    sent, here = _split(origin), _split(f"//{host}")
    if sent is None or here is None or sent.scheme not in _DEFAULT_PORTS:
        return False
    default = _DEFAULT_PORTS[sent.scheme]
    return (sent.hostname, sent.port or default) == (here.hostname, here.port or default)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return None if parts.username is not None or parts.path or parts.query or parts.fragment else parts

"""Who a browser is: a random id in a signed cookie, and whether it has shown the access token.

The cookie holds no secret: the token is represented by a keyed digest, so that a changed token shuts everybody out.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

MAX_AGE_SECONDS = 365 * 24 * 3600
_SALT = "secret-agents.web.session"


@dataclass(frozen=True, slots=True)
class Session:
    """`trusted`: may chat. `known`: the browser sent a valid cookie of ours, `browser` is from there."""

    browser: str
    trusted: bool
    known: bool


class Sessions:
    """Reads and writes the cookie. `key` signs it and is kept with the database; `access_token` None = open to all."""

    def __init__(self, key: str, access_token: str | None) -> None:
        self._serializer = URLSafeSerializer(key, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256})
        self._token = _digest(key, access_token) if access_token is not None else ""
        self._key = key
        # Cookies do not know ports: two installations on one machine need names of their own.
        self.cookie = f"secret_agents_{_digest(key, 'cookie name')[:8]}"

    @property
    def guarded(self) -> bool:
        """Whether an access token is needed."""
        return bool(self._token)

    def read(self, cookies: Mapping[str, str]) -> Session:
        """A forged or garbled cookie counts as none: a fresh browser id. None is too old: clocks jump, and a browser
        drops it by itself after its Max-Age.
        """
        try:
            browser, mark = self._serializer.loads(cookies.get(self.cookie, ""))
        except (BadData, ValueError, TypeError):
            return Session(secrets.token_urlsafe(16), trusted=not self._token, known=False)
        trusted = not self._token or hmac.compare_digest(str(mark), self._token)
        return Session(str(browser), trusted=trusted, known=True)

    def accepts(self, token: str) -> bool:
        """Whether this is the access token, in a time that does not depend on how much of it is right."""
        return bool(self._token) and hmac.compare_digest(_digest(self._key, token), self._token)

    def write(self, browser: str) -> str:
        """The cookie's value for a browser that is trusted."""
        return str(self._serializer.dumps((browser, self._token)))


def _digest(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()

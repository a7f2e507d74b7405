"""What Discord answers when it refuses: an HTTP status and `{"code": …, "message": …, "errors": {…}}`.

Codes and words: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from typing import Any

CODES: dict[int, tuple[int, str]] = {
    0: (401, "401: Unauthorized"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10014: (404, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    30034: (400, "Maximum number of daily application command creates has been reached (200)"),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later"),
    40005: (413, "Request entity too large. Try sending something smaller."),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50024: (403, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    160002: (400, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
}


class DiscordError(Exception):
    """Discord refuses the request."""

    def __init__(self, code: int, errors: dict[str, Any] | None = None) -> None:
        self.status, self.message = CODES[code]
        self.code = code
        self.errors = errors
        super().__init__(f"{self.status} {code} {self.message} {errors or ''}")

    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = {"message": self.message, "code": self.code}
        return found | ({"errors": self.errors} if self.errors else {})


def invalid(field: str, reason: str, words: str) -> DiscordError:
    """50035 about one field; `field` may be a path such as `data.content`. Real reasons are words, not numbers."""
    inner: dict[str, Any] = {"_errors": [{"code": reason, "message": words}]}
    for name in reversed(field.split(".")):
        inner = {name: inner}
    return DiscordError(50035, inner)


def too_long(field: str, limit: int) -> DiscordError:
    return invalid(field, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")

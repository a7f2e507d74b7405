"""What can go wrong, and the sentence a user is told.

An exception's docstring is its default message. A message given to an exception is for the log and the operator; what
chat users read comes from `sentence_for`, which never shows a token, a path or a stack trace.
"""

from datetime import datetime

from storage.errors import StorageError


class SecretAgentsError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class ConfigurationError(SecretAgentsError):
    """The configuration cannot be used. The message is a list of `[section] key: what to do` lines."""


class ModelError(SecretAgentsError):
    """The language model did not answer."""


class ModelUnreachable(ModelError):
    """The language model's server cannot be reached."""


class ModelNotFound(ModelError):
    """The configured model is not installed on its server."""


class ModelBusy(ModelError):
    """The language model's queue is full."""


class ModelSilent(ModelError):
    """The language model stopped sending before its answer was complete, or never began."""


class ModelBroken(ModelError):
    """The language model's server sent an error or something that is not its protocol."""


class ModelRefused(ModelError):
    """The language model's server refused the request (credentials, missing capability, too long)."""


class ModelNotReady(ModelError):
    """The embedded language model is not ready yet, or cannot be made ready."""


class TurnTimedOut(SecretAgentsError):
    """The turn did not finish within its deadline."""


class UserError(SecretAgentsError):
    """That is not possible."""


class NotAllowed(UserError):
    """You may not do that: it is not your mission."""


class MessageTooLong(UserError):
    """That message is too long for me. Please send a shorter one, or split it."""


class UnknownAgent(UserError):
    """There is no such agent."""


class OverLimit(UserError):
    """You have sent more than I can take. Please come back later.

    `until` is when to come back (UTC). `told`: the same person was told of this limit already, and it lasts; where the
    sentence would be one more message in a channel, it is not said again.
    """

    def __init__(self, message: str | None = None, *, until: datetime, told: bool = False) -> None:
        super().__init__(message)
        self.until = until
        self.told = told


class PlatformError(SecretAgentsError):
    """A chat platform refused or failed a call; trying again later may help."""


class PlatformGone(PlatformError):
    """The place to answer in no longer exists, or the bot may no longer write there; trying again does not help."""


_SENTENCES: dict[type[BaseException], str] = {
    ModelUnreachable: "I cannot reach my language model right now. Please try again in a minute.",
    ModelNotFound: "My language model is not installed. An operator can see what to do with `secret-agents check`.",
    ModelBusy: "My language model has too many questions waiting. Please try again in a minute.",
    ModelSilent: "My language model stopped answering in the middle. Please try again.",
    ModelBroken: "My language model ran into an error. Please try again.",
    ModelRefused: "My language model refused the request. An operator can see why in the log.",
    ModelNotReady: "My language model is still being made ready. Please try again in a few minutes.",
    ModelError: "My language model could not answer. Please try again.",
    TurnTimedOut: "This took longer than I am allowed to spend on one message, so I stopped. Please try again.",
    StorageError: "I cannot save messages right now, so I did not take this one in. Please try again in a minute.",
    Exception: "Something went wrong on my side. Please try again; if it stays so, tell an operator.",
}


def sentence_for(error: BaseException) -> str:
    """The sentence for the most specific known class of `error`; a UserError's message is written for chat."""
    if isinstance(error, UserError):
        return str(error)
    for kind in type(error).__mro__:
        if kind in _SENTENCES:
            return _SENTENCES[kind]
    return _SENTENCES[Exception]

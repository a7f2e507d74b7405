"""What can go wrong in a gadget. A message is one sentence that the model, and through it the user, may read.

It never holds a URL with a key, a path of this machine or a trace. An exception's docstring is its default message.
"""


class GadgetError(Exception):
    """The gadget did not give a result."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class BadArguments(GadgetError):
    """The arguments cannot be used: correct them and call the gadget again."""


class GadgetFailed(GadgetError):
    """The gadget could not do its work: answer without it."""

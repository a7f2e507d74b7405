"""What a line of the log is about: which turn, which request. Set where work begins, known to every task it starts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

Fact = str | int


@dataclass(frozen=True, slots=True)
class About:
    """`said` is not told: it is what must not be told, whoever repeats it."""

    facts: Mapping[str, Fact] = field(default_factory=dict)
    said: str = ""


_ABOUT: ContextVar[About] = ContextVar("about", default=About())  # noqa: B039 - it is frozen, and nobody adds a fact


@contextmanager
def about(said: str = "", **facts: Fact) -> Iterator[None]:
    """While the block runs, every line is told with these facts, and no others: what began this work is over.

    `said` is the message it is about.
    """
    token = _ABOUT.set(About(facts, said))
    try:
        yield
    finally:
        _ABOUT.reset(token)


def current() -> About:
    return _ABOUT.get()

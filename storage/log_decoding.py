"""Decoding a mission log that somebody hands in: what is wrong with it is told with its place."""

import re
from typing import TypeVar

import msgspec
from msgspec import Raw

from storage.errors import ImportRefused

T = TypeVar("T")
_PLACE = re.compile(r" - at `\$(?P<path>.*)`$")


def decoded(data: Raw | memoryview, kind: type[T], place: str) -> T:
    """The JSON `data` at `place` of the log. Raises ImportRefused."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _refused(str(error), place) from error
    except msgspec.DecodeError as error:
        raise ImportRefused(f"{place or 'The file'}: {error}") from error
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{place or 'The file'}: is not UTF-8 text") from error
    except RecursionError as error:
        raise ImportRefused(f"{place or 'The file'}: is nested too deeply") from error


def _refused(problem: str, place: str) -> ImportRefused:
    """E.g. `conversations[3].messages[17].turn.author: Expected `str`, got `int``."""
    found = _PLACE.search(problem)
    where = place + (found["path"] if found else "")
    return ImportRefused(f"{where.removeprefix('.') or 'The file'}: {_PLACE.sub('', problem)}")

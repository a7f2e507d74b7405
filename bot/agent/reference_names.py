"""How a call refers to a result: `$2` to that of its plan's second call, `$PREVIOUS_RESULT` to the last one before."""

import json
import re
from collections.abc import Mapping
from typing import Any

PREVIOUS = "PREVIOUS_RESULT"
SCALARS = frozenset({"integer", "number", "boolean"})
"""JSON Schema's types of parameters for which a result, which is text, is read as JSON."""

_NAME = rf"\$({PREVIOUS}|[1-9][0-9]{{0,2}})"
WHOLE = re.compile(_NAME)
WITHIN = re.compile(rf"(?<![A-Za-z$]){_NAME}(?!\w|[.,][0-9])")
"""In a longer text. Neither `US$1` nor `$1.50`."""


def refers(arguments: Mapping[str, Any]) -> bool:
    """Whether there is anything in a call's arguments that may be a reference."""
    return WHOLE.search(json.dumps(arguments, default=str)) is not None

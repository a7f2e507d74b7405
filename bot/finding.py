"""What `secret-agents check` finds out about one part."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`todo` is empty where nothing has to be done. A `warning` works, but not all of it, or not everywhere."""

    part: str
    state: Literal["ok", "warning", "off", "failed"]
    why: str
    todo: str = ""

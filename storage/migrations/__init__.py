"""Numbered SQL migrations (`0001_name.sql`, …), applied in order, each in one transaction, each recorded."""

from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str


@cache
def all_migrations() -> tuple[Migration, ...]:
    """Every migration this program knows, in order. Their numbers run from 1 without a gap."""
    files = {f.name: f for f in resources.files(__name__).iterdir() if f.name.endswith(".sql")}
    found = tuple(Migration(int(n[:4]), n[5:-4], files[n].read_text("utf-8")) for n in sorted(files))
    assert [m.number for m in found] == list(range(1, len(found) + 1)), "migration numbers have a gap"
    return found

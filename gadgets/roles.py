"""Who somebody is to the bot, as far as rights go: each role may do what the ones before it may, and more."""

from typing import Literal, get_args

Role = Literal["everyone", "member", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most."""


def reaches(role: Role, needed: Role) -> bool:
    """Whether who has a role may do what needs another one."""
    return ROLES.index(role) >= ROLES.index(needed)


def highest(*roles: Role) -> Role:
    return max(roles, key=ROLES.index, default="everyone")


def lowest(*roles: Role) -> Role:
    return min(roles, key=ROLES.index, default="everyone")


def role_named(word: str) -> Role:
    """A stored role. A word that is none, as one that a later version wrote, gives no rights."""
    return next((role for role in ROLES if role == word), "everyone")


def those(role: Role) -> str:
    """Who has at least this role, as a sentence names them."""
    return "everyone" if role == "everyone" else f"{role}s" if role == "admin" else f"{role}s and those above them"

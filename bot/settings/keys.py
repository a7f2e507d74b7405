"""Which sections and keys there are, found by path: `("web", "port")`, `("agents", "moneypenny", "prompt")`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot.settings.agents import SHIPPED, Agent
from bot.settings.mcp import GadgetServer
from bot.settings.root import Settings, gadget_models

Path = tuple[str, ...]
_GROUPS: tuple[Path, ...] = (("agents",), ("gadgets",), ("mcp",))


@dataclass(frozen=True, slots=True)
class Key:
    """One setting."""

    path: Path
    field: FieldInfo

    @property
    def secret(self) -> bool:
        return SecretStr in (self.field.annotation, *get_args(self.field.annotation))


def sections(agents: tuple[str, ...] = tuple(SHIPPED), servers: tuple[str, ...] = ()) -> dict[Path, type[BaseModel]]:
    """Every section by its path, in the order of the file. `agents` and `servers` are their names."""
    found: dict[Path, type[BaseModel]] = {(): Settings}
    for name, field in Settings.model_fields.items():
        if name == "agents":
            found |= {("agents", each): Agent for each in agents}
        elif name == "mcp":
            found |= {("mcp", each): GadgetServer for each in servers}
        elif name == "gadgets":
            found |= {("gadgets", each): model for each, model in gadget_models().items()}
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found[name,] = field.annotation
    return found


def section(path: Path) -> type[BaseModel] | None:
    """The model of the section at `path`; any name may be an agent's, or a server's."""
    agents = path[1:2] if path[:1] == ("agents",) else ()
    servers = path[1:2] if path[:1] == ("mcp",) else ()
    return sections(agents, servers).get(path)


def find(path: Path) -> Key | None:
    """The setting at `path`, or None for a section or nothing."""
    parent = section(path[:-1]) if path else None
    if parent is None or path in sections() or path[-1] not in parent.model_fields or path in _GROUPS:
        return None
    return Key(path, parent.model_fields[path[-1]])


def siblings(path: Path) -> list[str]:
    """What could stand where the last name of `path` stands."""
    parent = path[:-1]
    if parent == ("gadgets",):
        return list(gadget_models())
    model = section(parent)
    return list(model.model_fields) if model else []


def every(servers: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every setting, section by section."""
    for path, model in sections(servers=servers).items():
        for name in model.model_fields:
            key = find((*path, name))
            if key is not None:
                yield key

"""Where settings come from: config.toml, `.env`, the environment. Each becomes a layer of nested dictionaries.

Layers are merged by pydantic-settings. They are read here, not by its own sources, because those stop at the first
mistake, do not see unknown `SECRET_AGENTS_…` variables and do not remember which variable a value came from.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import TypeAdapter, ValidationError

from bot.settings import keys

PREFIX = "SECRET_AGENTS_"
PLAIN_NAMES: Mapping[str, keys.Path] = {
    "DISCORD_TOKEN": ("discord", "token"),
    "SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "SLACK_APP_TOKEN": ("slack", "app_token"),
    "SLACK_SIGNING_SECRET": ("slack", "signing_secret"),
    "OPENWEATHER_API_KEY": ("gadgets", "weather", "openweather_api_key"),
    "OPENAI_API_KEY": ("openai", "api_key"),
    "OLLAMA_HOST": ("ollama", "host"),
}
NOT_SETTINGS = frozenset({"SECRET_AGENTS_TEST_DATA"})
"""Variables with our prefix that the test suite reads."""
DEFAULT_CONFIG = Path("config.toml")
DEFAULT_ENV = Path(".env")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `place` is a path of keys, or the name of a file."""

    place: tuple[str | int, ...] | str
    text: str


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source says. `origins` tells which variable set a key."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[keys.Path, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def variable(path: keys.Path) -> str:
    """The environment variable people set a key with: its plain name if it has one."""
    plain = {target: name for name, target in PLAIN_NAMES.items()}
    return plain.get(path) or PREFIX + "__".join(path).upper()


def config_file(config: Path | None) -> Layer:
    """The TOML file, which must exist if it was named; its secrets are refused and left out."""
    path = config or DEFAULT_CONFIG
    if config is None and not path.exists():
        return Layer()
    text, problem = _read(path)
    if problem:
        return Layer(problems=(problem,))
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Layer(problems=(Problem(str(path), f"is not valid TOML: {error}"),))
    return Layer(values, problems=tuple(_take_secrets(values, path)))


def _read(path: Path) -> tuple[str, Problem | None]:
    try:
        return path.read_bytes().decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return "", Problem(str(path), f"is not UTF-8 text (line {line}); save it as UTF-8")
    except OSError as error:
        return "", Problem(str(path), f"cannot be read: {error.strerror or error}")


def _take_secrets(values: dict[str, Any], file: Path) -> list[Problem]:
    """Remove secrets from `values`, a problem for each."""
    problems = []
    servers = values.get("mcp")
    for key in keys.every(tuple(servers) if isinstance(servers, dict) else ()):
        *parents, name = key.path
        table: Any = values
        for parent in parents:
            table = table.get(parent) if isinstance(table, dict) else None
        if key.secret and isinstance(table, dict) and table.pop(name, None) is not None:
            text = f"secrets do not belong in {file}; move it to .env or the environment as {variable(key.path)}"
            problems.append(Problem(key.path, text))
    return problems


def env_file(path: Path = DEFAULT_ENV) -> Layer:
    """The `.env` file, if there is one. Variables that are not ours are ignored, as in the environment."""
    if not path.exists():
        return Layer()
    text, problem = _read(path)
    if problem:
        return Layer(problems=(problem,))
    broken = [each.original.line for each in parse_stream(StringIO(text)) if each.error]
    if broken:
        return Layer(problems=tuple(Problem(f"{path} line {line}", "must be NAME=value") for line in broken))
    # Without interpolation: a secret may contain `${`.
    values = dotenv_values(stream=StringIO(text), interpolate=False)
    return environment({name: value for name, value in values.items() if value}, where=f" in {path}")


def environment(variables: Mapping[str, str] | None = None, *, where: str = "") -> Layer:
    """Environment variables of ours that are not empty; `SECRET_AGENTS_…` goes over the plain names."""
    given = os.environ if variables is None else variables
    targets = {name: path for name, path in PLAIN_NAMES.items() if given.get(name)}
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS and given[name]:
            targets[name] = tuple(name.removeprefix(PREFIX).lower().split("__"))
    layer = Layer()
    for name, path in targets.items():
        _put(layer.values, path, _from_text(path, given[name]))
        layer.origins[path] = name + where
    return layer


def variables(path: Path = DEFAULT_ENV) -> dict[str, str]:
    """All that the environment and the `.env` file hold, ours or not; the environment goes over the file."""
    text, _ = _read(path) if path.exists() else ("", None)
    filed = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name: value for name, value in filed.items() if value} | dict(os.environ)


def _put(values: dict[str, Any], path: keys.Path, value: Any) -> None:
    table: Any = values
    for parent in path[:-1]:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):  # a text where a section belongs is reported when it is validated
            return
    table[path[-1]] = value


def _from_text(path: keys.Path, text: str) -> Any:
    """The value that `text` stands for; text that cannot be converted is kept, and refused when it is validated."""
    key = keys.find(path)
    if key is None or _may_be_list(key.field.annotation):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text if key.secret else _scalar(key.field.annotation, text)


def _may_be_list(annotation: Any) -> bool:
    kinds = get_args(annotation) if get_origin(annotation) is UnionType else (annotation,)
    return any(get_origin(each) is tuple for each in kinds)


def _scalar(annotation: Any, text: str) -> Any:
    try:
        return TypeAdapter[Any](annotation).validate_strings(text)
    except ValidationError:
        return text

"""config.toml and .env.example as they are shipped: every setting, commented, at its default.

python -m bot.settings.template          writes both into the current folder
"""

import json
from pathlib import Path
from textwrap import wrap
from typing import Any

from bot.settings import keys
from bot.settings.agents import SHIPPED
from bot.settings.mcp import EXAMPLE
from bot.settings.sources import variable

_WIDTH = 110
_HEADER = """\
Settings of secret-agents. A line that begins with `#` and no space is a setting at its default: take the `#` away
and change it. Each is also an environment variable, as SECRET_AGENTS_WEB__PORT is for port in [web], which goes over
this file; lists are written as JSON there. Secrets belong in .env or the environment, never here: see .env.example.
"""


_ENV_HEADER = """\
Secrets of secret-agents. Copy this file to .env, take away the `#` before what you use and fill it in. The environment
goes over .env, and both go over config.toml. Any other setting can stand here too, as SECRET_AGENTS_WEB__PORT=8080.
"""


def render_env() -> str:
    """All of .env.example: the secrets, by the names that people set them with."""
    secrets = [key for key in keys.every() if key.secret]
    entries = (f"\n{_prose(_secret_about(key))}#{variable(key.path)}=\n" for key in secrets)
    return _prose(_ENV_HEADER) + "".join(entries)


def _secret_about(key: keys.Key) -> str:
    *parents, name = key.path
    return f"[{'.'.join(parents)}] {name}: {key.field.description or 'a secret'}"


def render_config() -> str:
    """All of config.toml. Without the `#` before its settings it means the same."""
    return _prose(_HEADER) + "".join(_section(path) for path in keys.sections()) + _example(("mcp", EXAMPLE))


def _section(path: keys.Path) -> str:
    entries = [key for key in keys.every() if key.path[:-1] == path and not key.secret]
    if not entries:
        return ""
    about = (keys.sections()[path].__doc__ or "") if path else ""
    head = f"[{'.'.join(path)}]\n" if path else ""
    return "\n" + _prose(about) + head + "".join(_entry(key) for key in entries)


def _example(path: keys.Path) -> str:
    """A section of which there is none before somebody names one: a comment as a whole."""
    text = "\n" + _prose(keys.section(path).__doc__ or "") + f"#     [{'.'.join(path)}]\n"
    for key in (key for key in keys.every((EXAMPLE,)) if key.path[:-1] == path):
        value = "" if key.secret else f"#     {key.path[-1]} = {_value(_default(key))}\n"
        text += _prose(key.field.description or "") + value
    return text


def _entry(key: keys.Key) -> str:
    setting = f"{key.path[-1]} = {_value(_default(key))}"
    return _prose(key.field.description or "") + "".join(f"#{line}\n" for line in setting.split("\n"))


def _default(key: keys.Key) -> Any:
    shipped: Any = {"agents": SHIPPED}
    for name in key.path:
        shipped = shipped.get(name, {})
    return shipped or key.field.get_default(call_default_factory=True)


def _value(value: Any) -> str:
    """As TOML. None is what `"auto"` means; JSON's texts, numbers and lists are TOML's too."""
    if isinstance(value, str) and value.endswith("\n"):
        return f'"""\n{value}"""'
    if value is None:
        return '"auto"'
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _prose(text: str) -> str:
    return "".join(f"# {line}\n" for line in wrap(" ".join(text.split()), _WIDTH))


if __name__ == "__main__":
    Path("config.toml").write_text(render_config(), encoding="utf-8")
    Path(".env.example").write_text(render_env(), encoding="utf-8")

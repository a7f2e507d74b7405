"""Gadgets of other programs: `[mcp.<name>]`, one section for each server."""

import re
from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from bot.settings.sections import Seconds, Section, Texts, key_problems
from gadgets.roles import Role

SERVER_NAME = "[a-z][a-z0-9]{0,23}"
EXAMPLE = "files"
"""Stands for the name of a server where the sections are explained."""

_VARIABLE = "[A-Z][A-Z0-9_]*"
_HEADER = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"


def _server_name(name: str) -> str:
    """Without `_`, which ends it where a gadget is named: so no server's name begins like another one's gadgets."""
    if not re.fullmatch(SERVER_NAME, name):
        raise ValueError("must be a lower-case name: a letter, then letters and digits, 24 at most")
    return name


def _variable(name: str) -> str:
    """The word is not repeated in the message: it may be the secret itself."""
    if not re.fullmatch(_VARIABLE, name):
        raise ValueError("must be the name of an environment variable, in capitals, such as FILES_KEY")
    return name


def _header(name: str) -> str:
    if not re.fullmatch(_HEADER, name):
        raise ValueError("must be the name of an HTTP header, such as X-Api-Key")
    return name


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("must be a URL that begins with https:// or http://") from None
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("must be a URL that begins with https:// or http://")
    if parts.username or parts.password:
        raise ValueError("must be without user and password; use token or headers")
    return url


def _all_or_named(value: object) -> object:
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if not isinstance(value, bool):
        raise ValueError("must be true, false or a list of names of its tools")  # noqa: TRY004 - pydantic's
    return value


ServerName = Annotated[str, AfterValidator(_server_name)]
Variable = Annotated[str, AfterValidator(_variable)]
Header = Annotated[str, AfterValidator(_header)]


class GadgetServer(Section):
    """Gadgets of another program, a server that speaks the Model Context Protocol (MCP). Its tools become gadgets, each
    called by the server's name and its own: files_read. Agents whose gadgets are "*" may use them; others name them,
    one by one or as "files_*". Name only servers that you trust: what they say, the model reads. Either command or url.
    """

    command: Texts = ()
    """The program to start, and its arguments. It is given PATH, HOME, SHELL, TERM, USER and LOGNAME, and no other
    environment variable of this program."""
    env: Annotated[tuple[Variable, ...], Field(strict=False)] = ()
    """Names of further environment variables that the program is given, such as its secrets; their values are read
    from .env, too."""
    url: Annotated[str, AfterValidator(_url)] = ""
    """The address of a server that speaks streamable HTTP, such as "https://example.org/mcp"."""
    headers: Mapping[Header, Variable] = Field(default_factory=dict)
    """HTTP headers, each with the name of the environment variable that has its value: {X-Api-Key = "FILES_KEY"}."""
    token: SecretStr | None = None
    """A token, sent as `Authorization: Bearer`, has no place here but in .env: SECRET_AGENTS_MCP__FILES__TOKEN."""
    allow: Role = "everyone"
    """Who may use its gadgets: everyone, member, operator or admin."""
    approve: Annotated[bool | tuple[str, ...], BeforeValidator(_all_or_named)] = False
    """Whether each call waits until somebody approves it: true, false, or a list of the tools, by the server's own
    names, whose calls do."""
    tools: Texts = ()
    """Those of its tools that become gadgets, by the server's own names; empty: all of them."""
    timeout: Seconds = 30
    """How many seconds one call may take."""
    cache_ttl: Annotated[float, Field(ge=0, le=604_800)] = 0
    """Seconds for which a result is given again to the same question; 0: it is not."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.command and self.url:
            raise key_problems({"url": "must be empty where command is set: a server is one or the other"})
        if not self.command and not self.url:
            raise key_problems({"command": "is missing; name the program to start, or the url of a server"})
        if self.command and not self.command[0].strip():
            raise key_problems({"command": "must begin with the program to start"})
        return self

    @model_validator(mode="after")
    def _approves_what_there_is(self) -> Self:
        named = () if isinstance(self.approve, bool) else self.approve
        if unknown := [name for name in named if self.tools and name not in self.tools]:
            raise key_problems({"approve": f"names {unknown[0]!r}, which is not among tools"})
        return self

    @model_validator(mode="after")
    def _is_told_what_it_can_use(self) -> Self:
        beside = {"env": bool(self.url and self.env), "headers": bool(self.command and self.headers)}
        beside["token"] = bool(self.command and self.token)
        if wrong := [name for name, given in beside.items() if given]:
            raise key_problems(dict.fromkeys(wrong, f"is of no use with {'url' if self.url else 'command'}"))
        return self


def server_of(gadget: str) -> str:
    """The name of the server whose gadget, or gadgets, this would be: `files` of `files_read` and of `files_*`."""
    return gadget.partition("_")[0] if re.fullmatch(f"{SERVER_NAME}_[A-Za-z0-9_-]*[*]?", gadget) else ""

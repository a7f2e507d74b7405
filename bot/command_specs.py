"""The /mission commands as they are declared: every platform renders this its own way, or parses a line by it."""

from dataclasses import dataclass
from typing import Literal

from bot.errors import UserError
from gadgets.roles import Role

MAX_ARGUMENT = 100
"""Characters of an argument that are looked at."""

Completes = Literal["", "mission", "agent"]
FORMATS = ("json", "jsonl", "markdown", "html", "csv", "finetune")
EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Argument:
    """One optional word. `choices` are all there is to say, or, where it also `completes` something, come besides."""

    name: str
    description: str
    choices: tuple[str, ...] = ()
    completes: Completes = ""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One subcommand of /mission; all arguments are optional words. `allow`: who may use it, unless the settings say
    otherwise. `deed`: what it does, as a refusal says it.
    """

    name: str
    description: str
    deed: str
    arguments: tuple[Argument, ...] = ()
    allow: Role = "everyone"

    @property
    def usage(self) -> str:
        return " ".join([f"/mission {self.name}", *(f"[{argument.name}]" for argument in self.arguments)])


_ID = Argument("id", "the mission's id, or its first characters", completes="mission")
_BEFORE = Argument("before", "where older ones begin: a number that the list or the mission ended with")
COMMANDS = (
    CommandSpec(
        "new",
        "start a fresh mission here",
        "begin missions",
        (Argument("agent", "who should answer", completes="agent"),),
    ),
    CommandSpec("list", "list your missions", "list missions", (_BEFORE,)),
    CommandSpec("show", "show a mission's last messages", "look at missions", (_ID, _BEFORE)),
    CommandSpec("end", "end a mission", "end missions", (_ID,)),
    CommandSpec("stop", "stop the answer that is being written", "stop answers"),
    CommandSpec("approve", "let a gadget run that waits for a yes", "approve what gadgets do", (_ID,)),
    CommandSpec("decline", "do not let it run", "decline what gadgets do", (_ID,)),
    CommandSpec(
        "export",
        "get missions as a file: json, jsonl, markdown, html, csv or finetune",
        "export missions",
        (
            Argument("id", "the mission's id, or all", (EVERYTHING,), "mission"),
            Argument("format", "json, which can be imported again, jsonl, markdown, html, csv or finetune", FORMATS),
        ),
        allow="admin",
    ),
    CommandSpec(
        "forget",
        "see, get as a file, or erase what I have of you",
        "have anything forgotten",
        (
            Argument("action", "yes erases everything of yours, export sends it to you", ("yes", "export")),
            Argument("user", "for admins: the id of somebody else"),
        ),
    ),
    CommandSpec("help", "what I can do", "ask what I can do"),
)


def parse(line: str) -> tuple[str, dict[str, str]] | None:
    """`/mission show abcd` → ("show", {"id": "abcd"}); `/mission` is help; None when the line is no command.

    Raises UserError for an unknown command or too many words.
    """
    words = line.split()
    if not words or words[0].lower() not in {"/mission", "/help", "/stop"}:
        return None
    name, *values = words[1:] or ["help"] if words[0].lower() == "/mission" else [words[0][1:], *words[1:]]
    spec = next((spec for spec in COMMANDS if spec.name == name.lower()), None)
    if spec is None:
        raise UserError(f"I do not know /mission {name[:MAX_ARGUMENT]}. Try {names()}.")
    if len(values) > len(spec.arguments):
        raise UserError(f"That is too much: {spec.usage}")
    return spec.name, {argument.name: value for argument, value in zip(spec.arguments, values, strict=False)}


def names() -> str:
    return ", ".join(f"`/mission {spec.name}`" for spec in COMMANDS)

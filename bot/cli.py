"""The command `secret-agents`: what can be asked for, and how it ends.

Exit status: 0 done, 1 failed, 2 wrong usage or configuration; an expected problem is told in a line, never a traceback.
What a command needs is imported when it is used, so that `--help` and `list` start quickly.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Handler = Callable[[argparse.Namespace], Coroutine[Any, Any, int]]

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
WITH_MANIFEST = ("discord", "slack")
"""Chat platforms that have to be told about the bot; see `bot.cli_manifest`."""
FORMATS = ("json", "jsonl", "markdown", "html", "csv", "finetune")
"""Those of `storage.export`."""


def main(arguments: Sequence[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a screen that cannot show a character gets a replacement for it
            stream.reconfigure(errors="replace")
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.handler is None:
        parser.print_help(sys.stderr)
        return USAGE
    return _flushed(_run(_handler(given.handler), given))


def _handler(name: str) -> Handler:
    module, _, function = name.partition(":")
    handler: Handler = getattr(import_module(module), function)
    return handler


def _run(handler: Handler, given: argparse.Namespace) -> int:
    from bot.errors import ConfigurationError, SecretAgentsError  # noqa: PLC0415 - after --help and usage errors
    from storage.errors import StorageError  # noqa: PLC0415 - see above

    try:
        return asyncio.run(handler(given))
    except ConfigurationError as error:
        return _complain(str(error), USAGE)
    except BrokenPipeError:
        return FAILED
    except (SecretAgentsError, StorageError) as error:
        return _complain(str(error), FAILED)
    except OSError as error:
        return _complain(f"{error.filename or 'Error'}: {error.strerror or error}", FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


def _flushed(status: int) -> int:
    """The exit status, once everything printed has left; FAILED when nobody reads it any more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to fail at exit
        return FAILED
    return status


def _complain(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


class _Version(argparse.Action):
    """As argparse's own, which wants to know the version before it is asked for: finding it takes a while."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - see above

        print(f"secret-agents {version('secret-agents')}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="secret-agents", description="An LLM-agent bot for Discord, Slack, the web and the terminal."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    parser.add_argument("--config", type=Path, metavar="FILE", default=None, help="settings (default: ./config.toml)")
    parser.set_defaults(handler=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _running(commands)
    _missions(commands)
    _record(commands)
    return parser


_Commands = Any
"""argparse's own type for this is private."""


def _command(commands: _Commands, name: str, about: str, handler: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    # Accepted after the command too; SUPPRESS keeps what was given before it.
    parser.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.set_defaults(handler=handler)
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _running(commands: _Commands) -> None:
    _command(commands, "run", "Start the bot on every configured platform.", "bot.cli_running:run")
    chat = _command(commands, "chat", "Talk to the bot here; or pipe it a message per line.", "bot.cli_running:chat")
    chat.add_argument("id", nargs="?", metavar="ID", help="the mission to go on with (default: the latest active one)")
    check = _command(commands, "check", "Tell what is on, whether it works, and what to do.", "bot.cli_running:check")
    check.add_argument("--backup", type=Path, metavar="FILE", help="tell instead whether this backup is good")
    _json(check)
    about = "Print what a chat platform has to be told about the bot."
    manifest = _command(commands, "manifest", about, "bot.cli_manifest:manifest")
    manifest.add_argument("platform", choices=WITH_MANIFEST)
    _json(manifest)
    model = _command(commands, "model", "The embedded language model.", "bot.cli_model:pull")
    actions = model.add_subparsers(title="actions", metavar="ACTION", required=True)
    pull = _command(actions, "pull", "Download the embedded model's weights.", "bot.cli_model:pull")
    pull.add_argument("--small", action="store_true", help="the small model (0.5 GB instead of 1.1 GB)")


def _missions(commands: _Commands) -> None:
    listing = _command(commands, "list", "List missions, the latest first.", "bot.cli_missions:listing")
    listing.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at most (default: 50)")
    _json(listing)
    show = _command(commands, "show", "Show a mission's messages.", "bot.cli_missions:show")
    show.add_argument("id", metavar="ID", help="its id, or the first 4 characters or more")
    _json(show)
    end = _command(commands, "end", "End a mission.", "bot.cli_missions:end")
    end.add_argument("id", nargs="?", metavar="ID", help="default: the latest active one of the terminal")
    _command(commands, "new", "Begin a fresh mission, which `chat` then goes on with.", "bot.cli_missions:new")
    _export(commands)
    audit = _command(commands, "audit", "List what admins and operators did, the latest first.", "bot.cli_audit:audit")
    audit.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at most (default: 50)")
    _json(audit)
    about = "Read missions that were exported, or what earlier programs wrote."
    load = _command(commands, "import", about, "bot.cli_log:load")
    load.add_argument("file", type=Path, metavar="FILE|FOLDER")


def _export(commands: _Commands) -> None:
    about = (
        "Write missions to a file: a log that can be imported, a transcript, a table, or lines to train a model with."
    )
    export = _command(commands, "export", about, "bot.cli_export:export")
    export.add_argument("id", nargs="+", metavar="ID|all")
    export.add_argument("file", type=Path, metavar="FILE", help="- is standard output")
    endings = ".json, .jsonl, .md, .html, .csv, .finetune.jsonl"
    export.add_argument("--format", choices=FORMATS, help=f"default: by the file's ending ({endings}), or json")
    export.add_argument("--platform", metavar="NAME", help="only missions of this platform")
    export.add_argument("--user", type=_user, metavar="PLATFORM:ID", help="only messages by this person")
    export.add_argument("--since", type=_since, metavar="TIME", help="only messages from this UTC date or ISO time on")
    export.add_argument(
        "--until", type=_until, metavar="TIME", help="only messages up to this date, or before this time"
    )
    about = "only answers rated so or better: 1 (up), 0 (or not rated), -1 (down)"
    export.add_argument("--min-rating", type=int, choices=(-1, 0, 1), help=about)


def _record(commands: _Commands) -> None:
    about = "Copy the database to a file, also beside a running bot; `check --backup FILE` tells how to go back to it."
    backup = _command(commands, "backup", about, "bot.cli_record:make_backup")
    backup.add_argument("file", type=Path, metavar="FILE")
    about = "Remove missions that are older than [retention] says, as the bot does once a day."
    retention = _command(commands, "retention", about, "bot.cli_record:retain")
    retention.add_argument("--dry-run", action="store_true", help="only tell what would be removed")
    retention.add_argument("--yes", action="store_true", help="the clock is right, even if it was put forward")
    about = "Tell what there is of a person, write it to a file, or erase it."
    forget = _command(commands, "forget", about, "bot.cli_record:forget")
    forget.add_argument("person", nargs="?", type=_person, metavar="PLATFORM:ID", help="such as discord:123")
    forget.add_argument("--dry-run", action="store_true", help="erase nothing, as without --yes")
    forget.add_argument("--yes", action="store_true", help="erase it, which cannot be undone")
    forget.add_argument("--export", type=Path, metavar="FILE", help="write their messages, answers and notes as JSON")
    about = "erase again whoever is on this list (database.forgotten), or on that of a newer backup"
    forget.add_argument("--replay", type=Path, metavar="LIST", help=about)


def _person(text: str) -> Any:
    from storage.holdings import Person  # noqa: PLC0415 - only for this argument

    return Person(*_user(text))


def _user(text: str) -> tuple[str, str]:
    platform, _, identity = text.partition(":")
    if not (platform and identity):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a platform and a person's id, as in discord:123")
    return platform, identity


def _since(text: str) -> str:
    from storage.periods import since  # noqa: PLC0415 - only for this argument

    return _told(since, text)


def _until(text: str) -> str | None:
    from storage.periods import until  # noqa: PLC0415 - only for this argument

    return _told(until, text)


def _told(read: Callable[[str], T], text: str) -> T:
    """argparse tells what is wrong with an argument only if it is of its own kind."""
    try:
        return read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1_000_000:
        raise ValueError
    return count

"""Commands as words in a thread, where Slack has no slash commands: `@bot end`, `!end`, `!show abcd…`."""

import logging
import re

from bot.command_specs import COMMANDS, CommandSpec
from bot.commands import CommandAnswer, Commands, Invocation
from bot.errors import PlatformError, PlatformGone, SecretAgentsError, sentence_for
from bot.platforms import slack_text
from bot.platforms.slack.answers import Answers
from bot.platforms.slack.people import People
from bot.platforms.slack.places import Team, is_direct, key_of_message
from bot.platforms.slack.questions import Event, speaker_of
from storage.errors import StorageError

_log = logging.getLogger(__name__)

SPOKEN = {spec.name: spec for spec in COMMANDS if spec.name in {"end", "list", "show", "stop", "new", "help"}}
_ID = re.compile(r"[a-z0-9]{4,40}")
_DIGITS = re.compile(r"[0-9]{1,18}")


class Words:
    """Of one workspace."""

    def __init__(self, team: Team, commands: Commands, people: People, answers: Answers) -> None:
        self._team = team
        self._commands = commands
        self._people = people
        self._answers = answers

    async def carried_out(self, event: Event, *, addressed: bool) -> bool:
        """Whether the message was a command. Those that only look like one are questions."""
        asked = command_of(event, self._team.bot_user, addressed=addressed)
        if asked is None:
            return False
        key = key_of_message(self._team.id, event)
        author = await self._people.author(speaker_of(event), direct=is_direct(event["channel"]))
        try:
            answer = await self._commands.run(Invocation(asked[0], asked[1], key, author))
        except (SecretAgentsError, StorageError) as error:
            answer = CommandAnswer(sentence_for(error))
        try:
            await self._answers.whisper(answer, asked[0], key, author)
        except (PlatformError, PlatformGone) as error:
            _log.warning("the answer to a command could not be shown: %s", error)
        return True


def command_of(event: Event, bot_user: str, *, addressed: bool) -> tuple[str, dict[str, str]] | None:
    """The command that a message is: its first word known, marked by `!` or by the bot's name before it, and nothing
    behind it but what the command takes. In a channel, outside any thread, there is nothing to command.
    """
    text = slack_text.without_mention(str(event.get("text") or ""), bot_user).strip()
    marked = text.startswith("!")
    words = text.removeprefix("!").split()
    spec = SPOKEN.get(words[0].lower()) if words else None
    if spec is None or event.get("files") or not (marked or (addressed and "thread_ts" in event)):
        return None
    arguments = _arguments(spec, words[1:])
    return None if arguments is None else (spec.name, arguments)


def _arguments(spec: CommandSpec, values: list[str]) -> dict[str, str] | None:
    """None where the words are no arguments of this command: then it is a sentence that begins like one."""
    if len(values) > len(spec.arguments):
        return None
    given = {argument.name: value for argument, value in zip(spec.arguments, values, strict=False)}
    fits = {"id": _ID, "before": _DIGITS, "agent": _ID}
    return given if all(fits[name].fullmatch(value) for name, value in given.items()) else None

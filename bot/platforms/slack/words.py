"""Commands as words in a thread, where Slack has no slash commands: `@bot end`, `!end`, `!show abcd…`."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.command_specs import COMMANDS, CommandSpec
from bot.commands import CommandAnswer, Commands, Invocation
from bot.errors import PlatformError, SecretAgentsError, UserError, sentence_for
from bot.platforms import slack_text
from bot.platforms.slack.answers import Answers
from bot.platforms.slack.people import People
from bot.platforms.slack.places import Team, event_key, is_direct, key_of_message
from bot.platforms.slack.questions import Event, speaker_of
from bot.platforms.slack.seen import Seen
from bot.platforms.slack.threads import run_in_thread
from storage.errors import StorageError

_log = logging.getLogger(__name__)

SPOKEN = {spec.name: spec for spec in COMMANDS if spec.name not in {"export", "forget"}}
_ID = re.compile(r"[a-z0-9]{4,40}")
_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command that somebody may have said. `marked`: by `!`, so that it can be nothing else."""

    command: str
    arguments: Mapping[str, str]
    marked: bool


class Words:
    """Of one workspace."""

    def __init__(self, team: Team, commands: Commands, people: People, answers: Answers) -> None:
        self._team = team
        self._commands = commands
        self._people = people
        self._answers = answers
        self._seen = Seen()

    async def carried_out(self, event: Event, *, addressed: bool) -> bool:
        """Whether the message was a command. Those that only look like one are questions."""
        spoken = command_of(event, self._team.bot_user, addressed=addressed)
        if spoken is None:
            return False
        this = event_key(self._team.id, event["channel"], event["ts"])
        if this in self._seen:
            return True
        author = await self._people.vouched(speaker_of(event), direct=is_direct(event["channel"]))
        asked = Invocation(spoken.command, spoken.arguments, key_of_message(self._team.id, event), author)
        if not spoken.marked and not await self._makes_sense(asked):
            return False
        answer = await self._answer(asked, in_thread="thread_ts" in event)
        self._seen.add(this)
        try:
            await self._answers.whisper(answer, asked.command, asked.key, author)
        except PlatformError as error:
            _log.warning("the answer to a command could not be shown: %s", error)
        return True

    async def _makes_sense(self, asked: Invocation) -> bool:
        """Whether its words name something: `show abcd23` may be a command, `show that` and `new idea` are not."""
        try:
            if id_ := asked.arguments.get("id"):
                await self._commands.find(id_, asked.key, asked.author)
            self._commands.agent(asked.arguments.get("agent"))
        except UserError:
            return False
        except StorageError:
            return True
        return True

    async def _answer(self, asked: Invocation, *, in_thread: bool) -> CommandAnswer:
        try:
            return await (run_in_thread(self._commands, asked) if in_thread else self._commands.run(asked))
        except (SecretAgentsError, StorageError) as error:
            return CommandAnswer(sentence_for(error))


def command_of(event: Event, bot_user: str, *, addressed: bool) -> Spoken | None:
    """The command that a message is: its first word known, marked by `!` or by the bot's name before it, and nothing
    behind it but what the command takes. With the bot's name only in threads: elsewhere there are slash commands.
    """
    text = slack_text.without_mention(str(event.get("text") or ""), bot_user).strip()
    marked = text.startswith("!")
    words = text.removeprefix("!").split()
    if not words or event.get("files") or not (marked or (addressed and "thread_ts" in event)):
        return None
    name = words[0].rstrip("!.") if len(words) == 1 else words[0]
    spec = SPOKEN.get(name.lower())
    arguments = _arguments(spec, words[1:]) if spec is not None else None
    return Spoken(spec.name, arguments, marked) if spec is not None and arguments is not None else None


def _arguments(spec: CommandSpec, values: list[str]) -> dict[str, str] | None:
    """None where the words are no arguments of this command: then it is a sentence that begins like one."""
    if len(values) > len(spec.arguments):
        return None
    given = {argument.name: value for argument, value in zip(spec.arguments, values, strict=False)}
    fits = {"id": _ID, "before": _DIGITS, "agent": _ID}
    return given if all(fits[name].fullmatch(value) for name, value in given.items()) else None

"""Where a Slack message is, as the core knows places. Every key carries the workspace's id."""

from dataclasses import dataclass
from typing import Any

from bot.platforms.platform import ConversationKey, TurnRef

NAME = "slack"
DIRECT = ":im"
"""Behind a workspace's id: its direct messages, which are nobody's business but their person's, so that who is an
admin of the workspace is none there.
"""


@dataclass(frozen=True, slots=True)
class Team:
    """One workspace, as the bot is installed in it. `url` ends with a slash."""

    id: str
    bot_user: str
    bot_id: str
    url: str


def event_key(team: str, channel: str, ts: str) -> str:
    """Of a message, the same for `app_mention` and `message`, and on every repetition."""
    return f"{NAME}:{team}:{channel}:{ts}"


def ts_of(key: str) -> str | None:
    """The ts of the message of an event key; None when it is not a message's."""
    platform, _, rest = key.partition(":")
    ts = rest.rpartition(":")[2]
    return ts if platform == NAME and ts.replace(".", "", 1).isdecimal() else None


def question_of(turn: TurnRef) -> str:
    """The ts of the message that a turn answers."""
    return turn.event_key.rpartition(":")[2]


def is_direct(channel: str) -> bool:
    return channel.startswith("D")


def key_of(team: str, channel: str, thread: str) -> ConversationKey:
    return ConversationKey(NAME, f"{team}{DIRECT}" if is_direct(channel) else team, channel, thread)


def key_of_message(team: str, event: dict[str, Any]) -> ConversationKey:
    """Each message that is in no thread is the root of one."""
    return key_of(team, event["channel"], event.get("thread_ts") or event["ts"])


def team_of(key: ConversationKey) -> str:
    return key.workspace.removesuffix(DIRECT)


def link(team: Team, key: ConversationKey) -> str:
    """To a conversation's thread."""
    return f"{team.url}archives/{key.channel}/p{key.thread.replace('.', '')}"

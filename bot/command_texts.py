"""What the /mission commands say, as Markdown; pure."""

from collections.abc import Sequence

from bot import approval_texts
from bot.agent.guard import sanitise
from bot.agent.roster import AUTO, Profile
from bot.command_specs import CommandSpec
from gadgets.catalogue import summaries
from storage.approvals import Approval
from storage.conversations import Conversation
from storage.export_formats import ExportSummary
from storage.records import TurnRecord

MAX_LABEL = 100
"""Characters of what is offered while an argument is typed (Discord's and Slack's limits allow no more)."""
MAX_SHOWN = 12_000
"""Characters of a mission that are shown at once, unless a single message is longer."""


def listed(found: Sequence[Conversation], older: int | None) -> str:
    more = [] if older is None else [f"Older ones: `/mission list {older}`"]
    return "\n".join(["Your latest missions:", *map(line, found), *more])


def shown(
    conversation: Conversation, turns: Sequence[TurnRecord], older: int | None, waits: Approval | None = None
) -> str:
    more = [] if older is None else [f"Older messages: `/mission show {conversation.id} {older}`"]
    asked = [approval_texts.waiting(waits, conversation.id)] if waits else []
    return "\n\n".join([line(conversation), *summaries(conversation.state), *map(turn, turns), *asked, *more])


def fitting(turns: Sequence[TurnRecord]) -> list[TurnRecord]:
    """The newest ones that are shown at once: at least one, if there is any."""
    room, kept = MAX_SHOWN, list[TurnRecord]()
    for each in reversed(turns):
        room -= len(turn(each))
        if room < 0 and kept:
            break
        kept.append(each)
    return kept[::-1]


def line(conversation: Conversation) -> str:
    return (
        f"- `{conversation.id}` {conversation.status}, {conversation.agent}, {conversation.last_updated[:16]}: "
        f"{title(conversation)}"
    )


def title(conversation: Conversation) -> str:
    return conversation.title or "(nothing said yet)"


def turn(record: TurnRecord) -> str:
    tools = f" *(used {', '.join(record.tools)})*" if record.tools else ""
    return f"**{record.author_name}:** {record.user_message}\n{record.agent_response or f'*({record.status})*'}{tools}"


def named(conversation: Conversation, *, fully: bool) -> str:
    """A mission that was asked for, or, `fully`, one that nobody named, so that they know which one it was."""
    return f"`{conversation.id}` ({title(conversation)})" if fully else f"`{conversation.id}`"


def agent(name: str) -> str:
    """An agent as a sentence names it."""
    return "whichever agent suits it best" if name == AUTO else name


def exported(what: str, summary: ExportSummary, *, packed: bool) -> str:
    missions = f"{summary.conversations} mission{'s' * (summary.conversations != 1)}"
    messages = f"{summary.turns} message{'s' * (summary.turns != 1)}"
    return f"{what}: {missions} with {messages}{', compressed with gzip' if packed else ''}."


def help_(profiles: Sequence[Profile], commands: Sequence[CommandSpec]) -> str:
    agents = "\n".join(f"- **{profile.name}**: {profile.description}" for profile in profiles)
    usages = "\n".join(f"- `{spec.usage}` {spec.description}" for spec in commands)
    return f"Just talk to me. These commands manage missions:\n{usages}\n\nAgents:\n{agents}"


def mission_label(conversation: Conversation) -> str:
    """`id · title · status`, the title as long as there is room for it."""
    room = MAX_LABEL - len(conversation.id) - len(conversation.status) - len(" ·  · ")
    return label(f"{conversation.id} · {_clipped(title(conversation), room)} · {conversation.status}")


def label(text: str) -> str:
    return _clipped(text, MAX_LABEL)


def _clipped(text: str, limit: int) -> str:
    line_ = " ".join(text.split())
    return line_ if len(line_) <= limit else sanitise(line_, max(limit - 1, 0)).text + "…"

"""A log that an earlier program wrote, told as a conversation of the mission log (`storage.mission_log`).

Such a log is `{"conversation": [entry, …], …}` (for the entries see `storage.legacy_shapes`), or what a player has
reached (`storage.legacy_shapes.PLAYER`) without a conversation; a file may hold an array of logs. Each becomes one
completed conversation on the platform `import`, its owner the `player_id`. Its id, and with it the event keys of its
turns, is a hash of what it says, whatever the file is called and however its JSON is laid out: it is added only once.

Nothing is dropped. What has no place of its own is kept as it was in the extras, under `legacy`: of a turn, what
`storage.legacy_messages` says; of a conversation, the same of entries that belong to no turn, the fields beside the
conversation as `log`, `without_times` where all times are the file's, and the file beside the log as
`game_state.json`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from storage.conversations import ID_ALPHABET, TITLE_LIMIT
from storage.errors import ImportRefused
from storage.legacy_folding import Folded, FoldedTurn, fold
from storage.legacy_messages import Meaning, in_extras, kept, meaning_of, message_of
from storage.legacy_shapes import PLAYER, Entry, read
from storage.legacy_times import filled
from storage.mission_log import LoggedHead, LoggedMessage, LoggedPlace, LoggedTail, LoggedTurn

CONVERSATION = "conversation"
ID_LENGTH = 20
"""Of an id that is a hash: 99 bits."""
MAX_ENTRIES = 5_000_000
"""Of a log: each takes some memory, however little it says."""
_SORTED = msgspec.json.Encoder(order="deterministic")
_NO_LOG = (
    "The file is no log of missions: neither one that `export` wrote as JSON, nor an earlier program's"
    ' {"conversation": […]}. Look whether it is the right file.'
)
_NOTHING = "The file's log has no entries: there is nothing to import. Look whether it is the right file."


@dataclass(frozen=True, slots=True)
class LegacyConversation:
    """One log. `kept` counts what was not understood: entries, and fields beside the conversation."""

    head: LoggedHead
    tail: LoggedTail
    kept: int
    turns: Sequence[FoldedTurn]
    meaning: Meaning
    by_content: bool = True

    def messages(self) -> Iterator[tuple[LoggedMessage, LoggedTurn]]:
        for index, turn in enumerate(self.turns):
            event_key = f"import:{self.head.conversation_id}:{index}"
            yield message_of(turn, event_key, self.tail.owner, self.meaning)


class LegacyLog:
    """A file's logs."""

    def __init__(self, value: Any, written: str, beside: Mapping[str, Any]) -> None:
        """`value` is the file's JSON, `written` the time to take where a log has none (as it is stored), `beside` what
        is kept with every log: the JSON of files beside it, by their names.

        Raises ImportRefused for what is no such log, or has nothing in it.
        """
        logs = value if isinstance(value, list) else [value]
        if not logs or not all(map(_is_log, logs)):
            raise ImportRefused(_NO_LOG)
        if not any(map(_says_something, logs)):
            raise ImportRefused(_NOTHING)
        if any(len(log.get(CONVERSATION, ())) > MAX_ENTRIES for log in logs):
            raise ImportRefused(f"The log is too long: {MAX_ENTRIES:,} entries are the limit. Split it into several.")
        self._told = [_told(log, written, beside) for log in logs if log != {CONVERSATION: []}]

    def conversations(self) -> Iterator[LegacyConversation]:
        return iter(self._told)


def _is_log(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if CONVERSATION in value:
        return isinstance(value[CONVERSATION], list)
    return "game_state" in value or len(PLAYER & value.keys()) > 1


def _says_something(log: dict[str, Any]) -> bool:
    return bool(log.get(CONVERSATION) or PLAYER & log.keys())


def _told(log: dict[str, Any], written: str, beside: Mapping[str, Any]) -> LegacyConversation:
    entries = [read(position, value) for position, value in enumerate(log.get(CONVERSATION, ()))]
    times = list(filled((entry.time for entry in entries), written))
    folded = fold(zip(entries, times, strict=True))
    meaning = meaning_of(entries, folded)
    fields = {name: value for name, value in log.items() if name != CONVERSATION}
    head = LoggedHead(_identity(log), min(times, default=written), max(times, default=written), "completed")
    owner = _owner([fields, *(entry.value for entry in entries if entry.kind == "player")])
    tail = LoggedTail(
        place=LoggedPlace("import", "", head.conversation_id, ""),
        owner=owner,
        owner_name=owner,
        title=next((turn.question for turn in folded.turns if turn.question), "")[:TITLE_LIMIT],
        extras=in_extras({"log": fields, **_remains(entries, folded, meaning), **beside}),
    )
    strange = len(meaning.not_understood) + len(fields.keys() - PLAYER)
    return LegacyConversation(head, tail, strange, folded.turns, meaning)


def _remains(entries: Sequence[Entry], folded: Folded, meaning: Meaning) -> dict[str, Any]:
    unplaced = [kept(entry, entry.value, meaning) for entry in folded.unplaced]
    timeless = all(entry.time is None for entry in entries)
    return ({"entries": unplaced} if unplaced else {}) | ({"without_times": True} if timeless else {})


def _owner(told: Sequence[Mapping[str, Any]]) -> str:
    """The first player that is named; a number is one that programs gave."""
    for fields in told:
        player = fields.get("player_id")
        if isinstance(player, (str, int)) and not isinstance(player, bool) and str(player).strip():
            return str(player)
    return "user"


def _identity(log: dict[str, Any]) -> str:
    """Typable as other ids are. What it is made of must stay as it is: else what is there is imported again."""
    digest = sha256(_SORTED.encode({name: value for name, value in log.items() if name != CONVERSATION}))
    for entry in log.get(CONVERSATION, ()):
        digest.update(b"\n" + _SORTED.encode(entry))
    number = int.from_bytes(digest.digest(), "big")
    letters = []
    for _ in range(ID_LENGTH):
        number, letter = divmod(number, len(ID_ALPHABET))
        letters.append(ID_ALPHABET[letter])
    return "".join(letters)

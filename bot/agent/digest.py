"""What is kept of turns that leave the window, without asking a model: short notes of what people said.

A note is one line, "Alice: My cat is called Zephyr." Of each message the first sentence is noted, and those that tell
something lasting: what is to be remembered, names, numbers, "my … is …". When the notes outgrow their room, what tells
the least goes first: small talk, questions and answers before facts, what many notes say alike before what only one
says, the old before the new. The same turns always give the same notes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.agent.guard import one_line, sanitise
from bot.agent.prompt import Exchange

READ_CHARACTERS = 4_000
"""Of a message that are looked through for what to note."""
MAX_SENTENCES = 60
"""Of a message, likewise."""
MAX_FACTS = 4
"""Notes of one message, beside its first sentence."""
NOTE_CHARACTERS, SHORT_NOTE_CHARACTERS = 200, 80
NAME_CHARACTERS = 40
LEAD_CHARACTERS = 40
"""Before the words that make a long sentence a fact, how many are kept."""
ANSWERED = "You answered"
"""Stands where the name of a person would."""
LINE_BYTES = len("- \n")
"""Around each note where it is told."""
FACT = 3.0
"""From this value on a note is a fact."""
OLD_SHARE = 2 / 3
"""Of the notes: those that are shortened when there is no room for all."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")  # noqa: RUF001 - these are other scripts' full stops
_CONTROL_TOKEN = re.compile(r"<\|[^|<>]{1,40}\|>|</?s>|\[/?INST\]")
_ASKED_TO_KEEP = re.compile(
    r"\b(?:remember|don['\u2019]?t forget|do not forget|keep in mind|note (?:that|down)|for the record|bear in mind"
    r"|merk(?:e|t)? (?:dir|euch)|denk(?:e|t)? (?:daran|dran)|vergiss nicht|recuerda|no olvides|retiens|souviens-toi"
    r"|n['\u2019]oublie pas|ricorda|lembre-se)\b",
    re.IGNORECASE,
)
_TELLS_OF_SELF = re.compile(
    r"\b(?:my|our|mein\w{0,2}|unser\w{0,2}|mi|mis|nuestr[oa]s?|mon|ma|mes|notre|mio|mia|meu|minha)\b"
    r"[^.!?]{1,80}?(?:\b(?:is|are|was|were|will be|ist|sind|war|heißt|lautet|es|son|est|sont|è)\b|[:=])",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"\b(?:I am|I['\u2019]m|I was born|I live|I work|I study|I like|I love|I hate|I prefer|I have|I own|I need|I speak"
    r"|I(?:['\u2019]m| am) allergic|we are|we have|call me|(?:name|code ?name|password|code|address|number|birthday)"
    r" (?:is|are|was)|is called|are called|ich bin|ich hei(?:ß|ss)e|ich wohne|ich mag|ich habe|nenn mich|me llamo|soy"
    r"|vivo en|je m['\u2019]appelle|je suis|j['\u2019]habite)\b"
    r"|\b(?:password|passphrase|code|pin|address|phone|number|email|e-mail|birthday|deadline)\s*[:=]",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d")
_NAME = re.compile(r"(?<=[^\W\d_][ ,])[A-Z][\w'-]{2,}|\"[^\"]+\"|\u201c[^\u201d]+\u201d")
_WORD = re.compile(r"[^\W_]{2,}")
_DIGITS = re.compile(r"\d+")


def notes_of(exchange: Exchange) -> list[str]:
    """What is noted of one turn: its first sentence, its facts in order, then the answer's first sentence."""
    name = clean(exchange.author_name)[:NAME_CHARACTERS].replace(": ", " ")
    sentences = _sentences(exchange.user_message)
    facts = [sentence for sentence in sentences[1:] if value(sentence) >= FACT][:MAX_FACTS]
    notes = [f"{name}: {_clipped(sentence)}" for sentence in [*sentences[:1], *facts]]
    answer = _sentences(exchange.agent_response)[:1]
    return notes + [f"{ANSWERED}: {_cut(sentence, SHORT_NOTE_CHARACTERS)}" for sentence in answer]


def clean(text: str) -> str:
    """On one line, and without what some model takes for the end of a message."""
    return one_line(_CONTROL_TOKEN.sub(" ", sanitise(text, READ_CHARACTERS).text))


def merged(notes: Iterable[str], more: Iterable[str], size: int) -> tuple[str, ...]:
    """Both in order, each note once; `selected` from."""
    return selected(tuple(dict.fromkeys([*notes, *more])), size)


def selected(notes: Sequence[str], size: int) -> tuple[str, ...]:
    """Those that tell the most, in order, in at most `size` UTF-8 bytes as a list with a line for each."""
    if sum(map(_size, notes)) <= size:
        return tuple(notes)
    shorter = _with_old_ones_shortened(notes)
    weights = _weights(shorter)
    chosen = []
    for index in sorted(range(len(shorter)), key=lambda index: (-weights[index], -index)):
        if _size(shorter[index]) <= size:
            size -= _size(shorter[index])
            chosen.append(index)
    return tuple(shorter[index] for index in sorted(chosen))


def value(text: str) -> float:
    """How much a sentence tells that may be asked for later."""
    worth = 0.0
    if _ASKED_TO_KEEP.search(text):
        worth = 5.0
    elif _TELLS_OF_SELF.search(text):
        worth = 4.0
    elif _STATES.search(text):
        worth = 3.0
    if text.endswith("?"):
        worth /= 2
    return worth + 0.5 * bool(_NUMBER.search(text)) + 0.5 * bool(_NAME.search(text))


def _sentences(text: str) -> list[str]:
    parts = _SENTENCE_END.split(sanitise(text, READ_CHARACTERS).text, MAX_SENTENCES)[:MAX_SENTENCES]
    return [sentence for part in parts if (sentence := clean(part))]


def _clipped(sentence: str) -> str:
    """A long sentence is cut to what makes it a fact."""
    if len(sentence) <= NOTE_CHARACTERS:
        return sentence
    found = _ASKED_TO_KEEP.search(sentence) or _TELLS_OF_SELF.search(sentence) or _STATES.search(sentence)
    begin = max(0, found.start() - LEAD_CHARACTERS) if found else 0
    return ("…" if begin else "") + _cut(sentence[begin:], NOTE_CHARACTERS)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{sanitise(text, limit - 1).text.rstrip()}…"


def _with_old_ones_shortened(notes: Sequence[str]) -> list[str]:
    old = int(len(notes) * OLD_SHARE)
    return [
        note if index >= old or _worth(note) >= FACT else _cut(note, SHORT_NOTE_CHARACTERS)
        for index, note in enumerate(notes)
    ]


def _weights(notes: Sequence[str]) -> list[float]:
    """Of each note: what it tells, how rare its words are among the others (0 to 1), how new it is (0 to 1/2)."""
    words = [set(_WORD.findall(_DIGITS.sub("00", note.casefold()))) for note in notes]
    often = Counter(word for one in words for word in one)
    rarity = [sum(1 / often[word] for word in one) / len(one) if one else 0.0 for one in words]
    newness = [index / (2 * len(notes)) for index in range(len(notes))]
    return [_worth(note) + rare + new for note, rare, new in zip(notes, rarity, newness, strict=True)]


def _worth(note: str) -> float:
    name, _, text = note.partition(": ")
    return -1.0 if name == ANSWERED else value(text)


def _size(note: str) -> int:
    return len(note.encode()) + LINE_BYTES

"""What is kept of turns that leave the window, without asking a model: short notes of what people said.

A note is one line, "Alice: My cat is called Zephyr." Of each message the first sentence is noted, and those that tell
something lasting: what is to be remembered, names, numbers, "my … is …". When the notes outgrow their room, what tells
the least goes first: small talk, questions and answers before facts, what many notes say alike before what only one
says, the old before the new. The same turns always give the same notes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from bot.agent.guard import one_line, sanitise
from bot.agent.prompt import Exchange

READ_CHARACTERS = 2_000
"""Of a message that are looked through for what to note."""
ANSWER_CHARACTERS = 400
"""Of an answer, likewise."""
MAX_SENTENCES = 40
"""Of a message, likewise."""
MAX_FACTS = 4
"""Notes of one message, beside its first sentence."""
NOTE_CHARACTERS, SHORT_NOTE_CHARACTERS = 200, 80
NAME_CHARACTERS = 40
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


def _phrases(*phrases: str) -> tuple[str, ...]:
    """As they stand in a line of words with a space around each."""
    return tuple(f" {phrase} " for phrase in phrases)


_ASKED_TO_KEEP = _phrases(
    "remember", "don't forget", "do not forget", "keep in mind", "bear in mind", "note that", "note down",
    "for the record", "merke dir", "merk dir", "merkt euch", "denk daran", "denk dran", "vergiss nicht", "recuerda",
    "no olvides", "retiens", "souviens-toi", "n'oublie pas", "ricorda", "lembre-se",
)  # fmt: skip
_OWN = frozenset(
    ("my", "our", "mein", "meine", "meiner", "meinen", "meinem", "unser", "unsere", "unserer", "unseren", "mi", "mis",
     "nuestro", "nuestra", "mon", "ma", "mes", "notre", "mio", "mia", "meu", "minha")
)  # fmt: skip
_IS = frozenset(
    ("is", "are", "was", "were", "be", "ist", "sind", "war", "heißt", "lautet", "es", "son", "est", "sont", "è", ":",
     "=")
)  # fmt: skip
_OWN_REACH = 10
"""Words between "my" and "is"."""
_STATES = _phrases(
    "i am", "i'm", "i was born", "i live", "i work", "i study", "i like", "i love", "i hate", "i prefer", "i have",
    "i own", "i need", "i speak", "we are", "we have", "call me", "name is", "password is", "code is", "address is",
    "number is", "birthday is", "is called", "are called", "password :", "password =", "passphrase :", "code :",
    "code =", "pin :", "address :", "phone :", "number :", "email :", "e-mail :", "birthday :", "deadline :",
    "ich bin", "ich heiße", "ich heisse", "ich wohne", "ich mag", "ich habe", "nenn mich", "me llamo", "soy", "vivo en",
    "je m'appelle", "je suis", "j'habite",
)  # fmt: skip
_NUMBER = re.compile(r"\d")
_NAME = re.compile(r"(?<=[^\W\d_][ ,])[A-Z][\w'-]{2,}|\"[^\"]+\"|\u201c[^\u201d]+\u201d")
_TOKEN = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[:=]")
_WORD = re.compile(r"[^\W_]{2,}")
_DIGITS = re.compile(r"\d+")


def notes_of(exchange: Exchange) -> list[str]:
    """What is noted of one turn: its first sentence, its facts in order, then the answer's first sentence."""
    name = clean(exchange.author_name)[:NAME_CHARACTERS].replace(": ", " ")
    sentences = _sentences(exchange.user_message)
    first = list(islice(sentences, 1))
    facts = islice((sentence for sentence in sentences if value(sentence) >= FACT), MAX_FACTS)
    notes = [f"{name}: {_clipped(sentence)}" for sentence in [*first, *facts]]
    answer = islice(_sentences(exchange.agent_response[:ANSWER_CHARACTERS]), 1)
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
    """How much a sentence tells that may be asked for later. Takes time in proportion to its length, whatever it is."""
    words = _TOKEN.findall(text.lower().replace("\u2019", "'"))
    line = f" {' '.join(words)} "
    worth = 0.0
    if any(phrase in line for phrase in _ASKED_TO_KEEP):
        worth = 5.0
    elif _tells_of_self(words):
        worth = 4.0
    elif any(phrase in line for phrase in _STATES):
        worth = 3.0
    if text.endswith("?"):
        worth /= 2
    return worth + 0.5 * bool(_NUMBER.search(text)) + 0.5 * bool(_NAME.search(text))


def _tells_of_self(words: Sequence[str]) -> bool:
    """Whether it says "my … is …"."""
    left = 0
    for word in words:
        if left and left <= _OWN_REACH and word in _IS:
            return True
        left = _OWN_REACH + 1 if word in _OWN else max(0, left - 1)
    return False


def _sentences(text: str) -> Iterator[str]:
    whole = _CONTROL_TOKEN.sub(" ", sanitise(text, READ_CHARACTERS).text)
    return filter(None, map(one_line, _SENTENCE_END.split(whole, MAX_SENTENCES)[:MAX_SENTENCES]))


def _clipped(sentence: str) -> str:
    """Of a long sentence the piece that tells the most."""
    if len(sentence) <= NOTE_CHARACTERS:
        return sentence
    begins = [sentence.rfind(" ", 0, at) + 1 for at in range(0, len(sentence), NOTE_CHARACTERS // 2)]
    begin = max(begins, key=lambda at: (value(sentence[at : at + NOTE_CHARACTERS]), -at))
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

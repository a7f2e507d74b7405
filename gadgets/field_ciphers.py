"""The codes of field missions: what is enciphered, how, and what an agent is told who cannot make it out.

A cipher is made from a key number, so that a mission's state holds two small numbers and never the text. No hint holds
a word of the text either: the last one gives the key and shows how to use it, which is all that anybody needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_uppercase

from gadgets.caesar import encrypt

PHRASES: tuple[str, ...] = tuple(
    """
the courier leaves with the milk train|burn the blue notebook before noon|our man in the archive is compromised
the diamonds travel in a violin case|meet the gardener behind the chapel|the bridge will be watched at midnight
trust the woman with the green umbrella|the second passport is under the piano|do not drink the ambassador's tea
the lighthouse keeper knows the password|swap the briefcases in the cloakroom|the radio transmits every third night
the safe opens on the baker's birthday|leave the film inside the third hymn book|the submarine surfaces on sunday
the forger wants his payment in stamps|a white carnation means danger|the tunnel ends below the post office
your driver works for both sides|the microdot hides in the postage stamp|the minister sleeps in the wrong house
follow the man who feeds the pigeons|the blueprint is painted over in oil|the train will stop outside the station
never answer the second telephone call|the twin brother holds the other key|the signal is a lamp in the attic
the clockmaker sold us the wrong clock|our pilot has seen nothing and says so|the ink appears when it is warmed
the chess problem on page nine is the map|bring the parrot and say nothing|the general collects rare butterflies
the password changed with the moon|hide the letter in plain sight|the old spy lives above the cinema
the vault is empty since tuesday|the cook counted seven guests not six|our friends across the river are ready
wait for the organ grinder to stop|the cargo is marked as frozen fish
""".strip()
    .replace("\n", "|")
    .upper()
    .replace("'", "")
    .split("|")
)
"""The texts; a mission remembers the place of its own, so new ones go to the end."""

_KEYWORDS = ("SHADOW", "MARTINI", "COBALT", "FALCON", "WINTER", "PHANTOM", "SAPPHIRE", "MONOCLE", "TURBINE", "CYPRUS")
_KEYS = ("SPY", "FOX", "INK", "MOLE", "LYNX", "RAVEN", "GIN", "ONYX", "COMET", "WOLF", "JADE", "BADGE")
SIZE = len(ascii_uppercase)


@dataclass(frozen=True, slots=True)
class Cipher:
    """A way to encipher capital letters with a key number, and what one may learn of it: a hint a time, the last one
    being all there is to know. `bonus`: points for those who dare.
    """

    bonus: int
    encipher: Callable[[str, int], str]
    hints: Callable[[int], tuple[str, ...]]


def shift_of(key: int) -> int:
    return 3 + key % (SIZE - 5)


def keyword_alphabet(key: int) -> str:
    """The alphabet that plain A, B, C … become: the keyword's letters, each once, then the others in order."""
    return "".join(dict.fromkeys(_KEYWORDS[key % len(_KEYWORDS)] + ascii_uppercase))


def _caesar(text: str, key: int) -> str:
    return encrypt(text, shift_of(key))


def _mirrored(text: str, key: int) -> str:
    return _caesar(text, key)[::-1]


def _keyword(text: str, key: int) -> str:
    return text.translate(str.maketrans(ascii_uppercase, keyword_alphabet(key)))


def _vigenere(text: str, key: int) -> str:
    """Each letter moves by the next letter of the key, A being 0; spaces use none (Vigenère, 1586)."""
    word = _KEYS[key % len(_KEYS)]
    enciphered, at = "", 0
    for letter in text:
        moves = letter in ascii_uppercase
        enciphered += encrypt(letter, ascii_uppercase.index(word[at % len(word)])) if moves else letter
        at += moves
    return enciphered


def _caesar_hints(key: int) -> tuple[str, ...]:
    shift = shift_of(key)
    low = shift - key % 3
    return (
        "It is a Caesar cipher: every letter was moved along the alphabet by the same number.",
        f"The letters were moved forward by {low}, {low + 1} or {low + 2} places.",
        f"The letters were moved forward by {shift}: move each one back by {shift}, so that {_rows('', shift)}.",
    )


def _mirrored_hints(key: int) -> tuple[str, ...]:
    first, second, last = _caesar_hints(key)
    return (
        f"It was written backwards: read it from its end. What you get is not yet plain. {first}",
        f"Read it from its end. {second}",
        f"Read it from its end. {last}",
    )


def _keyword_hints(key: int) -> tuple[str, ...]:
    word = _KEYWORDS[key % len(_KEYWORDS)]
    table = keyword_alphabet(key)
    return (
        "Each letter always stands for the same other letter: the cipher's alphabet begins with a keyword.",
        f"The keyword begins with {word[:2]} and has {len(word)} letters; the rest of the alphabet follows in order.",
        f"The keyword is {word}; code {table} means {ascii_uppercase}.",
    )


def _vigenere_hints(key: int) -> tuple[str, ...]:
    word = _KEYS[key % len(_KEYS)]
    rows = "; ".join(_rows(letter, ascii_uppercase.index(letter)) for letter in word)
    return (
        f"It is a Vigenère cipher: a key of {len(word)} letters, repeated, moves the letters by turns.",
        f"The key has {len(word)} letters and begins with {word[0]}, which moves the first letter of the text.",
        f"The key is {word}; spaces do not use it up. Take its letters in turn: {rows}.",
    )


def _rows(name: str, shift: int) -> str:
    """Two rows to read a code letter's meaning from: it stands in the first, what it means below it."""
    which = f"for {name}, " if name else ""
    return f"{which}code {ascii_uppercase[shift:] + ascii_uppercase[:shift]} means {ascii_uppercase}"


CIPHERS: dict[str, Cipher] = {
    "Caesar": Cipher(0, _caesar, _caesar_hints),
    "mirror": Cipher(5, _mirrored, _mirrored_hints),
    "keyword": Cipher(10, _keyword, _keyword_hints),
    "Vigenère": Cipher(15, _vigenere, _vigenere_hints),
}
"""By the names under which missions remember them."""

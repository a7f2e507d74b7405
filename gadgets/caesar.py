"""The Caesar cipher: letters A to Z move along the alphabet, everything else stays as it is."""

import re
from dataclasses import dataclass
from functools import cache
from math import exp, log
from string import ascii_lowercase, ascii_uppercase

from gadgets.english import letter_costs, pair_costs, word_costs

SIZE = len(ascii_lowercase)

MAX_RANKED = 2_000
"""Characters of a text that its ranking looks at: more do not change the order, only the time it takes."""

_WORD = re.compile("[a-z]+")


@dataclass(frozen=True, slots=True)
class Guess:
    """A text read with a shift. `cost` is how unlike English it is, in nats; only differences mean anything."""

    shift: int
    text: str
    cost: float


def encrypt(text: str, shift: int) -> str:
    """Move every letter A-Z and a-z forward by `shift`, whatever its sign or size; other characters stay."""
    by = shift % SIZE
    moved = ascii_lowercase[by:] + ascii_lowercase[:by] + ascii_uppercase[by:] + ascii_uppercase[:by]
    return text.translate(str.maketrans(ascii_lowercase + ascii_uppercase, moved))


def decrypt(text: str, shift: int) -> str:
    """Undo `encrypt` with the same shift."""
    return encrypt(text, -shift)


def ranked(text: str) -> list[Guess]:
    """All 25 readings of a text, the most English first."""
    sample = text[:MAX_RANKED]
    guesses = [Guess(shift, decrypt(text, shift), english_cost(decrypt(sample, shift))) for shift in range(1, SIZE)]
    return sorted(guesses, key=lambda guess: guess.cost)


def english_cost(text: str) -> float:
    """How unlike English a text is: `-ln` of its probability, words taken as independent.

    A word costs what its letters do in a first-order Markov chain (the log-likelihood form of letter statistics), or
    less where it is a common word: that is what decides over texts too short for statistics.
    """
    return sum(_word_cost(word) for word in _WORD.findall(text.lower()))


def _word_cost(word: str) -> float:
    pairs = _spelling_costs()
    spelled = letter_costs()[word[0]] + sum(pairs[word[at : at + 2]] for at in range(len(word) - 1))
    return min(spelled, word_costs().get(word, spelled))


@cache
def _spelling_costs() -> dict[str, float]:
    """Two letters -> cost of the second, which may also start a word that was written without a space."""
    letters = letter_costs()
    return {pair: -log(0.9 * exp(-cost) + 0.1 * exp(-letters[pair[1]])) for pair, cost in pair_costs().items()}

"""Gadgets for Caesar ciphers, with the shift known or not."""

from gadgets import caesar
from gadgets.gadget import gadget
from gadgets.text import CUT

SHOWN = 5
"""Readings that are shown of a text whose shift is unknown."""

MAX_READING = 1_400
"""Characters of each reading, so that all that are shown fit into one result."""

SURE = 5.0
"""Nats between the best reading and the next from where on the best is called certain: odds of 150 to 1."""


@gadget(status="decrypting…")
async def decrypt(ciphertext: str, shift: int | None = None) -> str:
    """Decrypt a text that was encrypted with a Caesar cipher, with or without knowing the shift.

    Args:
        ciphertext: The encrypted text, exactly as given.
        shift: How far the letters were shifted. Leave it out when it is unknown.
    """
    return _readings(ciphertext) if shift is None else caesar.decrypt(ciphertext, shift)


@gadget(status="encrypting…")
async def encrypt(plaintext: str, shift: int) -> str:
    """Encrypt a text with a Caesar cipher.

    Args:
        plaintext: The text to encrypt, exactly as given.
        shift: How far to shift the letters.
    """
    return caesar.encrypt(plaintext, shift)


def _readings(text: str) -> str:
    if caesar.encrypt(text, 1) == text:
        return "The text has no letters from A to Z, so no Caesar shift changes it."
    best, *others = caesar.ranked(text)
    lines = [f"{_verdict(best, others[0])}: {_line(best)}", "Other readings, less likely:"]
    lines += [_line(guess) for guess in others[: SHOWN - 1]]
    if caesar.english_cost(text[: caesar.MAX_RANKED]) < best.cost:
        lines.append("The text as it stands reads more like English than any of these: it may not be shifted at all.")
    return "\n".join(lines)


def _verdict(best: caesar.Guess, second: caesar.Guess) -> str:
    return "Decrypted" if second.cost - best.cost >= SURE else "Most likely"


def _line(guess: caesar.Guess) -> str:
    text = guess.text if len(guess.text) <= MAX_READING else guess.text[: MAX_READING - len(CUT)] + CUT
    return f"shift {guess.shift}: {text}"

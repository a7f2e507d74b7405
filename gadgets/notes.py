"""The gadgets `remember` and `recall`: what a user wants to be kept beyond the conversation, for them alone."""

import re
import unicodedata
from collections.abc import Sequence

from gadgets.context import Context, Note
from gadgets.errors import BadArguments, GadgetFailed
from gadgets.gadget import gadget

MAX_TEXT = 1_000
"""Characters of a note."""
MAX_QUERY = 200
MAX_FOUND = 10
STEM = 4
"""Letters that two words must have in common, from the beginning, to be taken for forms of one."""

_WORD = re.compile(r"\w+")
_COMMON = frozenset(
    _WORD.findall(
        "a about am an and any are be by can did do does for from had has have he her his how i if in is it its me my"
        " of on or our remember she so tell that the their them they this to us was we were what when where which who"
        " whose why with you your"
    )
)
"""Words that say nothing of what a question is about."""


@gadget(status="writing it down…")
async def remember(context: Context, text: str) -> str:
    """Keep a note for the user, for later conversations, when they ask to remember something.

    Args:
        text: What to remember, with everything needed to understand it later.
    """
    note = " ".join(text.split())
    if not note:
        raise BadArguments("There is nothing to remember.")
    if len(note) > MAX_TEXT:
        raise BadArguments(f"A note has at most {MAX_TEXT:,} characters.")
    if note.endswith("?"):
        raise BadArguments("That is a question, nothing to remember; recall looks up what was noted.")
    if context.occasion.said and not told_by(context.occasion.said, note):
        raise BadArguments(
            "The user did not say that. Note what they said, in their own words; recall looks things up."
        )
    outcome = await context.notes.add(note)
    if outcome == "full":
        raise GadgetFailed("There is no room for more notes.")
    return f"Noted: {note}" if outcome == "added" else f"That was noted already: {note}"


@gadget(status="looking through your notes…")
async def recall(context: Context, query: str = "") -> str:
    """Look up what the user asked to remember earlier.

    Args:
        query: Words to look for. Leave it out for the latest notes.
    """
    if len(query) > MAX_QUERY:
        raise BadArguments(f"What to look for has at most {MAX_QUERY} characters.")
    notes = await context.notes.all()
    if not notes:
        return "The user has asked to remember nothing so far."
    found = ranked(notes, query)
    if found:
        return "The user's notes:\n" + _listed(found)
    if not words(query):
        return "The user's latest notes:\n" + _listed(notes)
    return "No note has these words. The user's latest notes:\n" + _listed(notes)


def ranked(notes: Sequence[Note], query: str) -> list[Note]:
    """Those that have words of the query, or other forms of them: first those that have most; then the newest."""
    wanted = words(query)
    scored = [(_score(wanted, words(note.text)), note) for note in notes]
    return [note for score, note in sorted(scored, key=lambda each: -each[0]) if score > 0]


def words(text: str) -> frozenset[str]:
    """Without regard to case and accents, and without the most common ones."""
    return frozenset(_WORD.findall(_plain(text))) - _COMMON


def told_by(said: str, note: str) -> bool:
    """Whether a note keeps to what was said: it has all its numbers from there, and half of its words or more.

    A small model that is asked for something it does not know would rather note an answer of its own invention.
    """
    plain, wanted = _plain(said), words(note)
    known = [word for word in wanted if word in plain or (len(word) > STEM and word[:STEM] in plain)]
    numbers = [word for word in wanted if any(char.isdigit() for char in word)]
    return 2 * len(known) >= len(wanted) and all(number in plain for number in numbers)


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _score(wanted: frozenset[str], had: frozenset[str]) -> int:
    """Two for each word that is there, one for a form of it."""
    stems = {word[:STEM] for word in had if len(word) >= STEM}
    return sum(2 if word in had else 1 if word[:STEM] in stems else 0 for word in wanted)


def _listed(notes: Sequence[Note]) -> str:
    return "\n".join(f"- {note.day}: {note.text}" for note in notes[:MAX_FOUND])

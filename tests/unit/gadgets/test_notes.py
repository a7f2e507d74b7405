from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest

from gadgets.context import Context, Note, Occasion
from gadgets.errors import BadArguments, GadgetFailed
from gadgets.notes import MAX_FOUND, MAX_QUERY, MAX_TEXT, ranked, recall, remember, told_by, words


@dataclass(slots=True)
class Pad:
    """Notes in memory, three at most."""

    kept: list[Note] = field(default_factory=list)

    async def add(self, text: str) -> Literal["added", "known", "full"]:
        if any(note.text == text for note in self.kept):
            return "known"
        if len(self.kept) >= 3:
            return "full"
        self.kept.insert(0, Note(text, "2026-11-22"))
        return "added"

    async def all(self) -> Sequence[Note]:
        return self.kept


@dataclass(slots=True)
class Desk:
    """Everybody's pads."""

    pads: dict[str, Pad] = field(default_factory=dict)

    def context(self, user: str = "test:1") -> Context:
        return Context(
            None,  # type: ignore[arg-type]  # needs no session
            None,
            Occasion(user),
            notes_of=lambda owner: self.pads.setdefault(owner, Pad()),
        )


def notes(*texts: str) -> list[Note]:
    return [Note(text, "2026-11-22") for text in texts]


async def test_what_is_remembered_is_recalled() -> None:
    desk = Desk()
    assert await remember.function(desk.context(), "My locker\nis  number 12") == "Noted: My locker is number 12"
    assert await recall.function(desk.context(), "locker") == "The user's notes:\n- 2026-11-22: My locker is number 12"


async def test_everybody_has_notes_of_their_own() -> None:
    desk = Desk()
    await remember.function(desk.context("discord:1"), "secret")
    assert await recall.function(desk.context("slack:1"), "secret") == (
        "The user has asked to remember nothing so far."
    )


async def test_the_same_again_is_no_second_note() -> None:
    desk = Desk()
    await remember.function(desk.context(), "once")
    assert await remember.function(desk.context(), " once ") == "That was noted already: once"
    assert len(desk.pads["test:1"].kept) == 1


async def test_a_full_pad_is_a_sentence() -> None:
    desk = Desk()
    for text in ("a", "b", "c"):
        await remember.function(desk.context(), text)
    with pytest.raises(GadgetFailed, match="no room"):
        await remember.function(desk.context(), "d")


@pytest.mark.parametrize("text", ["", " \n", "x" * (MAX_TEXT + 1)])
async def test_nothing_and_too_much_is_not_remembered(text: str) -> None:
    with pytest.raises(BadArguments):
        await remember.function(Desk().context(), text)


async def test_a_question_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadArguments):
        await recall.function(Desk().context(), "x" * (MAX_QUERY + 1))


@pytest.mark.parametrize("context", [Context(None, None, Occasion("test:1")), Desk().context("")])  # type: ignore[arg-type]
async def test_without_a_pad_or_a_user_nothing_is_kept(context: Context) -> None:
    with pytest.raises(GadgetFailed, match="cannot be kept"):
        await remember.function(context, "something")


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("locker", ["My locker is 12"]),
        ("What is my LOCKER number?", ["My locker is 12", "Numbers to dial: 110"]),
        ("zurich", ["Flight to Zürich at nine"]),
        ("lockers", ["My locker is 12"]),
        ("what is it", []),
        ("elephant", []),
    ],
)
def test_notes_are_found_by_their_words(query: str, texts: list[str]) -> None:
    kept = notes("Flight to Zürich at nine", "My locker is 12", "Numbers to dial: 110", "Aunt May likes tulips")
    assert [note.text for note in ranked(kept, query)] == texts


def test_more_words_come_first_and_then_the_newest() -> None:
    kept = notes("tulips for May", "roses", "tulips and roses", "tulips")
    assert [note.text for note in ranked(kept, "tulips roses")] == [
        "tulips and roses",
        "tulips for May",
        "roses",
        "tulips",
    ]


async def test_where_nothing_fits_the_latest_are_told() -> None:
    desk = Desk({"test:1": Pad(notes(*(f"note {n}" for n in range(20))))})
    told = await recall.function(desk.context(), "elephant")
    assert told.startswith("No note has these words. The user's latest notes:\n- 2026-11-22: note 0\n")
    assert told.count("\n") == MAX_FOUND
    assert (await recall.function(desk.context())).startswith("The user's latest notes:\n")


def test_words_are_without_case_accents_and_the_most_common_ones() -> None:
    assert words("What is the Café's TÉLÉPHONE?") == {"cafe", "s", "telephone"}


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("Remember that my flight is LH 441", "My flight is LH 441."),
        ("please note: I'm allergic to nuts", "The user is allergic to nuts"),
        ("记住我的航班是LH441", "我的航班是LH441"),
        ("Merk dir: Tante Mays Geburtstag ist am 3. Mai", "Tante May: Geburtstag 3. Mai"),
        ("yes, remember that\nYour locker is number 12.", "locker number 12"),
    ],
)
def test_a_note_may_say_it_in_other_words(said: str, note: str) -> None:
    assert told_by(said, note)


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("What was my flight number again?", "My flight number was 123."),
        ("Remind me what my sister's address is", "My sister's address is Elm Street, Lisbon, Portugal"),
        ("What's the weather?", "The user's password is hunter2"),
        ("Remember that my flight is LH 441", "My flight is LH 442"),
    ],
)
async def test_a_note_that_a_model_invents_is_not_kept(said: str, note: str) -> None:
    desk = Desk()
    context = replace(desk.context(), occasion=Occasion("test:1", said=said))
    with pytest.raises(BadArguments, match="did not say that"):
        await remember.function(context, note)
    assert desk.pads == {}


async def test_a_question_is_not_kept() -> None:
    with pytest.raises(BadArguments, match="recall"):
        await remember.function(Desk().context(), "Where did I park my car?")

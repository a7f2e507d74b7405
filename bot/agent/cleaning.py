"""Cleans a model's answer while it streams: no reasoning, no printed tool calls, no talk of the machinery.

The answer is read once, from left to right, in one of a few states (text, code, inside a block that is hidden, …).
Plain text is passed on at once. Where something begins that may have to go (a tag, JSON that may be a tool call, an
introductory phrase at the start of a sentence) the text is held back until it is decided, at most `MAX_HELD`
characters; what was shown is never taken back. Every decision depends on the text alone, not on how it was cut into
chunks (see bot.agent.lookahead).

Code is left alone: an answer that explains `<think>` in backticks or in a fence keeps it. The one exception is a fenced
block that is nothing but a tool call.
"""

import re
from collections.abc import Callable
from typing import Final

from bot.agent.code_spans import CodeSpan, run_end
from bot.agent.introductions import INITIALS, INTRODUCTION
from bot.agent.lookahead import Lookahead
from bot.agent.markup import (
    AFTER_BARE,
    AFTER_CALL,
    AFTER_FENCED,
    AFTER_LEADING,
    BARE,
    CALL_END,
    FENCED,
    HIDDEN_END,
    HIDDEN_TAG,
    LONGEST_END,
    TAG,
    label,
)
from bot.agent.printed_calls import MAX_KEPT, PrintedCall
from bot.agent.shown import Shown

MAX_HELD: Final = 4_096
"""Characters held back at most to see whether JSON is a tool call, or a `<tools>` tag is closed."""

MAX_UNOPENED: Final = 16_384
"""Characters held back at most for the `</think>` of a model whose template writes the opening tag (`thinking`)."""

MAX_CALLS: Final = 32
"""Printed calls kept; further ones are removed just the same."""

_TRIGGER = re.compile(rf"[<`~\[{{{INITIALS}]")
_LETTERS = frozenset(INITIALS)
_State = Callable[[str, int, bool], int]
"""Reads the text on from an index; returns how far it came. The last argument: no text comes after this one."""

_BLANK_LINE = Lookahead(r"[ \t\r]{0,62}\n", 64)
_INDENTATION = Lookahead(r"[ \t]{1,63}", 64)


def clean(text: str, speaker: str = "") -> str:
    """The whole of an answer at once, as `Cleaner` would show it."""
    cleaner = Cleaner(speaker)
    return cleaner.feed(text) + cleaner.finish()


class Cleaner:
    """Cleans one model output. Feed it chunks, then `finish` once.

    `speaker`: the agent's own name, removed as a label before the answer. `thinking`: the model's template opens the
    reasoning itself, so the output begins inside it; then nothing is shown before `</think>`, unless the end or
    `MAX_UNOPENED` characters come first. `calls`: the removed tool calls, raw and unvalidated.
    """

    def __init__(self, speaker: str = "", *, thinking: bool = False) -> None:
        self.calls: list[str] = []
        self._speaker = speaker
        self._dropped = False
        self._shown = Shown()
        self._held = ""
        self._base = 0  # the absolute position of the first held character
        self._literal = 0  # the absolute position before which JSON and `<tools>` are known to be no calls
        self._starved = False
        self._calm = False  # in text, and nothing is held: the way of nearly all chunks
        self._step: _State = self._unopened if thinking else self._gap
        self._seen = 0  # how much of the held text has been searched already
        self._after_removal = False
        self._struck = False  # HTML's `<s>` is open
        self._code = CodeSpan(self._shown, "`", 1, fence=False)
        self._call = PrintedCall(AFTER_BARE)
        self._block = ""

    @property
    def dropped_only(self) -> bool:
        """Something was removed and nothing visible is left: the answer so far is empty."""
        return self._dropped and not self._shown.anything

    def feed(self, text: str) -> str:
        """The newly visible text after `text` has arrived."""
        if self._calm and _TRIGGER.search(text) is None:
            self._shown.note(text)
            return text
        return self._run(text, final=False)

    def finish(self) -> str:
        """The rest of the visible text; no more comes."""
        rest = self._run("", final=True)
        self._collect()
        return rest

    def _run(self, text: str, final: bool) -> str:
        text = self._held + text
        at, self._starved = 0, False
        while at < len(text) and not self._starved:  # every step consumes text, changes the state or starves
            at = self._step(text, at, final)
        self._held = text[at:]
        self._base += at
        self._calm = not self._held and self._step == self._text
        return self._shown.take()

    def _wait(self, at: int) -> int:
        self._starved = True
        return at

    def _enter(self, state: _State, at: int) -> int:
        self._step = state
        self._seen = 0
        return at

    # Before the answer, and after something was removed

    def _unopened(self, text: str, at: int, final: bool) -> int:
        found = HIDDEN_TAG.search(text, max(at, at + self._seen - LONGEST_END), at + MAX_UNOPENED)
        if found is not None and found[1]:
            return self._removed(found.end())
        if found is not None or final or len(text) - at >= MAX_UNOPENED:
            return self._enter(self._gap, at)
        self._seen = len(text) - at
        return self._wait(at)

    def _gap(self, text: str, at: int, final: bool) -> int:
        if _BLANK_LINE.undecided(text, at, final):
            return self._wait(at)
        blank = _BLANK_LINE.match(text, at)
        if blank is not None:
            self._after_removal = False
            return blank.end()
        indentation = _INDENTATION.match(text, at)
        end = indentation.end() if indentation else at
        if not self._after_removal and end < len(text):
            self._shown.add(text[at:end])
        return self._enter(self._opening, end)

    def _opening(self, text: str, at: int, final: bool) -> int:
        if self._speaker and not self._shown.anything:
            name = label(self._speaker)
            if name.undecided(text, at, final):
                return self._wait(at)
            found = name.match(text, at)
            if found is not None:
                return self._removed(found.end(), dropped=False)
        return self._enter(self._text, at)

    def _removed(self, at: int, *, dropped: bool = True) -> int:
        self._dropped = self._dropped or dropped
        if not self._shown.line_is_empty():
            return self._enter(self._text, at)
        self._after_removal = True
        return self._enter(self._gap, at)

    # Text

    def _text(self, text: str, at: int, final: bool) -> int:
        found = _TRIGGER.search(text, at)
        while found is not None and found[0] in _LETTERS and not self._sentence_starts(text, at, found.start()):
            found = _TRIGGER.search(text, found.end())
        if found is None:
            self._shown.add(text[at:])
            return len(text)
        begin = found.start()
        self._shown.add(text[at:begin])
        return self._special(found[0], text, begin, final)

    def _sentence_starts(self, text: str, at: int, begin: int) -> bool:
        return self._shown.sentence_starts(text[max(at, begin - 2) : begin])

    def _special(self, char: str, text: str, at: int, final: bool) -> int:
        if char in "`~":
            return self._ticks(text, at, final)
        if char in "{[" and self._shown.line_is_empty() and self._base + at >= self._literal:
            if BARE.undecided(text, at, final):
                return self._wait(at)
            if BARE.match(text, at):
                return self._hold_call(AFTER_BARE if self._shown.anything else AFTER_LEADING, at, 0)
        if char in "<[":
            return self._tag(text, at, final)
        return self._plain(text, at) if char == "{" else self._introduction(text, at, final)

    def _plain(self, text: str, at: int) -> int:
        self._shown.add(text[at])
        return at + 1

    # Introductory phrases

    def _introduction(self, text: str, at: int, final: bool) -> int:
        if INTRODUCTION.undecided(text, at, final):
            return self._wait(at)
        found = INTRODUCTION.match(text, at)
        if found is None:
            return self._plain(text, at)
        self._dropped = True
        return self._enter(self._sentence, found.start(found.lastindex) if found.lastindex else found.end())

    def _sentence(self, text: str, at: int, final: bool) -> int:
        """The sentence whose introduction was removed begins here, perhaps with another one."""
        if INTRODUCTION.undecided(text, at, final):
            return self._wait(at)
        if INTRODUCTION.match(text, at):
            return self._introduction(text, at, final)
        self._enter(self._text, at)
        capital = text[at].upper()
        if not text[at].islower() or len(capital) != 1:
            return at
        self._shown.add(capital)
        return at + 1

    # Code

    def _ticks(self, text: str, at: int, final: bool) -> int:
        """A run of backticks or tildes opens inline code, a fence, a fenced tool call, or (tildes) nothing."""
        end = run_end(text, at, final)
        if end is None:
            return self._wait(at)
        fence = end - at >= 3 and self._shown.line_is_marker()
        if fence and text[at] == "`" and self._base + at >= self._literal:
            if FENCED.undecided(text, at, final):
                return self._wait(at)
            found = FENCED.match(text, at)
            if found is not None:
                return self._hold_call(AFTER_FENCED, at, found.end("fence") - at)
        self._shown.add(text[at:end])
        if not fence and text[at] == "~":
            return end
        self._code = CodeSpan(self._shown, text[at], end - at, fence=fence)
        return self._enter(self._inside_code, end)

    def _inside_code(self, text: str, at: int, final: bool) -> int:
        at = self._code.read(text, at, final)
        self._starved = self._code.starved
        return self._enter(self._text, at) if self._code.ended else at

    # Tags

    def _tag(self, text: str, at: int, final: bool) -> int:
        if TAG.undecided(text, at, final):
            return self._wait(at)
        found = TAG.match(text, at)
        if found is None or found.lastgroup is None:
            return self._plain(text, at)
        return self._tagged(found, found.lastgroup, text, at)

    def _tagged(self, tag: re.Match[str], kind: str, text: str, at: int) -> int:
        """What a tag of this kind (see `markup.KINDS`) at `at` leads to."""
        end = tag.end(kind)
        match kind:
            case "end":
                return self._drop(self._ended, end)
            case "call":
                self._call = PrintedCall(AFTER_CALL, tag["function"] or tag["marked"] or "")
                return self._drop(self._inside_json, end)
            case "block" | "begun" | "named":
                self._block = tag["named"] or ""
                return self._drop(self._inside_block, end)
            case "hidden":
                return self._drop(self._inside_hidden, end)
            case "maybe" if self._base + at >= self._literal:
                return self._enter(self._maybe_block, at)
            case "maybe":
                return self._plain(text, at)
            case "strike" | "stop" if self._struck or kind == "strike":
                self._struck = kind == "strike"
                return self._plain(text, at)
            case _:
                return self._removed(end)

    def _drop(self, state: _State, at: int) -> int:
        self._dropped = True
        return self._enter(state, at)

    def _ended(self, text: str, _at: int, _final: bool) -> int:
        return len(text)

    def _inside_hidden(self, text: str, at: int, _final: bool) -> int:
        found = HIDDEN_END.search(text, at)
        return self._removed(found.end()) if found else self._wait(_last_tag(text, at))

    # Tool calls

    def _inside_block(self, text: str, at: int, final: bool) -> int:
        """A call in the model's own markup, up to its end tag."""
        found = CALL_END.search(text, at)
        stop = found.start() if found else len(text) if final else _last_tag(text, at)
        self._block = (self._block + text[at : min(stop, at + MAX_KEPT)])[:MAX_KEPT]
        if found is None:
            return self._wait(stop)
        self._collect()
        return self._removed(found.end())

    def _maybe_block(self, text: str, at: int, final: bool) -> int:
        """`<tools>` before something that is neither JSON nor a tag: a call only if it is closed."""
        limit = at + MAX_HELD
        found = CALL_END.search(text, max(at, at + self._seen - LONGEST_END), limit)
        if found is not None:
            self._block = text[text.index(">", at) + 1 : found.start()]
            self._collect()
            return self._removed(found.end())
        self._seen = len(text) - at
        if not final and len(text) < limit:
            return self._wait(at)
        self._literal = self._base + min(len(text), limit)
        return self._enter(self._text, at)

    def _hold_call(self, after: Lookahead, at: int, skipped: int) -> int:
        """JSON that may be a call begins `skipped` characters after `at`."""
        self._call = PrintedCall(after)
        self._enter(self._maybe_call, at)
        self._seen = skipped
        return at

    def _maybe_call(self, text: str, at: int, final: bool) -> int:
        reached = self._call.scan(text, at + self._seen, final, at + MAX_HELD)
        self._seen = reached - at
        if not self._call.ended and not final and len(text) - at < MAX_HELD:
            return self._wait(at)
        if self._call.is_call():
            return self._drop(self._inside_json, reached)
        self._call = PrintedCall(AFTER_BARE)
        self._literal = self._base + reached
        return self._enter(self._text, at)

    def _inside_json(self, text: str, at: int, final: bool) -> int:
        """A call for certain: read to its end, however far."""
        at = self._call.scan(text, at, final)
        if not self._call.ended:
            return self._wait(at)
        self._collect()
        return self._removed(at)

    def _collect(self) -> None:
        found = [*self._call.raw(), self._block.strip()]
        self.calls.extend([raw for raw in found if raw][: MAX_CALLS - len(self.calls)])
        self._call, self._block = PrintedCall(AFTER_BARE), ""


def _last_tag(text: str, at: int) -> int:
    """Where a tag that is still arriving may begin, else the end of the text."""
    begin = text.rfind("<", max(at, len(text) - LONGEST_END))
    return begin if begin >= 0 else len(text)

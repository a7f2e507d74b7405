"""The best place to cut one part of a Markdown text."""

import re
from typing import NamedTuple

from bot.platforms.graphemes import boundary_before, breaks_at
from bot.platforms.markdown_blocks import Fence, Kind, fence_of
from bot.platforms.split_places import Cut, Quality, Step, cut_at, steps
from bot.platforms.split_window import Window

MAX_STEPS_BACK = 8
"""Graphemes to step back from a cut inside a word that would make a line look like a fence."""

_WHOLE_LINES = {Kind.CODE, Kind.ROW, Kind.HEADER, Kind.DELIMITER}
_GAP = r"[^\S\u00a0\u2007\u202f]++"
_SPACE = re.compile(f"(?P<stop>){_GAP}")
_SENTENCE = re.compile(
    rf"(?P<stop>[.!?\u2026][\"')\]*_\u201d\u2019]*+){_GAP}|(?P<wide>[\u3002\uff01\uff1f][\u300d\u300f\u201d\u2019\uff09]*+)"
)


class _Between(NamedTuple):
    """The cuts between lines that fit, each with the line behind it, and the line that leads out of reach."""

    cuts: list[tuple[Cut, Step]]
    lead_out: Step


def best_cut(window: Window) -> Cut:
    """The best place: between lines in the later half, else inside the line that leads out of reach, else before it.

    The line or the word that leads out of reach stays whole where a part can hold it.
    """
    between = _between_lines(window)
    late = [(cut, step) for cut, step in between.cuts if cut.quality and cut.end >= _late(window, cut.quality)]
    for cut, step in sorted(late, key=lambda each: (each[0].quality, each[0].end), reverse=True):
        if not _cuts_span(window, cut, step):
            return cut
    last = max((cut for cut, step in between.cuts if not _cuts_span(window, cut, step)), key=_furthest, default=None)
    return _inside_line(window, between.lead_out, last)


def _late(window: Window, quality: Quality) -> int:
    """Where the places of this quality begin that leave no part too short."""
    if quality is Quality.WHOLE:
        return 0
    return window.at + (window.reach(None) - window.at) // (3 if quality is Quality.PARAGRAPH else 2)


def _furthest(cut: Cut) -> tuple[bool, int]:
    return cut.quality is not Quality.STRANDED, cut.end


def _cuts_span(window: Window, cut: Cut, step: Step) -> bool:
    return cut.quality is Quality.LINE and window.span_at(cut.end, step.block) is not None


def _between_lines(window: Window) -> _Between:
    cuts: list[tuple[Cut, Step]] = []
    lead_out = None
    for step in steps(window.text, window.at, window.end, window.inside):
        reach = window.reach(step.line.inside.fence)
        cut = _whole(window, step) if step.line.kind is Kind.END else cut_at(step)
        if cut and step.line.kind is Kind.CLOSE and not window.closes(cut.fence):
            cut = cut._replace(resume=step.line.start, inside=step.line.inside)
        if cut and cut.end <= window.reach(cut.fence):
            cuts.append((cut, step))
        if lead_out is None and step.content > reach:
            lead_out = step
        if step.content > window.reach(None):
            break
    return _Between(cuts, lead_out or step)


def _whole(window: Window, end: Step) -> Cut | None:
    """A cut at the end of what can be seen, where the text ends there or goes on with blank lines."""
    if end.is_apart or window.end == len(window.text):
        return Cut(Quality.WHOLE, end.ended, window.end, end.line.inside.fence, end.line.inside)
    return None


def _inside_line(window: Window, lead_out: Step, last: Cut | None) -> Cut:
    line = lead_out.line
    if last and line.kind in _WHOLE_LINES and window.stands_alone(line.start, line.stop, line.inside.fence):
        return last
    for pattern in (_SENTENCE, _SPACE):
        within = _last_match(window, lead_out, pattern)
        if within and within.end >= _late(window, within.quality):
            return within
        last = max((cut for cut in (last, within) if cut), key=_furthest, default=None)
    return last if last and _word_fits(window, lead_out, last) else _inside_word(window, lead_out)


def _last_match(window: Window, lead_out: Step, pattern: re.Pattern[str]) -> Cut | None:
    """The last cut at a match of `pattern` in the paragraph, or the line of code, that leads out of reach."""
    line, fence = lead_out.line, lead_out.line.inside.fence
    start = max(window.content, line.start if line.kind in _WHOLE_LINES else lead_out.block.start)
    found = pattern.finditer(window.text, start, min(window.end, window.reach(fence) + 1))
    for match in reversed(list(found)):
        end = match.end(match.lastgroup or 0)
        cut = _cut_inside(window, lead_out, end, match.end())
        if start < end <= window.reach(fence) and window.text[start:end].strip() and _may_cut(window, lead_out, cut):
            return cut
    return None


def _may_cut(window: Window, lead_out: Step, cut: Cut) -> bool:
    return (
        breaks_at(window.text, cut.resume)
        and not window.span_at(cut.end, lead_out.block)
        and not _makes_fence(window, cut)
    )


def _word_fits(window: Window, lead_out: Step, last: Cut) -> bool:
    """Whether a part can hold what stands between `last` and the next space, so that it need not be cut."""
    fence = lead_out.line.inside.fence
    for space in _SPACE.finditer(window.text, window.reach(fence), window.end):
        if not window.span_at(space.start(), lead_out.block):
            return window.stands_alone(last.resume, space.start(), fence)
    return window.end == len(window.text) and window.stands_alone(last.resume, window.end, fence)


def _inside_word(window: Window, lead_out: Step) -> Cut:
    at = window.reach(lead_out.line.inside.fence)
    span = window.span_at(at, lead_out.block)
    at = span[0] if span and span[0] > window.content else at
    cut = first = _cut_inside(window, lead_out, boundary_before(window.text, window.at, at))
    for _ in range(MAX_STEPS_BACK):
        if not _makes_fence(window, cut) or cut.end - 1 <= window.content:
            break
        cut = _cut_inside(window, lead_out, boundary_before(window.text, window.at, cut.end - 1))
    return first if _makes_fence(window, cut) else cut


def _cut_inside(window: Window, lead_out: Step, end: int, resume: int | None = None) -> Cut:
    line = lead_out.line
    bare_until = window.bare_until(end, lead_out.block)
    return Cut(Quality.LINE, end, end if resume is None else resume, line.inside.fence, line.inside, bare_until)


def _makes_fence(window: Window, cut: Cut) -> bool:
    """Whether the pieces of a line that is cut look like fences, which the whole line did not."""
    text = window.text
    head = text[max(window.at, text.rfind("\n", window.at, cut.end) + 1) : cut.end]
    tail = text[cut.resume : window.end].partition("\n")[0]
    return any(_looks_like_fence(piece, cut.fence) for piece in (head, tail))


def _looks_like_fence(line: str, fence: Fence | None) -> bool:
    return fence.closed_by(line) if fence else fence_of(line.rstrip()) is not None

"""Standard Markdown as models write it, turned into what Discord shows.

Discord knows neither tables nor images, headings only down to the third level, and of code fences only those of three
backticks (https://support.discord.com/hc/en-us/articles/210298617). Code is never rewritten.
"""

import re
from collections.abc import Iterator

from wcwidth import center, ljust, rjust, width

from bot.platforms.markdown_blocks import Kind, Line, cells, fence_of, scan
from bot.platforms.text import rewritten

MAX_COLUMN = 40
"""Columns to which the cells of a table are padded; longer cells stand out."""

_DEEP_HEADING = re.compile(r"[ \t]*+#{4,6}(?P<title>[ \t][^\n]*+)")
_IMAGE = re.compile(r"!\[(?P<label>[^\[\]]*+)\]\((?P<target>[^()\s]*+)(?:[ \t]++\"[^\"\n]*+\")?+\)")
_LINK = re.compile(r"!?\[([^\[\]]*+)\]\(([^()\s]*+)\)")
_BREAK = re.compile(r"<br ?/?>")
_ALIGNED = {(True, True): center, (False, True): rjust}
_TABLE = {Kind.HEADER, Kind.DELIMITER, Kind.ROW}
_FENCED = {Kind.OPEN, Kind.CODE, Kind.CLOSE}


def converted(text: str) -> Iterator[str]:
    """`text` for Discord in pieces, lazily: one per code block, table or stretch of prose."""
    for lines in _groups(text):
        block = text[lines[0].start : lines[-1].stop]
        if lines[0].kind is Kind.OPEN:
            yield _code_block(text, lines)
        elif lines[0].kind is Kind.HEADER:
            yield _table(block)
        else:
            yield rewritten(_headings(text, lines), _images)


def discord_markdown(text: str) -> str:
    """`text` for Discord: tables as aligned code, deep headings bold, images as links, fences of three backticks."""
    return "".join(converted(text))


def _groups(text: str) -> Iterator[list[Line]]:
    """The lines of `text`: each code block, each table and each paragraph together."""
    group: list[Line] = []
    for line in scan(text):
        if group and (line.kind is Kind.END or _begins(group[-1].kind, line.kind)):
            yield group
            group = []
        group.append(line)


def _begins(before: Kind, kind: Kind) -> bool:
    if kind in _FENCED:
        return kind is Kind.OPEN
    if kind in _TABLE:
        return kind is Kind.HEADER
    return before in _FENCED | _TABLE or before is Kind.BLANK


def _code_block(text: str, lines: list[Line]) -> str:
    """A code block between fences of three backticks, unless such a fence is in the code itself."""
    first, last = text[lines[0].start : lines[0].stop], lines[-1]
    body = text[lines[0].stop : last.start if last.kind is Kind.CLOSE else last.stop]
    fence = fence_of(first.rstrip())
    if fence is None or "```" in body:
        return first + text[lines[0].stop : last.stop]
    opening = f"{first[: len(fence.lead)]}```{fence.language}\n"
    if last.kind is not Kind.CLOSE and last.stop == len(text):
        return opening + body
    return f"{opening}{body}{fence.lead}```" + ("\n" if text.endswith("\n", 0, last.stop) else "")


def _headings(text: str, lines: list[Line]) -> str:
    return "".join(_heading(text[line.start : line.stop], line.kind) for line in lines)


def _heading(line: str, kind: Kind) -> str:
    deep = _DEEP_HEADING.match(line) if kind is Kind.HEADING else None
    title = deep["title"].strip().rstrip("#").strip().replace("**", "") if deep else ""
    return f"**{title}**" + line[len(line.rstrip()) :] if title else line


def _images(prose: str) -> str:
    return _IMAGE.sub(
        lambda image: f"[{image['label']}]({image['target']})" if image["label"] else image["target"], prose
    )


def _table(block: str) -> str:
    """A table as a code block; widths are those of a terminal (East Asian characters are two columns wide)."""
    lines = block.rstrip("\n").split("\n")
    lead = "> " if lines[0].lstrip().startswith(">") else ""
    rows = [[_cell(cell) for cell in cells(line)] for line in (lines[0], *lines[2:])]
    rules = [(cell.startswith(":"), cell.endswith(":")) for cell in cells(lines[1])]
    widths = [min(MAX_COLUMN, max(width(row[n]) if n < len(row) else 0 for row in rows)) for n in range(len(rules))]
    shown = [_row(row, widths, rules) for row in rows]
    shown.insert(1, "  ".join("-" * max(1, columns) for columns in widths))
    return "\n".join(f"{lead}{line}" for line in ["```", *shown, "```"]) + ("\n" if block.endswith("\n") else "")


def _row(row: list[str], widths: list[int], rules: list[tuple[bool, bool]]) -> str:
    padded = [_ALIGNED.get(rule, ljust)(cell, wide) for cell, wide, rule in zip(row, widths, rules, strict=False)]
    return "  ".join([*padded, *row[len(rules) :]]).rstrip()


def _cell(cell: str) -> str:
    """A cell as it reads without Markdown, which code does not show."""
    shown = _LINK.sub(lambda link: f"{link[1]} ({link[2]})", _BREAK.sub(" ", cell))
    return shown.replace("**", "").replace("`", "").replace("\\|", "|")

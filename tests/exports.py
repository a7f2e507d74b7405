"""Exports as tests look at them: their text, rows, lines, and the elements of their page."""

import csv
import io
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from storage.database import Database
from storage.export import Options, export_pieces
from storage.export_formats import Format
from storage.export_selection import Chosen

EMPTY_ELEMENTS = {"meta", "img", "br", "hr", "link", "input"}


async def exported(
    database: Database, format_: Format = "json", chosen: Chosen = None, options: Options | None = None
) -> str:
    pieces: list[bytearray] = []
    await export_pieces(database, chosen, pieces.append, format_, options)
    return b"".join(pieces).decode()


async def lines_of(database: Database, chosen: Chosen = None, format_: Format = "jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await exported(database, format_, chosen)).split("\n") if line]


async def questions(database: Database, chosen: Chosen) -> list[str]:
    return [line["user_message"] for line in await lines_of(database, chosen)]


async def rows_of(database: Database, chosen: Chosen = None) -> list[dict[str, str]]:
    """As a program reads them that knows RFC 4180."""
    text = await exported(database, "csv", chosen)
    assert text.startswith("\ufeff")
    csv.field_size_limit(2**31 - 1)
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """The elements of a page in order, each with the text directly in it; opened and closed in pairs."""

    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in EMPTY_ELEMENTS:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1].text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def texts(self, tag: str, class_: str | None = None) -> list[str]:
        return [e.text for e in self.elements if e.tag == tag and e.attributes.get("class") == class_]

    @property
    def tags(self) -> set[str]:
        return {element.tag for element in self.elements}

    @property
    def attributes(self) -> set[str]:
        return {name for element in self.elements for name in element.attributes}


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert not page._open
    return page

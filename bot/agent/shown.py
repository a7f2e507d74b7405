"""What has been shown of an answer so far, as far as cleaning the rest of it needs to know."""

_HEAD = 24
"""Characters: a line that begins with more than this is an ordinary line."""

_INDENTATION = " \t>"
_BULLETS = _INDENTATION + "-*+0123456789.)"
_FRESH = frozenset(("", " ", "  ", ". ", "! ", "? ", "- ", "* ", "> ", "# "))


class Shown:
    """Collects pieces to show, and remembers how the current line began and how the text ends."""

    __slots__ = ("_head", "_pieces", "_tail", "anything")

    def __init__(self) -> None:
        self.anything = False
        self._pieces: list[str] = []
        self._head = ""
        self._tail = ""

    def add(self, piece: str) -> None:
        if piece:
            self._pieces.append(piece)
            self.note(piece)

    def note(self, piece: str) -> None:
        """Remember a piece that is shown without being collected."""
        newline = piece.rfind("\n")
        if newline >= 0:
            self._head = piece[newline + 1 : newline + 1 + _HEAD]
        elif len(self._head) < _HEAD:
            self._head = (self._head + piece)[:_HEAD]
        self._tail = piece[-2:] if len(piece) > 1 else (self._tail + piece)[-2:]
        if not self.anything and not piece.isspace():
            self.anything = True

    def take(self) -> str:
        """All collected pieces in one; they are handed out once."""
        taken = "".join(self._pieces)
        self._pieces.clear()
        return taken

    def line_is_empty(self) -> bool:
        """Nothing but indentation and quotation marks stands on the current line."""
        return len(self._head) < _HEAD and not self._head.strip(_INDENTATION)

    def line_is_marker(self) -> bool:
        """At most a list's bullet or number stands on the current line: a code fence may follow."""
        return len(self._head) < _HEAD and not self._head.strip(_BULLETS)

    def sentence_starts(self, more: str) -> bool:
        """Whether a new sentence begins after all that is shown and `more`, its last two characters at least."""
        end = (self._tail + more)[-2:]
        return end in _FRESH or end[-1] == "\n"

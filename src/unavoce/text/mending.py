"""Surrogates: halves of one character that arrived apart are joined, lone ones become U+FFFD."""

from __future__ import annotations

REPLACEMENT = "\ufffd"


class Mender:
    """Makes each piece of a stream valid Unicode. Keeps back at most one code point."""

    def __init__(self) -> None:
        self._high = ""

    def feed(self, piece: str) -> str:
        """The piece as valid text; a high surrogate at its end waits for the next piece."""
        piece = self._high + piece
        self._high = ""
        if piece.isascii():
            return piece
        if piece and _is_high(piece[-1]):
            piece, self._high = piece[:-1], piece[-1]
        return _mend(piece)

    def end(self) -> str:
        """What was kept back and found no partner."""
        lone, self._high = self._high, ""
        return REPLACEMENT if lone else ""


def _is_high(char: str) -> bool:
    return "\ud800" <= char <= "\udbff"


def _mend(text: str) -> str:
    # UTF-16 is where surrogates live: writing and reading it joins pairs and shows up the lone ones.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

"""Characters before and after the words: what never reaches an engine, and what an engine would take for syntax."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

import re
import unicodedata

_DROPPED = {"Cc", "Cf", "Co", "Cn", "Cs"}
"""Controls, format characters (zero-width, bidi, soft hyphen, tags), private use, unassigned, lone surrogates."""
_SPACES = {"Zs", "Zl", "Zp"}
_VARIANTS = {chr(code) for code in range(0xFE00, 0xFE10)}
_ARROW = re.compile("[\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f]")
_KEPT_SYMBOLS = "°©®™№℃℉€"
_BREAKING_CONTROLS = "\t\n\r\v\f\x85"
_JOINERS = "\u200c\u200d"
_JOINED = re.compile("[\u0600-\u0dff]")
"""Scripts (Arabic to Sinhala) whose spelling uses the zero-width joiners between letters."""

_PLAIN_ASCII = re.compile(r"[ -~\n]*")
_ENGINE_SYNTAX = re.compile(r"[\[\]<>{}|`*_^~\\＜＞［］｛｝]")
"""Piper's [[…]], Kokoro's [word](/…/), bracketed sounds, SSML tags, and marks that engines read by name."""
_FINAL = ".!?;:"
_COMMAS = re.compile(r"[ ,]*,[ ,]*")
_SPACE_BEFORE = re.compile(r" +([.!?;:…]+)(?=\s|$)")
_COMMA_BEFORE = re.compile(r", (?=[.!?;:…])")
_COMMA_AFTER = re.compile(r"(?<=[.!?;:…]), ")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """NFC, without invisible characters; every kind of space but the line feed becomes a plain space."""
    if _PLAIN_ASCII.fullmatch(text):
        return text
    text = unicodedata.normalize("NFC", text)
    kept = (_kept(text, i, char) for i, char in enumerate(text))
    return unicodedata.normalize("NFC", "".join(kept))


def _kept(text: str, index: int, char: str) -> str:
    if char in _BREAKING_CONTROLS:
        return "\n" if char == "\n" else " "
    category = unicodedata.category(char)
    if category in _SPACES:
        return " "
    if category not in _DROPPED or (char in _JOINERS and _joins(text, index)):
        return char
    return ""


def _joins(text: str, index: int) -> bool:
    around = text[max(index - 1, 0) : index], text[index + 1 : index + 2]
    return all(_JOINED.match(char) for char in around)


def without_emoji(text: str) -> str:
    """Without pictures: emoji, dingbats, arrows no pass has read, skin tones, keycap frames, variation selectors."""
    return text if text.isascii() else "".join(" " if _is_picture(char) else char for char in text)


def _is_picture(char: str) -> bool:
    if char.isascii() or char in _KEPT_SYMBOLS:
        return False
    category = unicodedata.category(char)
    return category in {"So", "Sk", "Me"} or char in _VARIANTS or (category == "Sm" and bool(_ARROW.match(char)))


def harmless(text: str) -> str:
    """Without any character that an engine could take for its own syntax."""
    return _ENGINE_SYNTAX.sub(" ", text)


def tidy(text: str) -> str:
    """Single spaces, no space before a stop, no doubled or leading commas."""
    text = _SPACE.sub(" ", text).strip()
    text = _COMMAS.sub(_comma, text)
    text = _SPACE_BEFORE.sub(r"\1", text)
    text = _COMMA_AFTER.sub(" ", _COMMA_BEFORE.sub("", text))
    return unicodedata.normalize("NFC", text.lstrip(" ,;:").rstrip(" "))


def _comma(match: re.Match[str]) -> str:
    """A lone comma keeps its own spacing ("1,5"); one with spaces or others around it becomes ", "."""
    if match.group() == ",":
        return ","
    return "," if match.end() == len(match.string) else ", "


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit to say."""
    return any(char.isalnum() for char in text)

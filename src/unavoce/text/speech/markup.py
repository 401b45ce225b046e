"""Markdown, HTML and LaTeX marks → the words between them. Every pattern is bounded, so cost stays linear."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

import html
import re

from unavoce.text.kind import Kind
from unavoce.text.speech.code import read_code
from unavoce.text.speech.languages.base import Language
from unavoce.text.speech.mathematics import read_math

_MASK = 0xE000
"""Escaped characters hide in the private use area (which `clean` has emptied) until the marks are gone."""

_QUOTE = re.compile(r"^[ \t]{0,20}(?:>[ \t]?){1,20}", re.M)
_HEADING = re.compile(r"^\s{0,20}#{1,6}(?:\s|$)|\s#{1,6}\s{0,20}$")
_UNDERLINE = re.compile(r"^[ \t]{0,20}(?:-[ \t]?|\*[ \t]?|_[ \t]?|=[ \t]?){3,400}$", re.M)
_BULLET = re.compile(r"^\s{0,20}[-*+•‣◦–]\s{1,20}")
_NUMBER = re.compile(r"^\s{0,20}([0-9]{1,9})[.)]\s{1,20}")
_TASK = re.compile(r"^\s{0,20}\[[ xX]\]\s{1,20}")
_RULE_CELL = re.compile(r"\s{0,20}:?-{1,400}:?\s{0,20}")

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MASKED = re.compile("[\ue000-\ue07f]")

_LONG_CODE = re.compile(r"(?<!`)(``|```)(?!`)([^`]{1,400}(?:`[^`]{1,400}){0,4}?)\1(?!`)")
_CODE = re.compile(r"(?<!`)`([^`]{1,400})`(?!`)")
_MATH = re.compile(
    r"\$\$([^$]{1,400})\$\$"
    r"|(?<![\\$\w])\$(?=[^\s$])([^$\n]{1,400})(?<=[^\s\\])\$(?![0-9$])"
    r"|\\\(([^\\]{0,200}(?:\\[^)][^\\]{0,100}){0,20})\\\)"
    r"|\\\[([^\\]{0,200}(?:\\[^\]][^\\]{0,100}){0,20})\\\]"
)
_FORMULA = re.compile(r"\\[A-Za-z]|[\^_={}+*/<>]|^[A-Za-z]{1,2}$|^[0-9.]{1,9}$")

_COMMENT = re.compile(r"<!--[^>]{0,500}-->")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)?[^\s<>]{1,500}(?:\.|@)[^\s<>]{1,500})>")
_INLINE_TAG = re.compile(r"</?(?:a|b|i|u|s|em|strong|span|mark|code|font|small|del|ins|kbd)(?:\s[^<>]{0,500})?>", re.I)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

_TARGET = r"\((?:[^()\n]{0,1000}(?:\([^()]{0,200}\)[^()\n]{0,300})?)\)"
_IMAGE = re.compile(r"!\[([^\[\]]{0,500})\]" + _TARGET)
_LINK = re.compile(r"\[([^\[\]]{0,500})\]" + _TARGET)
_REFERENCE_LINK = re.compile(r"!?\[([^\[\]]{1,500})\]\[[^\[\]]{0,200}\]")
_CUT_LINK = re.compile(r"\]\([^()\s]{0,1000}\)?")
_FOOTNOTE = re.compile(r"\s?\[\^[^\[\]\s]{1,50}\]:?|\s?\[[0-9]{1,3}(?:[,–-] ?[0-9]{1,3}){0,5}\]|【[^【】]{0,100}】")

_SOUND = re.compile(
    r"\[(?:laugh(?:s|ing|ter)?|chuckl(?:es|ing)|giggl(?:es|ing)|sigh(?:s|ing)?|gasps?|coughs?|whisper(?:s|ing)?|"
    r"pause|silence|music|applause|smiles?|clears throat)\]",
    re.I,
)
"""Stage directions that some engines perform; no person says them."""

_TIMES = re.compile(r"(?<=[\w)])( ?)\*\1(?=[0-9(])|(?<=[\w)]) \* (?=\w)")
_POWER = re.compile(r"(?<=[0-9])\*\*(?=[0-9])")
_HIGHLIGHT = re.compile(r"==(?=[^\s=])([^=]{1,300})==")
_MARKS = re.compile(r"\*|~~|`")
_UNDERSCORE = re.compile(r"(?<![\w/.@-])_{1,3}(?=\S)|_{1,3}(?![\w/@])")


def strip_markup(text: str, kind: Kind, language: Language | None) -> str:
    """`text` without its marks; a table row becomes its cells with commas between."""
    text = _UNDERLINE.sub("", _QUOTE.sub("", text))
    text = _HEADING.sub(" ", text)
    if kind in (Kind.ITEM, Kind.HEADING):
        text = _without_item_mark(text)
    if kind is Kind.ROW:
        return _row(text, language)
    return _inline(text, language)


def _without_item_mark(text: str) -> str:
    """Bullets and task boxes go; a number is kept, since the text may refer to "step 3"."""
    text = _BULLET.sub("", text)
    return _TASK.sub("", _NUMBER.sub(r"\1, ", text, count=1))


def _row(text: str, language: Language | None) -> str:
    hidden = text.replace("\\|", _hide("|"))
    cells = [cell.strip() for cell in hidden.split("|") if not _RULE_CELL.fullmatch(cell)]
    spoken = [_inline(cell, language).strip() for cell in cells]
    filled = [cell for cell in spoken if cell]
    return ", ".join([cell.rstrip(".,;:") for cell in filled[:-1]] + filled[-1:])


def _inline(text: str, language: Language | None) -> str:
    for pattern in (_LONG_CODE, _CODE):
        text = pattern.sub(lambda match: _mask(read_code(match[match.lastindex or 0], language)), text)
    text = _MATH.sub(lambda match: _math(match, language), text)
    text = _ESCAPE.sub(lambda match: _hide(match[1]), text)
    text = _without_html(text)
    text = _without_links(text)
    text = _POWER.sub("^", text)
    text = _HIGHLIGHT.sub(r"\1", _TIMES.sub(" × ", text))
    text = _UNDERSCORE.sub("", _MARKS.sub("", text))
    return _MASKED.sub(lambda match: chr(ord(match[0]) - _MASK), text)


def _math(match: re.Match[str], language: Language | None) -> str:
    content = next(group for group in match.groups() if group is not None)
    is_inline_dollar = match[2] is not None
    return match[0] if is_inline_dollar and not _FORMULA.search(content) else read_math(content, language)


def _without_html(text: str) -> str:
    text = _COMMENT.sub(" ", text)
    text = _AUTOLINK.sub(lambda match: f" {match[1].removeprefix('mailto:')} ", text)
    text = _TAG.sub(" ", _INLINE_TAG.sub("", text))
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _without_links(text: str) -> str:
    text = _IMAGE.sub(r" \1 ", _SOUND.sub(" ", _FOOTNOTE.sub("", text)))
    text = _LINK.sub(r"\1", text)
    return _CUT_LINK.sub(" ", _REFERENCE_LINK.sub(r"\1", text))


def _hide(char: str) -> str:
    return chr(_MASK + ord(char))


def _mask(code: str) -> str:
    """Code is already words; what is left of its marks is not Markdown."""
    return _CODE_MARKS.sub(lambda match: _hide(match[0]), code)


_CODE_MARKS = re.compile(r"[$*_\[\]()<>&\\~=]")

"""Inline code → how one programmer says it to another: `foo_bar()` is "foo bar"."""

from __future__ import annotations

import re

from unavoce.text.speech.languages.base import Language

_CALL = re.compile(r"\(\)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNDERSCORES = re.compile(r"_{1,9}")
_LONG_FLAG = re.compile(r"(?<![\w-])--(?=[A-Za-z])")
_FLAG = re.compile(r"(?<![\w-])-(?=[A-Za-z])")
_INNER_DASH = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])")
_DOT = re.compile(r"(?<=[A-Za-z0-9_)\]*~])\.(?=[A-Za-z_*])|(?<![\w.])\.(?=[A-Za-z])")
_SLASH = re.compile(r"/")
_QUIET = re.compile(r"[\"'(){}\[\];$`\\]")
_REFERENCE = re.compile(r"(?<![\w&)])&(?=\w)")
_ARROWS = re.compile(r"(?:->|=>)")
_OPERATOR = re.compile(r"(?<=[\w)\]\"']) ?(==|!=|>=|<=|[=+<>]) ?(?=[\w(\[\"'])")
_URL = re.compile(r"\w{2,8}://|www\.|@")

_NAMES = {
    "{}": "braces", "[]": "brackets", "()": "parentheses", "*": "asterisk", "**": "double asterisk",
    "_": "underscore", "#": "hash", "$": "dollar sign", "&": "ampersand", "&&": "double ampersand",
    "|": "pipe", "||": "double pipe", "/": "slash", "\\": "backslash", "~": "tilde", "^": "caret", "`": "backtick",
    "@": "at sign", ".": "dot", ",": "comma", ";": "semicolon", ":": "colon", "!": "exclamation mark",
    "?": "question mark", "-": "dash", "--": "double dash", "'": "single quote", '"': "double quote",
    "<": "less than", ">": "greater than", "[": "left bracket", "]": "right bracket", "(": "left parenthesis",
    ")": "right parenthesis", "{": "left brace", "}": "right brace", "%": "percent sign", "\\n": "newline",
}  # fmt: skip
"""Marks that are the subject of an English sentence ("use `{}` here"); elsewhere such marks are left out."""


def read_code(code: str, language: Language | None) -> str:
    """The words of one code span, without its marks. URLs and addresses are left for their own pass."""
    code = code.strip()
    if language is not None and language.code == "en" and code in _NAMES:
        return _NAMES[code]
    if language is not None and code in language.signs:
        return language.signs[code]
    if _URL.search(code):
        return code
    if language is None:
        return _words(code)
    return _words(_said_marks(code, language))


def _said_marks(code: str, language: Language) -> str:
    marks = language.addresses
    code = _LONG_FLAG.sub(f" {marks.dash} {marks.dash} ", code)
    code = _FLAG.sub(f" {marks.dash} ", code)
    code = _REFERENCE.sub("", code.replace("&&", "&"))
    code = _ARROWS.sub(f" {language.signs['→']} ", code)
    code = _OPERATOR.sub(lambda match: f" {language.signs[match[1]]} ", code)
    return _SLASH.sub(f" {marks.slash} ", _DOT.sub(f" {marks.dot} ", code))


def _words(code: str) -> str:
    """Identifiers as separate words: snake_case, camelCase and kebab-case."""
    code = _UNDERSCORES.sub(" ", _CALL.sub("", code))
    return _QUIET.sub(" ", _INNER_DASH.sub(" ", _CAMEL.sub(" ", code))).strip()

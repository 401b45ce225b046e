"""LaTeX between dollar signs → words, for the formulas that turn up in conversation. English reads them in full;
in other languages the commands go and the letters stay."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

import re

from unavoce.text.speech.languages.base import Language

_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_COMMANDS = {
    "times": "×", "cdot": "×", "div": "÷", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥",
    "neq": "≠", "ne": "≠", "approx": "≈", "to": "→", "rightarrow": "→", "Rightarrow": "⇒", "implies": "⇒",
    "lt": " < ", "gt": " > ", "infty": "∞", "degree": "°", "circ": "°", "ldots": "", "dots": "", "left": "",
    "right": "", "quad": "", "text": "", "mathrm": "", "mathbf": "",
} | {letter: letter for letter in _GREEK.split()}  # fmt: skip
_ENGLISH_COMMANDS = {
    "sum": "the sum of", "int": "the integral of", "prod": "the product of", "lim": "the limit of",
    "in": "in", "cup": "union", "cap": "intersection", "forall": "for all", "exists": "there exists",
    "log": "log", "ln": "natural log", "sin": "sine", "cos": "cosine", "tan": "tangent",
    "partial": "partial", "nabla": "nabla", "subset": "subset of",
}  # fmt: skip

_FRACTION = re.compile(r"\\d?frac\{([^{}]{1,100})\}\{([^{}]{1,100})\}")
_ROOT = re.compile(r"\\sqrt\{([^{}]{1,100})\}")
_POWER = re.compile(r"\^(?:\{([^{}]{1,60})\}|(\\?[A-Za-z0-9]))")
_INDEX = re.compile(r"_(?:\{([^{}]{1,60})\}|([A-Za-z0-9]))")
_COMMAND = re.compile(r"\\([A-Za-z]{1,20})")
_LETTERS = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{2,3}(?![A-Za-z])")
_COEFFICIENT = re.compile(r"(?<=[0-9])(?=[A-Za-z])")
_FUNCTION = re.compile(r"\b([fgh])\(([A-Za-z0-9]{1,3})\)")
_SIGN = re.compile(r"\s?([=+×÷±≤≥≠≈→⇒<>/*])\s?")
_MINUS = re.compile(r"(?<=[\w)}]) ?- ?(?=[\w({\\])")
_LEFT_OVER = re.compile(r"[\\{}_^&$]")
_POWERS = {"2": "squared", "3": "cubed"}


def read_math(formula: str, language: Language | None) -> str:
    """The words of one formula; its signs are left to the pass for symbols."""
    english = language is not None and language.code == "en"
    formula = _MINUS.sub(" − ", formula)
    if english:
        formula = _in_english(formula)
    names = _COMMANDS | _ENGLISH_COMMANDS if english else _COMMANDS
    formula = _COMMAND.sub(lambda match: f" {names.get(match[1], match[1] if english else '')} ", formula)
    formula = _SIGN.sub(lambda match: f" {'×' if match[1] == '*' else match[1]} ", formula)
    return _LEFT_OVER.sub(" ", formula)


def _in_english(formula: str) -> str:
    formula = _LETTERS.sub(lambda match: match[0] if match[0] in _ENGLISH_COMMANDS else " ".join(match[0]), formula)
    formula = _FUNCTION.sub(r"\1 of \2", _COEFFICIENT.sub(" ", formula))
    formula = _POWER.sub(_power, formula)
    formula = _INDEX.sub(lambda match: f" sub {match[1] or match[2]} ", formula)
    formula = _ROOT.sub(r" the square root of \1 ", formula)
    return _FRACTION.sub(r" \1 over \2 ", formula)


def _power(match: re.Match[str]) -> str:
    exponent = match[1] or match[2]
    return f" {_POWERS[exponent]} " if exponent in _POWERS else f" to the power of {exponent} "

"""Amounts of money: "$2.50" → "two dollars and fifty cents", "3,5 Mio. €" → "3 Komma 5 Millionen Euro"."""

from __future__ import annotations

import re
from functools import cache

from unavoce.text.speech.languages.base import Currency, Language
from unavoce.text.speech.numbers import follows_article, is_one, number_pattern, say_number


def _any(names: list[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or "(?!)"


@cache
def _sign_first(language: Language) -> re.Pattern[str]:
    """Scales of one or two letters stand close ("$5M"), words apart ("$5 million")."""
    letters = _any([scale for scale in language.scales if len(scale) < 3])
    words = _any([scale for scale in language.scales if len(scale) >= 3])
    scale = rf"(?:(?:{letters})(?!\w)| ?(?:{words})(?![\w]))"
    return re.compile(
        rf"(?<![\w$€£])(?P<sign>{_any(list(language.currencies))}) ?"
        rf"(?P<amount>{number_pattern(language)})(?P<scale>{scale})?(?![0-9])"
    )


@cache
def _sign_last(language: Language) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![\w.,$€£])(?P<amount>{number_pattern(language)})(?P<scale> ?(?:{_any(list(language.scales))}))? ?"
        rf"(?P<sign>{_any(list(language.currencies))})(?![\w])"
    )


def read_money(text: str, language: Language) -> str:
    """Every amount with a currency's sign or code, before or after it."""
    for pattern in (_sign_first(language), _sign_last(language)):
        text = pattern.sub(lambda match: _say(match, language), text)
    return text


def _say(match: re.Match[str], language: Language) -> str:
    currency = language.currencies[match["sign"]]
    amount = match["amount"]
    if match["scale"]:
        scale = language.scales[match["scale"].strip()]
        name = _singular(currency) if follows_article(match, language) else currency.of or currency.many
        return f"{say_number(amount, language)} {scale} {name}"
    whole, _, cents = amount.partition(language.decimal_mark)
    if cents and len(cents) != 2:
        return f"{say_number(amount, language)} {currency.many}"
    if not cents and follows_article(match, language):
        return f"{say_number(amount, language)} {_singular(currency)}"
    return _say_exact(whole, cents, currency, language)


def _say_exact(whole: str, cents: str, currency: Currency, language: Language) -> str:
    if not int(cents or "0"):
        return _counted(whole, currency.one, currency.many, language)
    cents = cents.lstrip("0")
    if not int(whole.replace(language.group_mark, "")):
        return _counted(cents, currency.cent_one, currency.cent_many, language)
    major = _counted(whole, currency.one, currency.many, language)
    if "{name}" in language.cents and is_one(cents):
        return language.cents.replace("{cents} {name}", currency.cent_one).format(major=major)
    return language.cents.format(major=major, cents=language.number(cents), name=currency.cent_many)


def _singular(currency: Currency) -> str:
    return currency.one.partition(" ")[2]


def _counted(written: str, one: str, many: str, language: Language) -> str:
    return one if is_one(written) else f"{say_number(written, language)} {many}"

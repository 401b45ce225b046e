"""What only English needs: years, ordinals, "a.m.", "No. 5", "St.", Roman numerals, versions."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

import re

from unavoce.text.speech.abbreviations import ends_sentence
from unavoce.text.speech.languages import english_numbers as words
from unavoce.text.speech.languages.en import ENGLISH, MONTHS
from unavoce.text.speech.numbers import number_pattern, say_number

_MONTH = "|".join(MONTHS)

# Titles, streets and saints -------------------------------------------------------------------------------

_CAPITAL_BEFORE = re.compile(r"(?:[A-Z][a-z]{1,30}|[0-9](?:st|nd|rd|th)) $")
_NO_NAME = re.compile(r"(?:^|[.!?:] )(?:At|In|The|From|To|Near|And|Of|Visit|See|On|By|With|For|Dear|Is|Ask|Call) $")
_SAINT_OR_STREET = re.compile(r"(?<![\w.])(St|Dr)\.(?!\w)")
_SAINTS = re.compile(r" (?:Mary|John|Paul|Peter|Louis|Patrick|George|Andrew|James|Thomas|Petersburg|Joseph|Francis)\b")
_MEANINGS = {"St": ("Street", "Saint"), "Dr": ("Drive", "Doctor")}

_NUMBERED = {
    "No": "number", "no": "number", "Nos": "numbers", "nos": "numbers", "Fig": "figure", "fig": "figure",
    "Figs": "figures", "figs": "figures", "p": "page", "P": "page", "pp": "pages", "ch": "chapter",
    "Ch": "chapter", "vol": "volume", "Vol": "volume", "sec": "section", "Sec": "section", "Eq": "equation",
    "eq": "equation", "Art": "article", "art": "article", "ref": "reference", "Ref": "reference",
}  # fmt: skip
_NUMBERED_MARK = re.compile(rf"(?<![\w.])({'|'.join(sorted(_NUMBERED, key=len, reverse=True))})\. ?(?=[0-9])")


def read_names(text: str) -> str:
    """ "Dr. Smith", "Elm St.", "St. Mary", "No. 5", "Fig. 2"."""
    text = _SAINT_OR_STREET.sub(_saint_or_street, text)
    return _NUMBERED_MARK.sub(_numbered, text)


def _saint_or_street(match: re.Match[str]) -> str:
    """A street or drive follows its name and begins none."""
    before = match.string[max(match.start() - 40, 0) : match.start()]
    after = match.string[match.end() : match.end() + 40]
    is_named = bool(_CAPITAL_BEFORE.search(before)) and not _NO_NAME.search(before)
    name_follows = bool(re.match(r" [A-Z]", after)) and (match[1] == "Dr" or bool(_SAINTS.match(after)))
    street, person = _MEANINGS[match[1]]
    said = street if (is_named and not name_follows) else person
    return f"{said}." if ends_sentence(match) else said


def _numbered(match: re.Match[str]) -> str:
    word = _NUMBERED[match[1]]
    return f"{word.capitalize() if match.start() == 0 else word} "


# Roman numerals -------------------------------------------------------------------------------------------

_MONARCHS = (
    "Henry|Louis|Elizabeth|Edward|George|Charles|James|William|Richard|Philip|Philippe|Napoleon|Catherine|Peter|"
    "Alexander|Nicholas|Frederick|Wilhelm|Francis|Pius|John Paul|Benedict|Leo|Clement|Gregory|Ramesses|Ptolemy|"
    "Ferdinand|Ivan|Mary|Margaret|Haakon|Gustav|Carl|Umberto|Innocent|Urban"
)
_COUNTED = "War|Chapter|Part|Volume|Act|Scene|Book|Section|Type|Phase|Stage|Level|Class|Title|Article|Appendix|Bowl"
_ROMAN = r"(?:X{0,3}(?:IX|IV|V?I{1,3}|V)|X{1,3})"
_MONARCH = re.compile(rf"\b({_MONARCHS}) ({_ROMAN})(?![\w.])(?! (?:am|have|will|think|can|do)\b)")
_COUNTED_ROMAN = re.compile(rf"\b({_COUNTED}) ({_ROMAN})(?![\w.]|\.\w)(?! (?:am|have|will|was|think|can|do)\b)")
_DIGITS = {"I": 1, "V": 5, "X": 10}


def read_roman(text: str) -> str:
    """ "Henry VIII" → "Henry the eighth", "World War II" → "World War two"."""
    text = _MONARCH.sub(lambda match: f"{match[1]} the {words.ordinal(_roman(match[2]))}", text)
    return _COUNTED_ROMAN.sub(lambda match: f"{match[1]} {words.cardinal(_roman(match[2]))}", text)


def _roman(numeral: str) -> int:
    values = [_DIGITS[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))


# Versions -------------------------------------------------------------------------------------------------

_VERSION = re.compile(r"(?<![\w.])(v\.? ?)?([0-9]{1,6}(?:\.[0-9]{1,6}){2,4})(?!\w|\.[0-9])")
_V_VERSION = re.compile(r"(?<![\w.])(?:[Vv]ersion )?[vV](?=[0-9]{1,6}(?:\.[0-9]{1,6}){0,4}(?![\w]))")
_PRODUCT = re.compile(
    r"\b(Python|Node|Java|Ruby|Go|PHP|Rust|Django|Rails|Ubuntu|Debian|Fedora|Android|iOS|macOS|Windows|Firefox|"
    r"Chrome|Kubernetes|Docker|React|Vue|TypeScript|Swift|Kotlin|GCC|LLVM|CUDA|PyTorch|[Vv]ersion|[Rr]elease) "
    r"([0-9]{1,4}(?:\.[0-9]{1,6}){1,3})(?!\w|\.[0-9])"
)


def read_versions(text: str) -> str:
    """ "v1.2.3" → "version one point two point three", "Python 3.11" → "Python three point eleven"."""
    text = _V_VERSION.sub("version ", text)
    text = _PRODUCT.sub(lambda match: f"{match[1]} {_parts(match[2])}", text)
    return _VERSION.sub(lambda match: _parts(match[2]), text)


def _parts(version: str) -> str:
    return " point ".join(words.number(part) for part in version.split("."))


# Dates and times ------------------------------------------------------------------------------------------

_HALF_DAY = re.compile(r"(?<![\w:.])([01]?[0-9](?::[0-5][0-9])?)[ ]?([AaPp])(?:\.[ ]?[Mm]\.?|[Mm])(?!\w)")
_MONTH_DAY = re.compile(
    rf"\b({_MONTH}) ([12][0-9]|3[01]|0?[1-9])(?:st|nd|rd|th)?(?![\w:]|[.,][0-9]{{1,3}}(?![0-9])| ?%|-[0-9])"
)
_DAY_MONTH = re.compile(rf"(\b[Tt]he )?(?<![\w.,:/-])([12][0-9]|3[01]|0?[1-9])(?:st|nd|rd|th)?(?: of)? ({_MONTH})\b")
_DECADE = re.compile(r"(?<![\w.,])['’]?([1-9][0-9]{0,2}0)['’]?s(?!\w)")
_ORDINAL = re.compile(r"(?<![\w.,])([0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:st|nd|rd|th)(?!\w)")
_RATIO = re.compile(r"(?<![\w:.,])([0-9]{1,4}):([0-9]{1,4})(?![\w:]|[.,][0-9])")


def read_half_days(text: str) -> str:
    """ "10 a.m." → "10 A-M", "3:00pm" → "3 P-M": espeak reads a lone "A" as the article and "AM" as a word."""
    return _HALF_DAY.sub(_half_day, text)


def _half_day(match: re.Match[str]) -> str:
    stop = "." if match[0].endswith(".") and ends_sentence(match) else ""
    return f"{match[1].removesuffix(':00')} {match[2].upper()}-M{stop}"


def read_calendar(text: str) -> str:
    """ "November 22" → "November twenty-second", "1980s" → "nineteen eighties", "3rd" → "third"."""
    text = _MONTH_DAY.sub(lambda match: f"{match[1]} {words.ordinal(int(match[2]))}", text)
    text = _DAY_MONTH.sub(_day_month, text)
    text = _DECADE.sub(lambda match: words.decade(int(match[1])), text)
    return _ORDINAL.sub(lambda match: words.ordinal(int(match[1].replace(",", ""))), text)


def _day_month(match: re.Match[str]) -> str:
    return f"{match[1] or 'the '}{words.ordinal(int(match[2]))} of {match[3]}"


def read_ratios(text: str) -> str:
    """ "16:9" → "16 to 9". Times are read before."""
    return _RATIO.sub(r"\1 to \2", text)


# Fractions ------------------------------------------------------------------------------------------------

_DENOMINATORS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 10: "tenth", 16: "sixteenth"}
_MIXED = re.compile(r"(?<![\w.,/])([0-9]{1,3})[ -]([1-9])/([1-9][0-9]?)(?![\w/]|[.,][0-9])")
_MIXED_SIGN = re.compile(r"(?<=[0-9]) ?([½⅓⅔¼¾⅕⅙⅛⅜⅝⅞])")
_SCORE = re.compile(r"(?<![\w.,/])([0-9]{1,3}\.[0-9]{1,3})/([0-9]{1,3})(?![\w/]|[.,][0-9])")
_FRACTION = re.compile(r"(?<![\w.,/])([0-9]{1,3})/([1-9][0-9]{0,2})(?![\w/]|[.,][0-9])")


def read_fractions(text: str) -> str:
    """ "3/4" → "three quarters", "1 1/2" → "1 and a half", "4.5/5" → "4.5 out of 5", "7/24" → "7 over 24"."""
    text = _MIXED_SIGN.sub(lambda match: f" and {_article(ENGLISH.fractions[match[1]])}", text)
    text = _MIXED.sub(lambda match: f"{match[1]} and {_article(_fraction(int(match[2]), int(match[3])))}", text)
    text = _SCORE.sub(r"\1 out of \2", text)
    return _FRACTION.sub(lambda match: _fraction(int(match[1]), int(match[2])), text)


def _article(fraction: str) -> str:
    return "a" + fraction.removeprefix("one") if fraction.startswith("one ") else fraction


def _fraction(top: int, bottom: int) -> str:
    if top == bottom and top in (20, 50):
        return f"{top} {bottom}"
    if bottom in _DENOMINATORS and 0 < top < bottom and (bottom != 10 or top == 1):
        name = _DENOMINATORS[bottom]
        plural = "halves" if name == "half" else f"{name}s"
        return f"{words.cardinal(top)} {name if top == 1 else plural}"
    return f"{top} {'out of' if bottom in (5, 10, 20, 100) else 'over'} {bottom}"


# Marks ----------------------------------------------------------------------------------------------------

_REPLACEMENTS = (
    (re.compile(r"\bC\+\+(?!\w)"), "C plus plus"),
    (re.compile(r"\b([CF])#(?!\w)"), r"\1 sharp"),
    (re.compile(r"(?<!\w)#(?=[A-Za-z])"), "hashtag "),
    (re.compile(r"(?<![\w.])@(?=\w)"), "at "),
    (re.compile(r"(?<=\w)\^2(?!\w)"), " squared"),
    (re.compile(r"(?<=\w)\^3(?!\w)"), " cubed"),
    (re.compile(r"(?<=\w)\^(?=\w)"), " to the power of "),
    (re.compile(r"(?<=[a-z]{2}) > (?=[A-Za-z]{2})"), ", "),  # a path through menus
    (re.compile(r"\bCtrl(?=\+)"), "Control"),
    (re.compile(r"(?<=[A-Za-z])\+(?=[A-Za-z0-9])"), " plus "),
    (re.compile(r"\b([A-D])\+(?![\w+])"), r"\1 plus"),
    (re.compile(r"(?<=[0-9])\+(?![\w+])"), " plus"),
    (re.compile(r"(?<=[0-9])'(?=[0-9]{1,2}\")([0-9]{1,2})\""), r" foot \1"),
    (re.compile(r"(?<=[0-9]) ?(?:x|×) ?(?=[0-9]{3})"), " by "),
    (re.compile(r"(?<=[0-9]) ?x ?(?=[0-9])"), " by "),
    (re.compile(r"(?<=[0-9])x(?!\w)"), " times"),
    (re.compile(r"(?<=[0-9]) ?in\.(?= [a-z])"), " inches"),
    (re.compile(r"(?<=[0-9])( ?)(ft|lbs?|oz|mins?|secs?|hrs?|yd|mi)\.(?= [a-z0-9])"), r"\1\2"),
    (re.compile(r"\b(he/she|she/he|his/her|him/her|yes/no|true/false|on/off|either/or)\b", re.I), None),
    (re.compile(r"\b([A-Z])/([A-Z])\b"), r"\1-\2"),
    (
        re.compile(
            r"(?<=[^\W_])/(?=(?:second|minute|hour|day|night|week|month|year|person|user|seat|token|request|unit|"
            r"item|mile|gallon|pound|litre|liter|kilo|kg|GB|MB)\b)"
        ),
        " per ",
    ),
)


def read_marks(text: str) -> str:
    """C++, C#, hashtags, mentions, "5+", 1920x1080, "10x", "he/she", "/month"."""
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement or _either, text)
    return text


def _either(match: re.Match[str]) -> str:
    return match[0] if match[0].lower() == "either/or" else match[0].replace("/", " or ")


# Whole numbers --------------------------------------------------------------------------------------------

_NUMBER = re.compile(rf"(?<![\w.])({number_pattern(ENGLISH)})(?!\w|\.[0-9])")
_YEAR = re.compile(r"1[0-9]{3}|20[0-9]{2}")
_YEAR_BEFORE = re.compile(r"\b(?:in|since|year|circa|until|till|during) $", re.I)
_COUNTED_AFTER = re.compile(
    r" (?!(?:was|is|has|as|this|does|its|us|plus|versus|minus|times|less|always|perhaps|species)\b)"
    r"(?:[a-z]{2,30}s|people|men|women|children|percent|feet|sheep|fish|species)\b"
)


def read_numbers(text: str) -> str:
    """Every number that is left, in words; four digits as a year unless they count something."""
    return _NUMBER.sub(_number, text)


def _number(match: re.Match[str]) -> str:
    """Capitalised at the start; "1,2" is a list and gets its space."""
    spoken = words.year(int(match[1])) if _is_year(match) else say_number(match[1], ENGLISH)
    if not match.start():
        return spoken[0].upper() + spoken[1:]
    return f" {spoken}" if match.string[match.start() - 1] == "," else spoken


def _is_year(match: re.Match[str]) -> bool:
    if not _YEAR.fullmatch(match[1]):
        return False
    before = match.string[max(match.start() - 12, 0) : match.start()]
    if _YEAR_BEFORE.search(before):
        return True
    return match[1] >= "1100" and not _COUNTED_AFTER.match(match.string, match.end())

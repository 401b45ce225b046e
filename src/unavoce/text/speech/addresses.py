"""URLs, e-mail and IP addresses, file names and phone numbers, as a person gives them out."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)

from __future__ import annotations

import re

from unavoce.text.speech.languages.base import Language

_TOP = "com|org|net|io|dev|ai|app|edu|gov|info|uk|de|fr|es|nl|eu|ch|ca|pl|ru|jp|cn|xyz|blog|cloud|tv"
_FILES = (
    "py|js|ts|jsx|tsx|mjs|json|jsonl|toml|yaml|yml|md|txt|csv|tsv|html|htm|css|scss|xml|pdf|png|jpg|jpeg|gif|svg|"
    "webp|wav|mp3|ogg|flac|mp4|mkv|zip|tar|gz|exe|dll|so|sh|bat|ps1|cpp|hpp|rs|go|java|kt|swift|rb|php|lua|"
    "sql|db|log|ini|cfg|conf|env|lock|docx|xlsx|pptx|ipynb|onnx|gguf|whl|deb|rpm|iso"
)
_TAIL = r"[^\s<>\"\])}|]{0,2000}"
_URL = re.compile(r"(?<![\w@])(?:(?:https?|ftp|wss?)://|www\.)" + _TAIL, re.I)
_DOMAIN = re.compile(
    rf"(?<![\w@./-])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,4}}(?:{_TOP})(?![\w-]|\.\w)(?::[0-9]{{1,5}})?(?:/{_TAIL})?"
)
_EMAIL = re.compile(r"(?<![\w.+-])([A-Za-z0-9][\w.+-]{0,63})@([A-Za-z0-9][\w-]{0,62}(?:\.[\w-]{1,63}){1,4})")
_IP = re.compile(r"(?<![\w.])([0-9]{1,3}(?:\.[0-9]{1,3}){3})(?::([0-9]{1,5}))?(?![\w]|\.[0-9])")
_PATH = re.compile(
    rf"(?<![\w./~-])(?:[\w-][\w.-]{{0,60}}/){{1,8}}[\w.-]{{1,60}}\.(?:{_FILES})(?!\w)"
    r"|(?<![\w./-])~?(?:/[\w.-]{1,60}){2,8}/?"
)
_FILE = re.compile(
    rf"(?<![\w./-])[A-Za-z_][\w-]{{0,60}}(?:\.[\w-]{{1,30}}){{0,2}}\.(?:{_FILES})(?!\w)"
    r"|(?<![\w./-])[A-Za-z_][\w-]{2,60}\.[ch](?![\w.])"  # three letters, so that "d.h." is no header file
)
_DOT_FILE = re.compile(r"(?<![\w.])\.(?=[A-Za-z]{2,30}\b)")
_PHONE = re.compile(
    r"(?<![\w+.-])\+[0-9]{1,3}(?:[ .-]?\(?[0-9]{1,4}\)?){2,6}(?!\w)"
    r"|(?<![\w.-])(?:1[ .-])?\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}(?!\w|-)"
)
_LOCAL_PHONE = re.compile(r"(?:(?<=[Cc]all )|(?<=[Dd]ial )|(?<=[Pp]hone )|(?<=[Tt]el\. ))[0-9]{3}-[0-9]{4}(?![\w-])")
_LOCAL_HOST = re.compile(r"(?<![\w.])localhost:([0-9]{1,5})(?![\w])")
_CLOSING = ".,;:!?'’”»*_"
_HASH_LIKE = re.compile(r"%|=|[0-9]{6}|[0-9a-f]{12}|^.{32}")
_WORD_BREAK = re.compile(r"[-_+]{1,9}")
_GROUP = re.compile(r"[0-9]{1,20}")


def read_addresses(text: str, language: Language | None) -> str:
    """Addresses in words; where a language has no words for their marks, a URL is shortened to its host."""
    if language is None:
        return _URL.sub(_host_only, text)
    text = _URL.sub(lambda match: _url(match[0], language), text)
    text = _EMAIL.sub(lambda match: _email(match, language), text)
    text = _DOMAIN.sub(lambda match: _url(match[0], language), text)
    text = _IP.sub(lambda match: _ip(match[1], match[2], language), text)
    text = _LOCAL_HOST.sub(lambda match: f"localhost{_port(match[1], language)}", text)
    text = _PATH.sub(lambda match: _file(match[0], language), text)
    text = _FILE.sub(lambda match: _file(match[0], language), text)
    text = _DOT_FILE.sub(f"{language.addresses.dot} ", text)
    text = _PHONE.sub(lambda match: _phone(match[0], language), text)
    return _LOCAL_PHONE.sub(lambda match: _phone(match[0], language), text)


def say_digits(digits: str, language: Language) -> str:
    """One by one: "042" → "zero four two"."""
    return " ".join(language.number(digit) for digit in digits)


def _split_tail(address: str) -> tuple[str, str]:
    """The address and the punctuation of the sentence it stands in."""
    bare = address.rstrip(_CLOSING)
    return bare, address[len(bare) :]


def _host_only(match: re.Match[str]) -> str:
    bare, tail = _split_tail(match[0])
    return _parts(bare)[0] + tail


def _parts(address: str) -> tuple[str, str]:
    """Host (with its port) and first part of the path, if a person would say it."""
    rest = address.partition("://")[2] or address
    for end in "?#":
        rest = rest.partition(end)[0]
    host, _, path = rest.partition("/")
    first = path.partition("/")[0]
    return host.lower().removeprefix("www."), "" if _HASH_LIKE.search(first) else first


def _url(address: str, language: Language) -> str:
    bare, tail = _split_tail(address)
    host, first = _parts(bare)
    name, _, port = host.partition(":")
    if _IP.fullmatch(name):
        spoken = _ip(name, None, language)
    else:
        spoken = name.replace(".", f" {language.addresses.dot} ").replace("-", f" {language.addresses.dash} ")
    spoken += _port(port, language) if port.isdecimal() else ""
    if first:
        words = _WORD_BREAK.sub(" ", first.lstrip("@~")).replace(".", f" {language.addresses.dot} ")
        spoken += f" {language.addresses.slash} {words}"
    return spoken + tail


def _email(match: re.Match[str], language: Language) -> str:
    marks = language.addresses
    said = {".": marks.dot, "_": marks.underscore, "-": marks.dash, "+": marks.plus}
    user, host = ("".join(f" {said[c]} " if c in said else c for c in part) for part in match.groups())
    return f"{user} {marks.at} {host}"


def _ip(address: str, port: str | None, language: Language) -> str:
    octets = (say_digits(octet, language) for octet in address.split("."))
    return f" {language.addresses.dot} ".join(octets) + (_port(port, language) if port else "")


def _port(port: str, language: Language) -> str:
    return f" {language.addresses.port} {say_digits(port, language)}"


def _file(name: str, language: Language) -> str:
    marks = language.addresses
    words = _WORD_BREAK.sub(" ", name.rstrip("./").replace("~", " "))
    tail = "." if name.endswith(".") else ""
    return words.replace("/", f" {marks.slash} ").replace(".", f" {marks.dot} ").strip() + tail


def _phone(number: str, language: Language) -> str:
    groups = ", ".join(say_digits(group, language) for group in _GROUP.findall(number))
    return f"{language.addresses.plus} {groups}" if number.startswith("+") else groups

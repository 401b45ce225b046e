"""Options and names that engines around a server share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr

from unavoce.engines.remote import URL_PATTERN
from unavoce.errors import EngineUnavailable

_URL: Final = re.compile(URL_PATTERN)
UNNAMED: Final = "default"
"""How the default voice is called until the server has said its name."""
_MOST_NAMES: Final = 20
_LONGEST_NAME: Final = 60


def _server_url(url: str) -> str:
    if not _URL.fullmatch(url):
        raise ValueError("an address such as http://127.0.0.1:5000, without ? and #")
    return url


ServerUrl = Annotated[str, AfterValidator(_server_url)]


def _fits_a_header(key: SecretStr) -> SecretStr:
    value = key.get_secret_value()
    if not (value.isascii() and value.isprintable() and value.strip() == value):
        raise ValueError("a key: visible ASCII characters (a line break or a space came along, perhaps)")
    return key


ApiKey = Annotated[SecretStr, AfterValidator(_fits_a_header)]


def secret(key: SecretStr | None) -> str:
    return key.get_secret_value() if key else ""


def fingerprint(*parts: str) -> str:
    """What changes the sound and has no field of its own in a voice; empty parts are left out."""
    return ";".join(filter(None, parts))


def unknown_voice(wanted: str, known: Iterable[str], where: str, entry: str) -> EngineUnavailable:
    """A configured voice that is not there. The message names those that are; `wanted` empty: none was chosen."""
    names = sorted(known)
    shown = ", ".join(name[:_LONGEST_NAME] for name in names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    fault = f"has no voice {wanted!r}" if wanted else "has several voices, and none was chosen"
    return EngineUnavailable(f"{where} {fault}; remedy: set {entry} to one of {shown}{more}")

"""A digest of an engine's section of the settings, which tells whether it has changed. No secret goes into it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from unavoce.settings.explain import is_secret

_LOGIN = re.compile(r"(?<=://)[^\s/?#]*@")
"""The name and password that may stand in an address."""


def section_digest(section: Mapping[str, object]) -> str:
    """SHA-256 (hex) of all but the secrets. `1.5` and the `"1.5"` of an environment variable are the same."""
    plain = json.dumps(_plain(section), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items() if not is_secret(str(key))}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    return _LOGIN.sub("", str(value))

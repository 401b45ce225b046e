"""What all users of espeak in this process must share."""

from __future__ import annotations

import re
import threading

ESPEAK = threading.Lock()
"""espeak has one voice per process: choosing it and reading a text belong together."""

_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_BRACKETS = re.compile(r"([\[\]])\1+")


def harmless(spoken: str) -> str:
    """`spoken` without what espeak cannot take and without `[[`, which would be read as raw phonemes."""
    return _BRACKETS.sub(r"\1", _UNSPEAKABLE.sub(" ", spoken))

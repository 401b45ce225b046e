"""What a clip is kept under: a digest of everything that changes the sound. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple

from unavoce.engines.base import Voice
from unavoce.text.spoken import NORMALISER_VERSION

FORMAT = 1
"""Raised when clips already kept must not be served any more."""


def key_of(voice: Voice, spoken: str) -> str:
    """SHA-256 (hex) of the voice, the spoken text with white space folded and letter case kept, and what made it."""
    folded = " ".join(spoken.split())
    content = json.dumps([FORMAT, NORMALISER_VERSION, *astuple(voice), folded], ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()

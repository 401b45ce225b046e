"""A page with the real player, on a server that delivers what a test says (tests/browser/player_page.js)."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unavoce.audio.wav import wav_bytes
from unavoce.web.files import FOLDER

_HERE = Path(__file__).parents[1] / "browser"
RATE_HZ = 24_000
FRONT = """<!doctype html><title>Test</title><link rel="icon" href="/icon">
<script type="module" src="/page.js"></script>
<button>Unlock</button><output></output>"""
PLAYER = {f"player/{path.name}": path.read_text() for path in (FOLDER / "player").glob("*.js")}
PAGES = {"": FRONT, "page.js": (_HERE / "player_page.js").read_text(), **PLAYER}


def packed(samples: NDArray[np.int16]) -> str:
    """A WAV file in base64."""
    return base64.b64encode(wav_bytes(samples, RATE_HZ)).decode()

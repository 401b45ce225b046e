"""Runs the real xtts-api-server on a port of this machine, without what it needs a sound card or ffmpeg for.

Run by the Python of `.venv-xtts`: `api_server.py PORT`, with the server's own variables.
"""

from __future__ import annotations

import sys
from types import ModuleType

import codec
import uvicorn


def nothing(*_: object) -> None:
    raise RuntimeError("there is no sound card here")


player = ModuleType("xtts_api_server.RealtimeTTS")
player.TextToAudioStream = player.CoquiEngine = nothing  # type: ignore[attr-defined]
sys.modules[player.__name__] = player
codec.use_soundfile()

from xtts_api_server.server import app  # noqa: E402 - it loads the model

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]))

"""Runs coqui-tts's real `tts-server` without ffmpeg, which its OpenAI-style route reads its own sound with.

Run by the Python of `.venv-xtts`, with the arguments of `tts-server`.
"""

from __future__ import annotations

import codec

codec.use_soundfile()

from TTS.server.server import main  # noqa: E402 - it loads the model

main()

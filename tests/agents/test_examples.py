"""The examples of docs/agents.md, run as a user runs them, against a server with the packaged voice."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from tests.support.server import serving_process

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("example", ["livekit_agent.py", "pipecat_bot.py"])
def test_an_agents_answer_becomes_a_file(example: str, tmp_path: Path) -> None:
    """The file holds seconds of speech, at the rate that the framework was told."""
    answer = tmp_path / "answer.wav"
    with serving_process(tmp_path, UNAVOCE_PREWARM_PHRASES="") as url:
        command = [sys.executable, str(EXAMPLES / example), str(answer), url]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    with wave.open(str(answer)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert 4 < len(samples) / 24_000 < 12
    assert np.abs(samples).max() > 3000

"""`unavoce serve` as people run it, with its own voice, asked by the official client: the right words in any format."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.decoders import FORMATS, RATE_HZ, decoded
from tests.support.hearing import word_error_rate
from tests.support.openai_client import asking, said
from tests.support.server import real_server

__all__ = ["real_server"]
"""A fixture, found by its name in this module."""

TEXT = "Good evening, sir. Dinner will be served at eight in the blue room."


@pytest.mark.parametrize("format", FORMATS)
async def test_piper_is_understood(real_server: str, format: str) -> None:
    """A recogniser hears what was said, whatever the sound came as."""
    async with asking(real_server) as client:
        sound = decoded(format, await said(client, TEXT, response_format=format))
    assert 2.0 < len(sound) / RATE_HZ < 10.0
    samples = (sound * 32767).clip(-32768, 32767).astype(np.int16)
    assert word_error_rate(TEXT, samples, RATE_HZ) <= 0.15

"""A page in a browser cannot speak through the Wyoming door, though it can send bytes there."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.support.server import PATIENCE_S
from tests.support.wyoming import door, place, talking

SYNTHESIZE = b'\n{"type": "synthesize", "data": {"text": "Good evening."}}\n'


@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
async def test_a_request_over_http_is_no_event(data_dir: Path, method: str) -> None:
    """Its first line cannot be read, so nothing after it is, whatever its body holds; another client is served."""
    async with door(data_dir) as server:
        host, port = place(server.app.wyoming)
        asked = len(server.chain.members[0].tally.failures), server.chain.members[0].tally.clips
        async with httpx.AsyncClient(timeout=PATIENCE_S) as page:
            with pytest.raises(httpx.HTTPError):
                await page.request(method, f"http://{host}:{port}/", content=SYNTHESIZE * 3)
        assert (len(server.chain.members[0].tally.failures), server.chain.members[0].tally.clips) == asked
        assert server.app.chat.running == 0
        async with talking(server) as talker:
            heard = await talker.say("Good evening.")
            assert heard.codes == []

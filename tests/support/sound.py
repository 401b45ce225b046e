"""What a page plays, sample by sample, as it goes to the sound card.

`tests/browser/listen_in.js` puts itself before the destination of every AudioContext; the worklet it needs comes from
an address of the page's own origin that only exists here, so that the page's Content-Security-Policy stays on.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page

SCRIPTS = Path(__file__).parents[1] / "browser"
TAP = (SCRIPTS / "tap.js").read_text()
LISTEN_IN = (SCRIPTS / "listen_in.js").read_text()
PATIENCE_S = 20.0
"""How long a test waits for what must come in a browser before it fails; far more than anything takes."""
QUIET = 1e-4
"""Below this (full scale is 1) nothing is heard."""

Sampled = NDArray[np.float32]


async def listen_in(page: Page) -> Sound:
    """The sound of a page, from its next load on."""
    session = await page.context.new_cdp_session(page)

    async def answer(paused: dict[str, Any]) -> None:
        head = [{"name": "content-type", "value": "text/javascript"}]
        script = base64.b64encode(TAP.encode()).decode()
        fields = {"requestId": paused["requestId"], "responseCode": 200, "responseHeaders": head, "body": script}
        await session.send("Fetch.fulfillRequest", fields)

    session.on("Fetch.requestPaused", answer)
    # Playwright's own `route` never sees a worklet's module, and would turn the browser's cache off.
    await session.send("Fetch.enable", {"patterns": [{"urlPattern": "*/listen-in/tap.js"}]})
    await page.add_init_script(LISTEN_IN)
    return Sound(page)


@dataclass(frozen=True, slots=True)
class Gesture:
    """A key, click or touch, and the sample that was being played at that moment."""

    type: str
    key: str | None
    at: int


class Evaluates(Protocol):
    """A page of any browser."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of a page since it was loaded: that of its last AudioContext, where there was more than one."""

    page: Evaluates

    async def samples(self) -> Sampled:
        """All samples so far, by the clock of the page's AudioContext; mono float, full scale is 1."""
        packed = await self.page.evaluate("() => listenIn.samples()")
        return np.frombuffer(base64.b64decode(packed), dtype=np.float32)

    async def rate_hz(self) -> int:
        rate: int = await self.page.evaluate("() => listenIn.rateHz()")
        return rate

    async def states(self) -> list[str]:
        """Of each AudioContext of the page."""
        found: list[str] = await self.page.evaluate("() => listenIn.states()")
        return found

    async def gestures(self) -> list[Gesture]:
        found: list[dict[str, Any]] = await self.page.evaluate("() => listenIn.gestures")
        return [Gesture(**one) for one in found]

    async def left_at(self) -> int:
        """The sample that was being played when the page was left for this one, as by a reload; from the first that was
        not silence."""
        sample: int = await self.page.evaluate("() => listenIn.leftAt")
        return sample

    async def heard(self, length: int = 1) -> None:
        """Returns when `length` samples that are not silence have been played since the page was loaded."""
        async with asyncio.timeout(PATIENCE_S):
            await self.page.evaluate("length => listenIn.heard(length)", length)

    async def played(self, length: int) -> None:
        """Returns when `length` samples have been played since the page was loaded, silent or not."""
        async with asyncio.timeout(PATIENCE_S):
            await self.page.evaluate("length => listenIn.played(length)", length)

    async def passed(self, length: int) -> None:
        """Returns when `length` more samples have been played, silent or not."""
        async with asyncio.timeout(PATIENCE_S):
            await self.page.evaluate("length => listenIn.passed(length)", length)


def heard_part(samples: Sampled) -> Sampled:
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    return samples[loud[0] : loud[-1] + 1] if loud.size else samples[:0]


def place_of(wanted: Sampled, played: Sampled) -> int:
    """Where in `played` the sound `wanted` begins, by correlation over its first half second at 8 kHz or more."""
    head = wanted[:4096].astype(np.float64)
    size = 1 << (played.size + head.size).bit_length()
    spectrum = np.fft.rfft(played, size) * np.conj(np.fft.rfft(head, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: played.size]))


def as_played(samples: NDArray[np.int16]) -> Sampled:
    """Whole numbers as a browser's decoder has them."""
    return samples.astype(np.float32) / np.float32(32768)


def as_sent(samples: Sampled) -> NDArray[np.int16]:
    """The other way round."""
    return np.clip(np.round(samples * 32_768), -32_768, 32_767).astype(np.int16)

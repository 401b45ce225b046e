"""The tests' own instruments: a page's sound is heard to the sample, and what should not happen is seen."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tests.browser.conftest import Visiting
from tests.support.bidi import Bidi
from tests.support.firefox import visiting_firefox
from tests.support.pages import serving_pages
from tests.support.sound import heard_part

# Plays 2,400 samples that rise from 1/24000 on, when the button is pressed.
PLAYS = """
const context = new AudioContext({ sampleRate: 24000 });
const output = document.querySelector("output");
output.textContent = context.state;
context.addEventListener("statechange", () => { output.textContent = context.state; });
document.querySelector("button").addEventListener("click", async () => {
  await context.resume();
  const buffer = context.createBuffer(1, 2400, 24000);
  buffer.copyToChannel(Float32Array.from({ length: 2400 }, (_, number) => (number + 24) / 24000), 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start(context.currentTime + 0.02);
});
"""
PAGE = """<!doctype html><title>Test</title><link rel="icon" href="/icon"><script type="module" src="/page.js"></script>
<button>Play</button><output></output>"""

RISING = (np.arange(2400, dtype=np.float32) + 24) / np.float32(24000)


async def test_sound_is_heard_to_the_sample(visit: Visiting) -> None:
    """The samples that a page plays are the samples that are heard."""
    async with serving_pages({"": PAGE, "page.js": PLAYS}) as url, visit(url) as someone:
        await someone.page.get_by_role("button").click()
        await someone.sound.heard(2400)
        heard = heard_part(await someone.sound.samples())
        assert np.array_equal(heard, RISING)
        assert await someone.sound.rate_hz() == 24_000


async def test_no_sound_before_a_gesture(visit: Visiting) -> None:
    """A context made without a gesture stands still until there is one, as the browser's rule has it."""
    async with serving_pages({"": PAGE, "page.js": PLAYS}) as url, visit(url) as someone:
        await someone.seen("document.querySelector('output')?.textContent === 'suspended'")
        await someone.page.get_by_role("button").click()
        await someone.page.get_by_text("running").wait_for()


async def test_firefox_is_heard_to_the_sample(firefox: Bidi) -> None:
    """So are those of a page in Firefox, which also waits for a gesture."""
    async with serving_pages({"": PAGE, "page.js": PLAYS}) as url, visiting_firefox(firefox, url) as someone:
        await someone.page.seen("document.querySelector('output')?.textContent === 'suspended'")
        await someone.page.click("button")
        await someone.sound.heard(2400)
        heard = heard_part(await someone.sound.samples())
        assert np.array_equal(heard, RISING)


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("location.href = 'http://127.0.0.1:9/'", "asked http://127.0.0.1:9/"),
        ("fetch('http://127.0.0.1:9/')", "policy: connect-src http://127.0.0.1:9/"),
        ("new Image().src = 'https://example.com/a.png'", "asked https://example.com/a.png"),
        ("document.body.innerHTML = '<b>x</b>'", "TrustedHTML"),
        ("eval('1')", "unsafe-eval"),
        ("console.error('wrong')", "wrong"),
        ("throw new Error('thrown')", "thrown"),
        ("Promise.reject(new Error('refused'))", "refused"),
    ],
)
async def test_what_should_not_happen_is_seen(visit: Visiting, script: str, fault: str) -> None:
    """Errors, breaches of the policy and requests elsewhere end a test as failed."""
    page = PAGE.replace("<output>", "<output>ready")
    async with serving_pages({"": page, "page.js": script}) as url, visit(url) as someone:
        await someone.watch.until(lambda: any(fault in one for one in someone.watch.faults))
        with pytest.raises(AssertionError, match=re.escape(fault)):
            someone.watch.check()
        someone.watch.foresee("")

"""The sentence that is being spoken is marked: by what is heard, not by what has arrived."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

from tests.browser.conftest import Visiting
from tests.support.client import decoded, listening
from tests.support.noise import noise_engine
from tests.support.person import heard_to_its_end, replies
from tests.support.server import RATE_HZ, ScriptedModel, running_server
from tests.support.talking import say

SENTENCES = ["The first one is short. ", "The **second** sentence has more words in it. ", "A third one ends it."]
SHOWN = ["The first one is short.", "The second sentence has more words in it.", "A third one ends it."]
NEAR = RATE_HZ * 2 // 5
"""Samples between a sentence's beginning and its mark: a frame or two of the screen, on a busy machine more."""

# Notes each change of the mark, with the sample that is being played.
NOTE = """() => {
  window.marks = [];
  const textOf = ({ startContainer, startOffset, endContainer, endOffset }) => {
    const range = new Range();
    range.setStart(startContainer, startOffset);
    range.setEnd(endContainer, endOffset);
    return String(range);
  };
  const look = () => {
    const text = [...(CSS.highlights.get("spoken") ?? [])].map(textOf).join("").trim();
    if (text !== (marks.at(-1)?.[0] ?? "")) marks.push([text, listenIn.now()]);
    requestAnimationFrame(look);
  };
  look();
}"""


async def test_the_mark_follows_the_sound(visit: Visiting, data_dir: Path) -> None:
    """Each sentence is marked when its sound begins, though all of it arrived at once, and none when it is over."""
    model = ScriptedModel(otherwise=SENTENCES)
    async with running_server(data_dir, model=model, engine=noise_engine(0.03)) as server:
        async with listening(server.url) as listener:
            _, reply = await listener.say("Talk")
            await listener.end(reply)
            lengths = [decoded(chunk).size for chunk in listener.chunks(reply)]
        async with visit(server.url) as someone:
            await someone.page.evaluate(NOTE)
            await say(someone.page, "Talk")
            await heard_to_its_end(replies(someone.page).first)
            marks = await someone.page.evaluate("() => marks")
            began = await someone.page.evaluate("() => listenIn.began()")
    assert [text for text, _ in marks] == [*SHOWN, ""]
    for (text, at), begins in zip(marks, accumulate(lengths, initial=began), strict=True):
        assert abs(at - begins) < NEAR, text

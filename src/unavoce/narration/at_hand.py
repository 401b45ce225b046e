"""Clips at hand, in voices whose engines cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence

from unavoce.chain.cast import Cast
from unavoce.engines.base import Voice
from unavoce.narration.script import Line, Script
from unavoce.narration.stage import Stage
from unavoce.narration.synthesis import Claim

WHOLE_REPLY = 32
"""Sentences of a reply that is looked for as a whole in the voice of an engine that rests: its clips are in memory
together."""


async def take_up_whole_reply(stage: Stage, cast: Cast, script: Script) -> bool:
    """Before anything was heard: where every sentence is known and at hand in an earlier voice of the chain, the whole
    reply is heard in that voice. A first sentence alone never decides for a voice that cannot go on."""
    if cast.begun or not script.ended or len(script.lines) > WHOLE_REPLY:
        return False
    audible, lines = cast.audible, list(script.lines)
    for voice in audible[: audible.index(cast.voice)]:
        claims = await _all_at_hand(stage, voice, lines)
        # Meanwhile something may have been heard, or a line parted.
        if claims and not cast.begun and lines == script.lines:
            script.withdraw(f"the whole reply is at hand, spoken by {voice.engine}")
            for line, claim in zip(lines, claims, strict=True):
                line.take_up(claim)
            return True
    return False


async def recall_line(stage: Stage, cast: Cast, line: Line) -> bool:
    """No engine can say `line`: whether it is at hand in a voice that may be heard, and so will be."""
    for voice in cast.audible:
        claim = await stage.recall(voice, line.to_say)
        if claim is not None:
            line.take_up(claim)
            return True
    return False


async def _all_at_hand(stage: Stage, voice: Voice, lines: Sequence[Line]) -> list[Claim]:
    """Claims on the clips of all the lines in `voice`; none where one of them is not at hand."""
    claims: list[Claim] = []
    for line in lines:
        claim = await stage.recall(voice, line.to_say)
        if claim is None:
            return []
        claims.append(claim)
    return claims

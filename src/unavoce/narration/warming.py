"""Warming: what is sure to be said, and what is often said, is made before anybody asks for it.

One clip at a time, only while no reply is under way, last in line for every slot: a listener never waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal

from unavoce.engines.base import Voice
from unavoce.errors import EngineError
from unavoce.narration.plan import longest_sentence
from unavoce.narration.stage import Stage
from unavoce.narration.upkeep import GaveWay
from unavoce.text import SentenceStream

log = logging.getLogger(__name__)

Outcome = Literal["warmed", "present", "failed"]

LEAST_SAID: Final = 3
"""Times a sentence is said before it counts as frequent."""
FREQUENT_EVERY_S: Final = 60.0
"""How often is looked for frequent sentences that the first voice has not said yet."""
FORGIVEN: Final = 256
"""Texts remembered as ones that the first voice could not say; they are not tried again."""


def voices_to_warm(stage: Stage) -> tuple[Voice, ...]:
    """The voice that speaks where nobody asks for another, and those that speak when it cannot, in that order."""
    return stage.chain.casting(stage.chain.find_voice(None)).voices


def sentences_of(phrase: str, voices: Sequence[Voice], stage: Stage) -> list[str]:
    """What a reply with this text would ask the engines for: the spoken form of each of its sentences, and of the
    pieces of long ones, since how fast the reply will come is not known."""
    longest = longest_sentence(stage.chain.engine(voice.engine) for voice in voices)
    found: dict[str, None] = {}
    for take in (None, lambda _offer: True):
        stream = SentenceStream(voices[0].language, longest, take)
        found |= {sentence.spoken: None for sentence in (*stream.feed(phrase), *stream.end())}
    return list(found)


async def warm(stage: Stage, voice: Voice, sentences: Sequence[str]) -> Outcome:
    """Have every sentence of a phrase ready in `voice`, whenever it is quiet. Raises EngineError."""
    outcome: Outcome = "present"
    for spoken in sentences:
        if await _when_quiet(stage, voice, spoken, phrase=True) == "warmed":
            outcome = "warmed"
    return outcome


async def _when_quiet(stage: Stage, voice: Voice, spoken: str, *, phrase: bool) -> Literal["warmed", "present"]:
    while True:
        await stage.quiet()
        try:
            return await stage.warm(voice, spoken, phrase=phrase)
        except GaveWay:
            continue


class Warmer:
    """`phrases` are warmed for every engine as soon as it can speak, `delay_s` after the start at the earliest;
    `frequent` sentences of real replies are kept warm as well."""

    def __init__(self, stage: Stage, phrases: Sequence[str], *, delay_s: float, frequent: int = 0) -> None:
        self._stage = stage
        self._phrases = phrases
        self._delay_s = delay_s
        self._frequent = frequent
        self._refused: set[str] = set()
        self._change = asyncio.Event()

    async def run(self) -> None:
        """For ever; in a task of the owner's."""
        self._stage.chain.watch(lambda _: self._change.set())
        await asyncio.sleep(self._delay_s)
        await self._stage.cache.load_frequent(self._frequent, LEAST_SAID)
        await self._load_phrases()
        pending = [engine.name for engine in self._stage.chain.engines] if self._phrases else []
        while True:
            self._change.clear()
            for name in tuple(pending):
                if self._can_speak(name) and await self._warm_all(name):
                    pending.remove(name)
            await self._warm_frequent()
            await self._wait()

    def _can_speak(self, name: str) -> bool:
        status = self._stage.chain.status(name)
        return status.status != "down" and any(voice.engine == name for voice in voices_to_warm(self._stage))

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(FREQUENT_EVERY_S):
                await self._change.wait()
        except TimeoutError:
            return

    # -- phrases

    async def _load_phrases(self) -> None:
        """What is on disk moves to memory, whether or not its engine can speak."""
        voices = voices_to_warm(self._stage)
        for phrase in self._phrases:
            for spoken in sentences_of(phrase, voices, self._stage):
                for voice in voices:
                    await self._stage.cache.fetch(voice, spoken)

    async def _warm_all(self, name: str) -> bool:
        """Every phrase in an engine's voice; False where the engine fell meanwhile, so that it is to be done again."""
        outcomes: dict[str, int] = {"warmed": 0, "present": 0, "failed": 0}
        async for outcome in self._outcomes(name):
            outcomes[outcome] += 1
            if outcome == "failed" and not self._can_speak(name):
                break
        log.info("phrases_warmed", extra={"engine": name, **outcomes})
        return self._can_speak(name)

    async def _outcomes(self, name: str) -> AsyncIterator[Outcome]:
        for number, phrase in enumerate(self._phrases):
            voices = voices_to_warm(self._stage)
            voice = next((voice for voice in voices if voice.engine == name), None)
            if voice is None:
                return
            try:
                yield await warm(self._stage, voice, sentences_of(phrase, voices, self._stage))
            except EngineError as error:
                log.warning("phrase_not_warmed", extra={"engine": name, "phrase": number, "reason": str(error)})
                yield "failed"

    # -- what is often said

    async def _warm_frequent(self) -> None:
        """The first voice learns what others say in its place, unless its maker charges for it."""
        voice = voices_to_warm(self._stage)[0]
        if not self._can_speak(voice.engine) or self._stage.chain.engine(voice.engine).cost_per_million_characters:
            return
        for spoken in self._stage.frequent.often(self._frequent, LEAST_SAID):
            if spoken in self._refused:
                continue
            try:
                await _when_quiet(self._stage, voice, spoken, phrase=False)
            except EngineError as error:
                log.warning("frequent_sentence_not_warmed", extra={"engine": voice.engine, "reason": str(error)})
                self._refuse(spoken)
                return

    def _refuse(self, spoken: str) -> None:
        if len(self._refused) >= FORGIVEN:
            self._refused.clear()
        self._refused.add(spoken)

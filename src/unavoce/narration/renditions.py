"""Sentences as they left before: a clip at hand that was heard already is neither shaped nor encoded again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from unavoce.cache.kept import Which
from unavoce.engines.base import Voice
from unavoce.narration.encoder import Encoded, Form

RENDITIONS_SHARE = 4
"""A quarter of what clips in memory may take, beside them: the forms that leave again and again are few."""
OVERHEAD = 1024
"""Bytes a sentence takes beside its sound, about."""


class Look(NamedTuple):
    """Everything that decides how a clip leaves."""

    voice: Voice
    spoken: str
    gain: float | None
    """The voice's; None: the clip's own, since the voice's is not known yet."""
    pause_s: float
    rate_hz: int
    form: Form


class Renditions:
    """Shared by all replies; the least recently used go first. `max_bytes` 0 keeps nothing.

    Sound is handed out as it is kept: nobody may change its samples.
    """

    def __init__(self, max_bytes: int = 0) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Look, tuple[Encoded, ...]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        return self._bytes

    def get(self, look: Look) -> Sequence[Encoded] | None:
        """The chunks' sound, in order; they are now the most recently used."""
        found = self._kept.get(look)
        if found is not None:
            self._kept.move_to_end(look)
        return found

    def put(self, look: Look, sounds: Sequence[Encoded]) -> None:
        """Keep how a whole sentence left, unless that is larger than everything kept may be, or an encode had failed:
        then the next time is another try."""
        self._remove(look)
        if _size(sounds) > self._max_bytes or any(sound.content_type != look.form.content_type for sound in sounds):
            return
        for sound in sounds:
            sound.samples.flags.writeable = False
        self._kept[look] = tuple(sounds)
        self._bytes += _size(sounds)
        while self._bytes > self._max_bytes:
            self._remove(next(iter(self._kept)))

    def clear(self, which: Which) -> None:
        """Forget how the clips left that fit; when they were made is not known here, so all ages do."""
        for look in [look for look in self._kept if replace(which, made_before=None).fits(*_whose(look.voice))]:
            self._remove(look)

    def _remove(self, look: Look) -> None:
        self._bytes -= _size(self._kept.pop(look)) if look in self._kept else 0


def _whose(voice: Voice) -> tuple[str, str, float]:
    return voice.engine, voice.name, 0.0


def _size(sounds: Sequence[Encoded]) -> int:
    return OVERHEAD + sum(len(sound.data) + sound.samples.nbytes for sound in sounds)

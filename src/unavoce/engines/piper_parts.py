"""The parts of a Piper model, and what has to be known to compute with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unavoce.engines.piper_spans import Level


@dataclass(frozen=True, slots=True)
class Flow:
    """What stands between encoder and decoder: convolutions over frames, so that it, too, takes windows."""

    model: Path
    source: str
    """What it reads, of shape (1, channels, frames)."""
    extra: tuple[str, ...]
    """What else it is given: a mask with a column per frame, and what it is told of the speaker."""
    context: int
    """Frames on either side of some on which their columns depend."""
    weight: float
    """Work of a frame here, by the work of one in the decoder."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Models that together compute what one did."""

    encoder: Path
    """Has the whole model's inputs; its outputs are what flow and decoder are given of the text, and the speaker."""
    flow: Flow | None
    """None where the encoder makes the latent itself."""
    decoder: Path
    """Latent to sound."""
    latent: str
    """Of shape (1, channels, frames)."""
    extra_inputs: tuple[str, ...]
    """What else the decoder is given: of a model with several speakers, what it is told of the speaker."""
    samples_per_frame: int
    levels: tuple[Level, ...]
    """Where the decoder can be cut to a window: the latent, then behind upsamplings."""
    overhead: float
    """Frames whose work a window costs beside its own: with levels, much less than its context on both sides."""

    @property
    def are_there(self) -> bool:
        """Whether nobody has removed them since; blocks."""
        models = [self.encoder, self.decoder, *([self.flow.model] if self.flow else [])]
        return all(model.is_file() for model in models)

    @property
    def context(self) -> int:
        """Frames on either side of a window on which its samples depend."""
        return self.levels[0].context

"""A Piper model in its parts: made once, kept in `DATA_DIR/piper`, and trusted only after a look at every byte.

A folder per model, `cut-DIGEST-vFORMAT`, holds `encoder.onnx`, `flow.onnx` (where that can stand apart), `decoder.onnx`
and `facts.json`; it appears whole under its name or not at all, so that several processes may make it at once. `onnx`
is imported only to make one.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import logging
import os
import re
import secrets
import shutil
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from unavoce.engines.piper_parts import Flow, Halves
from unavoce.engines.piper_reach import MAX_CONTEXT, MAX_SAMPLES_PER_FRAME, Uncuttable
from unavoce.engines.piper_spans import Level
from unavoce.engines.piper_voices import VoiceFiles

if TYPE_CHECKING:
    from unavoce.engines.piper_flow import FlowCut
    from unavoce.engines.piper_graph import Cut

log = logging.getLogger(__name__)

FORMAT: Final = 1
"""Of the files and what is said of them: raised whenever this code cuts otherwise."""
_OURS: Final = re.compile(r"cut-[0-9a-f]+-v\d{1,4}(\..*\.part)?$")
ENCODER, FLOW, DECODER, FACTS = "encoder.onnx", "flow.onnx", "decoder.onnx", "facts.json"
MAX_FACTS_BYTES: Final = 64 * 1024
MAX_MODEL_BYTES: Final = 1024**3
MAX_KEPT: Final = 16
"""Models whose halves are kept; those made longest ago go."""
PART_AGE_S: Final = 3600.0
"""A half-made folder older than this was left behind by a process that was killed."""

Name = Annotated[str, Field(min_length=1, max_length=500)]
Names = Annotated[list[Name], Field(max_length=100)]
Elements = Annotated[int, Field(gt=0, le=MAX_SAMPLES_PER_FRAME)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FlowFacts(BaseModel):
    """What is known of a flow that stands apart."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    sha256: Sha256
    source: Name
    extra: Names
    context: Annotated[int, Field(ge=0, le=MAX_CONTEXT)]
    weight: Annotated[float, Field(ge=0, le=1000)]


class Facts(BaseModel):
    """What is known of a model and its halves, as it is kept."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    model: str
    """Its path, a character per byte; with size and time of change: once no such file is there, the halves may go."""
    size: int
    mtime_ns: int
    encoder_sha256: Sha256
    decoder_sha256: Sha256
    latent: Name
    extra: Names
    flow: FlowFacts | None
    samples_per_frame: Elements
    levels: Annotated[list[tuple[Elements, Annotated[int, Field(ge=0)]]], Field(min_length=1, max_length=100)]
    """Elements per frame, and context, of the latent and of each tensor that can be cut."""
    overhead: Annotated[float, Field(ge=0, le=2 * MAX_CONTEXT)]

    @field_validator("levels")
    @classmethod
    def _each_is_finer(cls, levels: list[tuple[int, int]]) -> list[tuple[int, int]]:
        sizes = [size for size, _ in levels]
        if sizes[0] != 1 or any(finer % size for size, finer in pairwise(sizes)):
            raise ValueError("the first level is the latent, and each has a multiple of the elements before it")
        return levels


def halves(files: VoiceFiles, digest: str, folder: Path) -> Halves:
    """The halves of a voice's model: those kept in `folder`, or new ones. Blocks: 0.1 s, or some seconds.

    `digest` (hex) stands for the model, as in `piper_voices.fingerprints`. Where `folder` cannot be written to, the
    halves lie in a temporary place until this process ends. Raises `Uncuttable` with the reason.
    """
    name = f"cut-{digest[:32]}-v{FORMAT}"
    try:
        return _kept(folder / name) or _made(files, folder / name)
    except OSError as error:
        log.warning("piper_halves_not_kept", extra={"reason": str(error)})
    try:
        return _kept(_elsewhere() / name) or _made(files, _elsewhere() / name)
    except OSError as error:
        raise Uncuttable(f"there is no room for its halves ({error})") from error


def tidy(folder: Path) -> None:
    """Remove halves of models that are no longer there, those of older formats, and what was left half made."""
    found = sorted(_folders(folder), key=_made_at)
    over = {path for path in found if _is_over(path)}
    whole = [path for path in found if path not in over and path.suffix != ".part"]
    for path in [*over, *whole[:-MAX_KEPT]]:
        _remove(path)


# -- reading


def _kept(place: Path) -> Halves | None:
    """None where there are none, or they are damaged."""
    if not place.is_dir():
        return None
    facts = _read_facts(place)
    if facts is None or not _are_whole(place, facts):
        log.warning("piper_halves_damaged", extra={"folder": str(place)})
        return None
    return _halves(place, facts)


def _are_whole(place: Path, facts: Facts) -> bool:
    digests = {ENCODER: facts.encoder_sha256, DECODER: facts.decoder_sha256}
    if facts.flow:
        digests[FLOW] = facts.flow.sha256
    return all(_digest(place / name) == digest for name, digest in digests.items())


def _halves(place: Path, facts: Facts) -> Halves:
    flow = facts.flow
    return Halves(
        encoder=place / ENCODER,
        flow=Flow(place / FLOW, flow.source, tuple(flow.extra), flow.context, flow.weight) if flow else None,
        decoder=place / DECODER,
        latent=facts.latent,
        extra_inputs=tuple(facts.extra),
        samples_per_frame=facts.samples_per_frame,
        levels=tuple(Level(*level) for level in facts.levels),
        overhead=facts.overhead,
    )


def _read_facts(place: Path) -> Facts | None:
    """A line of JSON and its digest in the next. None where that is not what stands there."""
    try:
        with (place / FACTS).open("rb") as file:
            content, _, digest = file.read(MAX_FACTS_BYTES).partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() == digest.strip():
            return Facts.model_validate_json(content)
    except (OSError, ValidationError):
        pass
    return None


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


# -- making


def _made(files: VoiceFiles, place: Path) -> Halves:
    """Cut the model into a folder beside `place`, which then takes that name. Raises OSError, `Uncuttable`."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = _beside(place)
    part.mkdir()
    try:
        facts = _cut_into(files, part)
        return _settled(part, place, facts)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        tidy(place.parent)


def _cut_into(files: VoiceFiles, part: Path) -> Facts:
    _check(files)
    try:
        facts = _parted(files, part, with_flow=True)
    except Uncuttable as reason:
        log.debug("piper_flow_stays", extra={"voice": files.name, "reason": str(reason)})
        (part / FLOW).unlink(missing_ok=True)
        facts = _parted(files, part, with_flow=False)
    _check(files)
    content = facts.model_dump_json().encode()
    (part / FACTS).write_bytes(content + b"\n" + hashlib.sha256(content).hexdigest().encode() + b"\n")
    return facts


def _parted(files: VoiceFiles, part: Path, *, with_flow: bool) -> Facts:
    try:
        from unavoce.engines.piper_cutting import Places, cut, prove  # noqa: PLC0415  # heavy; may not be installed
    except ImportError as error:
        raise Uncuttable(f"{error}; remedy: pip install 'unavoce[piper]'") from error
    places = Places(part / ENCODER, part / DECODER, part / FLOW if with_flow else None)
    try:
        facts = _facts(files, part, *cut(files.model, places))
        prove(_halves(part, facts))
    except ValidationError as error:
        raise Uncuttable(f"its graph has something out of bounds ({error.errors()[0]['loc']})") from error
    except MemoryError as error:
        raise Uncuttable("there is too little memory to part it") from error
    return facts


def _check(files: VoiceFiles) -> None:
    if files.size > MAX_MODEL_BYTES:
        raise Uncuttable(f"it is larger than {MAX_MODEL_BYTES} bytes")
    try:
        unchanged = files.unchanged()
    except OSError as error:
        raise Uncuttable(f"it cannot be read ({error})") from error
    if not unchanged:  # else its halves would be kept under another model's digest
        raise Uncuttable("it has changed since the start")


def _facts(files: VoiceFiles, part: Path, cut: Cut, flow: FlowCut | None) -> Facts:
    return Facts(
        model=os.fsencode(files.model.absolute()).decode("latin-1"),
        size=files.size,
        mtime_ns=files.mtime_ns,
        encoder_sha256=_digest(part / ENCODER) or "",
        decoder_sha256=_digest(part / DECODER) or "",
        latent=cut.latent,
        extra=list(cut.extra),
        flow=_flow_facts(flow, cut, part / FLOW) if flow else None,
        samples_per_frame=cut.samples_per_frame,
        levels=[(level.per_frame, level.context) for level in cut.levels],
        overhead=cut.overhead,
    )


def _flow_facts(flow: FlowCut, cut: Cut, path: Path) -> FlowFacts:
    return FlowFacts(
        sha256=_digest(path) or "",
        source=flow.source,
        extra=list(flow.extra),
        context=flow.context,
        weight=flow.work / max(1, cut.work),
    )


def _settled(part: Path, place: Path, facts: Facts) -> Halves:
    """Give `part` its name; where another process was sooner, its halves are as good."""
    try:
        part.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        if others := _kept(place):
            return others
        _remove(place)
        part.rename(place)
    return _halves(place, facts)


@functools.cache
def _elsewhere() -> Path:
    """For the life of this process."""
    place = Path(tempfile.mkdtemp(prefix="unavoce-piper-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


# -- what may go


def _folders(folder: Path) -> list[Path]:
    """Ours, half-made ones too."""
    try:
        return [path for path in folder.iterdir() if _OURS.match(path.name) and path.is_dir()]
    except OSError:
        return []


def _is_over(path: Path) -> bool:
    if path.suffix == ".part":
        return time.time() - _made_at(path) > PART_AGE_S
    version = int(path.name.rpartition("-v")[2])
    if version != FORMAT:
        return version < FORMAT  # a newer one is that of a newer program, beside this one
    facts = _read_facts(path)
    return facts is None or not _is_there(facts)


def _is_there(facts: Facts) -> bool:
    try:
        status = Path(os.fsdecode(facts.model.encode("latin-1"))).stat()
    except (OSError, ValueError):
        return False
    return (status.st_size, status.st_mtime_ns) == (facts.size, facts.mtime_ns)


def _made_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _beside(place: Path) -> Path:
    """A name for what is half made, or on its way out."""
    return place.with_name(f"{place.name}.{os.getpid()}-{secrets.token_hex(4)}.part")


def _remove(path: Path) -> None:
    """At once under its name, so that nobody finds half of it."""
    try:
        gone = path if path.suffix == ".part" else path.rename(_beside(path))
    except OSError as error:
        log.warning("piper_halves_not_removed", extra={"reason": str(error)})
        return
    shutil.rmtree(gone, ignore_errors=True)

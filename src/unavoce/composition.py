"""Puts the parts together that the server and the library share: engines, chain, stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unavoce.cache.cache import Cache
from unavoce.cache.disk.background import BackgroundDisk
from unavoce.cache.disk.tier import DiskCache, Limits
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.chain.known_voices import KnownVoices
from unavoce.cores import Cores
from unavoce.engines.absent import AbsentEngine
from unavoce.engines.base import Engine, EngineContext
from unavoce.engines.registry import create_engine
from unavoce.errors import EngineUnavailable, NotThere, SettingsError
from unavoce.narration.planner import SoundSettings
from unavoce.narration.renditions import RENDITIONS_SHARE
from unavoce.narration.stage import Stage
from unavoce.settings import Settings
from unavoce.storage.ages import DAY_S, MaxAge


def cores_for(settings: Settings, *, model_here: bool = False) -> Cores:
    """This machine's cores, shared as the settings want it. `model_here`: this process may embed a language model."""
    return Cores(leave_room=settings.leave_room, model_here=model_here and settings.llm.base_url is None)


MakeEngine = Callable[[EngineContext], Engine]
"""Makes an engine that is no installed package's."""


def build_chain(settings: Settings, cores: Cores, own: Sequence[MakeEngine] = ()) -> Chain:
    """`own` engines and then the configured ones, in order; nothing is loaded yet.

    One whose package, voice or speaker is not there keeps its place and is down. Raises SettingsError for an engine
    that is unknown or wrongly configured; where none is there at all, and none is known from an earlier start, what
    the first of them lacks.
    """
    context = EngineContext(settings.data_dir, cores)
    engines = [*(make(context) for make in own), *(_engine(name, settings, context) for name in settings.engines)]
    names = [engine.name for engine in engines]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError("engines", ", ".join(sorted(twice)), "each name once, those of engines made in code too")
    known = _known_voices(settings)
    if not any(known.voices(engine.name) or not isinstance(engine, AbsentEngine) for engine in engines):
        create_engine(settings.engines[0], settings.engine_section(settings.engines[0]), context)
    return Chain(engines, pace_check=settings.pace_check, max_parallel=settings.tts_max_parallel, known=known)


def _known_voices(settings: Settings) -> KnownVoices:
    sections = {name: settings.engine_digest(name) for name in settings.engines}
    return KnownVoices.read(settings.data_dir / "known-voices.json", sections)


def _engine(name: str, settings: Settings, context: EngineContext) -> Engine:
    try:
        return create_engine(name, settings.engine_section(name), context)
    except (EngineUnavailable, NotThere) as error:
        return AbsentEngine.called(name, error)


def build_stage(settings: Settings, cores: Cores, own: Sequence[MakeEngine] = ()) -> Stage:
    """A stage over the chain of these; enter it to start the engines."""
    chain = build_chain(settings, cores, own)
    return Stage(chain, cache=build_cache(settings), recovery_interval_s=settings.recovery_interval_s)


def sound_settings(settings: Settings) -> SoundSettings:
    """How sound leaves."""
    return SoundSettings(
        rate_hz=settings.sample_rate_hz,
        format="opus" if settings.opus_enabled else "wav",
        opus_bitrate=settings.opus_bitrate,
        rendition_bytes=settings.cache_memory_bytes // RENDITIONS_SHARE,
        max_parallel=settings.tts_max_parallel,
        voice_switch=settings.voice_switch,
        primary_timeout_s=settings.primary_timeout_s,
        hedge=settings.hedge,
        pace_check=settings.pace_check,
        early_clauses=settings.early_clauses,
        max_chars=settings.max_reply_chars,
    )


def build_cache(settings: Settings) -> Cache:
    """Memory, with the disk behind it unless one of its limits is 0."""
    max_age = _max_age(settings)
    disk = BackgroundDisk(build_disk(settings)) if settings.cache_max_bytes and settings.cache_max_entries else None
    return Cache(MemoryCache(settings.cache_memory_bytes), disk, max_age=max_age)


def build_disk(settings: Settings) -> DiskCache:
    """The disk tier by itself; nothing is opened yet."""
    limits = Limits(
        max_bytes=settings.cache_max_bytes,
        max_entries=settings.cache_max_entries,
        max_age=_max_age(settings),
        phrases_only=settings.cache_keep == "phrases",
    )
    return DiskCache(settings.cache_folder, limits)


def _max_age(settings: Settings) -> MaxAge | None:
    days = settings.cache_max_age_days
    return None if days is None else MaxAge(days * DAY_S)

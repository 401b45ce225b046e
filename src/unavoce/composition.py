"""Puts the parts together that the server and the library share: engines, chain, stage."""

from __future__ import annotations

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.chain.known_voices import KnownVoices
from unavoce.cores import Cores
from unavoce.engines.absent import AbsentEngine
from unavoce.engines.base import Engine, EngineContext
from unavoce.engines.registry import create_engine
from unavoce.errors import EngineUnavailable, NotThere
from unavoce.narration.stage import Stage
from unavoce.settings import Settings


def build_chain(settings: Settings, cores: Cores) -> Chain:
    """The configured engines, in order; nothing is loaded yet.

    One whose package, voice or speaker is not there keeps its place and is down. Raises SettingsError for an engine
    that is unknown or wrongly configured; where none is there at all, and none is known from an earlier start, what
    the first of them lacks.
    """
    context = EngineContext(settings.data_dir, cores)
    engines = [_engine(name, settings, context) for name in settings.engines]
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


def build_stage(settings: Settings, cores: Cores) -> Stage:
    """A stage over the configured chain; enter it to start the engines."""
    cache = Cache(MemoryCache(settings.cache_memory_bytes))
    return Stage(build_chain(settings, cores), cache=cache, recovery_interval_s=settings.recovery_interval_s)

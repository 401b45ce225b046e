"""Puts the parts together that the server and the library share: engines, chain, stage."""

from __future__ import annotations

from unavoce.cache.cache import Cache
from unavoce.cache.memory import MemoryCache
from unavoce.chain.chain import Chain
from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.registry import create_engine
from unavoce.narration.stage import Stage
from unavoce.settings import Settings


def build_chain(settings: Settings, cores: Cores) -> Chain:
    """The configured engines, in order; nothing is loaded yet.

    Raises SettingsError for an engine that is unknown or wrongly configured, EngineUnavailable for one whose package
    is not installed.
    """
    context = EngineContext(settings.data_dir, cores)
    engines = [create_engine(name, settings.engine_section(name), context) for name in settings.engines]
    return Chain(engines, pace_check=settings.pace_check, max_parallel=settings.tts_max_parallel)


def build_stage(settings: Settings, cores: Cores) -> Stage:
    """A stage over the configured chain; enter it to start the engines."""
    cache = Cache(MemoryCache(settings.cache_memory_bytes))
    return Stage(build_chain(settings, cores), cache=cache, recovery_interval_s=settings.recovery_interval_s)

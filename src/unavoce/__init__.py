"""unavoce turns a language model's token stream into one steady voice."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unavoce.library import Narrator
    from unavoce.settings import Settings, load_settings

__all__ = ["Narrator", "Settings", "load_settings"]

_HOMES = {"Narrator": "unavoce.library", "Settings": "unavoce.settings", "load_settings": "unavoce.settings"}


def __getattr__(name: str) -> Any:
    """Imports on first use, so that `import unavoce` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'unavoce' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

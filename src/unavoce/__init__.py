"""unavoce turns a language model's token stream into one steady voice."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unavoce.errors import EngineError, EngineUnavailable, RequestError, SettingsError, UnavoceError
    from unavoce.library import Narrator
    from unavoce.narration.events import Chunk
    from unavoce.remote import RemoteNarrator
    from unavoce.settings import Settings, load_settings

__all__ = [
    "Chunk",
    "EngineError",
    "EngineUnavailable",
    "Narrator",
    "RemoteNarrator",
    "RequestError",
    "Settings",
    "SettingsError",
    "UnavoceError",
    "load_settings",
]

_HOMES = {
    "Chunk": "unavoce.narration.events",
    "Narrator": "unavoce.library",
    "RemoteNarrator": "unavoce.remote",
    "Settings": "unavoce.settings",
    "load_settings": "unavoce.settings",
}
"""Where each is; what is not named here is an error."""


def __getattr__(name: str) -> Any:
    """Imports on first use, so that `import unavoce` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'unavoce' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "unavoce.errors")), name)

"""Settings: defaults, `unavoce.toml`, environment, flags. The only reader of the environment.

`load_settings()` gives a frozen `Settings` or raises `SettingsError`; docs/configuration.md lists every name.
"""

from unavoce.settings.load import load_settings
from unavoce.settings.model import Settings

__all__ = ["Settings", "load_settings"]

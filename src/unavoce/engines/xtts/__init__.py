"""XTTS over HTTP: one engine, four kinds of server. See docs/engines-xtts.md."""

from unavoce.engines.xtts.engine import XttsEngine
from unavoce.engines.xtts.options import XttsOptions

__all__ = ["XttsEngine", "XttsOptions"]

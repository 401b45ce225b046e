"""`GET /metrics`: what the server counts and measures, for Prometheus (docs/operating.md lists it)."""

from unavoce.server.metrics.metrics import Metrics
from unavoce.server.metrics.refusals import Refusals

__all__ = ["Metrics", "Refusals"]

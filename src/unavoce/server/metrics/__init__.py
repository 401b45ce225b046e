"""`GET /metrics`: what the server counts and measures, for Prometheus (docs/operating.md lists it)."""

from unavoce.server.metrics.metrics import Metrics

__all__ = ["Metrics"]

"""A narrator that speaks on a running server: the same loop over chunks, no engine in this process."""

from unavoce.remote.narrator import RemoteNarrator

__all__ = ["RemoteNarrator"]

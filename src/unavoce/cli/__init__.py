"""The `unavoce` command."""

from unavoce.cli.app import main

__all__ = ["main"]

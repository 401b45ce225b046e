"""History on disk, where the operator wants it (`UNAVOCE_HISTORY=disk`): one SQLite file in the data directory."""

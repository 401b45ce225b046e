"""What every room that keeps things on disk needs: threads for a disk that may hang, SQLite, ages."""
